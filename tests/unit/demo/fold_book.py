"""Every customer of the demo book, folded in any order and recomputed from its history."""

import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from adapters.bootstrap.shipped import DemoData
from adapters.inbound.cli.demo.book import Borrower, events, read_book
from domain.customer import CreditData, Month, month_from_rows
from domain.events import STATE_EVENTS, Event
from domain.profile_bytes import profile_to_bytes
from ingestion.fold import fold
from ingestion.parse import parse_event
from ingestion.rows import row_of

CHUNK = 500


def check_fold_book(customers: int | None, seed: int) -> dict[str, int]:
    """
    Fold each customer in order, and shuffled with duplicates in random batches; both must be equal.

    The months must also equal those recomputed from all rows. Returns what was compared.
    """
    chance = random.Random(seed)
    borrowers = read_book(DemoData().taiwan, customers)
    compared = told = 0
    for start in range(0, len(borrowers), CHUNK):
        for customer_id, history in _histories(borrowers[start : start + CHUNK]):
            straight = fold(CreditData.empty(customer_id), history).profile
            assert _bytes(straight) == _bytes(_shuffled(customer_id, history, chance)), customer_id
            assert dict(straight.months) == _recomputed(history), customer_id
            compared += 1
            told += len(history)
    return {"customers": compared, "events": told}


def _histories(borrowers: Sequence[Borrower]) -> Iterator[tuple[str, list[Event]]]:
    told: dict[str, list[Event]] = defaultdict(list)
    for document in events(borrowers):
        event = parse_event(document)
        told[event.customer_id].append(event)
    return iter(told.items())


def _shuffled(customer_id: str, history: list[Event], chance: random.Random) -> CreditData:
    arrivals = history + chance.choices(history, k=3)
    chance.shuffle(arrivals)
    profile = CreditData.empty(customer_id)
    seen: set[str] = set()
    while arrivals:
        size = chance.randint(1, len(arrivals))
        batch, arrivals = arrivals[:size], arrivals[size:]
        # The inbox lets each event through once.
        fresh = {e.event_id: e for e in batch if e.event_id not in seen}
        seen.update(fresh)
        profile = fold(profile, list(fresh.values())).profile
    return profile


def _recomputed(history: list[Event]) -> dict[int, Month]:
    rows: dict[int, list[Any]] = defaultdict(list)
    for event in history:
        if event.type not in STATE_EVENTS:
            row = row_of(event)
            rows[row.month].append(row)
    return {month: month_from_rows(held) for month, held in rows.items()}


def _bytes(profile: CreditData) -> bytes:
    return profile_to_bytes(profile)
