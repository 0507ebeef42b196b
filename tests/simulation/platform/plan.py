"""
What happens in one history: which events come, who asks for what, and where things break.

Customers a and b are one person, by their CPF; o is another; x is unknown. Of the person's
requests exactly `fits` can be approved, since one loan more is over the limit and what is left is
under the smallest offer. What o is told depends on whether a poisoned record of o came first.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from tests.simulation.platform.events import Producer, Record, identity, income, reais, record
from tests.simulation.platform.policy import LEAST, principal

#: What may be left of a limit when no loan fits any more: less than the smallest offer.
LEFT: Final = (0, LEAST - 1)
BIRTH: Final = {"relationship": {"since": "2020-01-31"}}
BILL: Final = {"period": "2026-05", "balance": reais(100_00), "limit": reais(1_000_00)}


@dataclass(frozen=True, slots=True)
class Ask:
    """One client that asks until it gets an answer, first of the API with this number."""

    key: str
    customer_id: str
    reference: str
    api: int
    after_s: float

    @property
    def command_hash(self) -> str:
        """What tells two commands under one key apart."""
        return f"{self.customer_id}/{self.reference}"


@dataclass(frozen=True, slots=True)
class Put:
    """One call that puts records, and when."""

    records: tuple[Record, ...]
    after_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """How much runs at once, and what breaks beside the calls themselves."""

    shards: int
    batch_size: int
    consumers: int
    relays: int
    kills: tuple[tuple[int, float], ...]
    outage_at_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """
    A history to be.

    limits: of the person that each known customer is in the end.
    fits: how many loans of that person are approved, where that is certain.
    opening: what is ingested before anybody asks.
    events: every distinct valid record.
    afterwards: what is asked under new keys when all is calm.
    """

    seed: int
    limits: Mapping[str, int]
    fits: Mapping[str, int]
    opening: tuple[Put, ...]
    later: tuple[Put, ...]
    events: tuple[Record, ...]
    poison: Record | None
    asks: tuple[Ask, ...]
    afterwards: tuple[Ask, ...]
    trouble: Trouble


def plan(seed: int) -> Plan:
    """Draw a history."""
    chance = random.Random(f"plan {seed}")
    producer = Producer(chance)
    fits = chance.choice((1, 1, 2))
    limit = fits * principal() + chance.choice(LEFT)
    other = principal() + chance.choice(LEFT)
    profiles = _profiles(producer, limit, other)
    facts = _facts(producer, chance)
    poison = _poison(producer, chance, profiles[-1]) if chance.random() < 0.7 else None
    first, more = [*map(record, profiles)], [*map(record, facts)]
    sent = [*more, poison] if poison else more
    return Plan(
        seed=seed,
        limits={"a": limit, "b": limit, "o": other},
        fits={"a": fits},
        opening=puts(chance, [*first, chance.choice(first)], 0.0),
        later=puts(chance, [*sent, chance.choice([*first, *sent])], 0.3),
        events=(*first, *more),
        poison=poison,
        asks=_asks(chance, fits),
        afterwards=(Ask("after", "o" if poison else "a", "", chance.randrange(2), 0.0),),
        trouble=trouble(chance),
    )


def trouble(chance: random.Random) -> Trouble:
    """Draw what runs at once and what breaks."""
    return Trouble(
        shards=chance.randint(1, 2),
        batch_size=chance.choice((2, 6, 10)),
        consumers=chance.choice((1, 1, 1, 2)),
        relays=chance.choice((1, 1, 1, 2)),
        kills=tuple((chance.randrange(4), chance.random() / 2) for _ in range(chance.randrange(3))),
        outage_at_s=chance.random() / 2 if chance.random() < 0.2 else None,
    )


def puts(chance: random.Random, records: Sequence[Record], within_s: float) -> tuple[Put, ...]:
    """Return the records in any order, in calls of one to three that may overtake one another."""
    left = chance.sample(records, k=len(records))
    made = []
    while left:
        size = chance.randint(1, 3)
        made.append(Put(tuple(left[:size]), chance.random() * within_s))
        left = left[size:]
    return tuple(made)


def _profiles(producer: Producer, limit: int, other: int) -> list[dict[str, Any]]:
    known = {**income(limit), **identity()}
    return [
        producer.envelope(name, "customer.profile_updated", data)
        for name, data in (("a", known), ("b", known), ("o", income(other)))
    ]


def _facts(producer: Producer, chance: random.Random) -> list[dict[str, Any]]:
    paid = producer.envelope("a", "transaction.recorded", {"kind": "payment", "amount": "10.00"})
    facts = [paid]
    if chance.random() < 0.5:
        facts.append(producer.envelope("b", "statement.closed", BILL))
    if chance.random() < 0.5:
        facts.append(producer.envelope("a", "customer.profile_updated", BIRTH))
    if chance.random() < 0.5:
        reversal = {"reverses": paid["event_id"]}
        facts.append(producer.envelope("a", "transaction.reversed", reversal))
    return facts


def _poison(producer: Producer, chance: random.Random, known: dict[str, Any]) -> Record:
    """Return a record of o that can never be applied; `known` is one that was."""
    other = producer.envelope("o", "customer.profile_updated", BIRTH)
    return chance.choice((
        ("o", b'{"not": "JSON"'),
        record({**other, "type": "customer.unheard_of"}),
        record({**other, "event_id": known["event_id"]}),
        record({**other, "source_version": known["source_version"]}),
    ))  # fmt: skip


def _asks(chance: random.Random, fits: int) -> tuple[Ask, ...]:
    within_s = chance.choice((0.0, 0.0, 0.01, 0.2))

    def ask(key: str, customer_id: str, api: int, reference: str = "") -> Ask:
        return Ask(key, customer_id, reference, api, chance.random() * within_s)

    # Every key at another API than the one before, so that both decide about the person at once.
    keys = [(f"k{number}", chance.choice("ab"), number % 2) for number in range(fits + 1)]
    asks = [ask(*key) for key in keys]
    key, customer_id, api = chance.choice(keys)
    if chance.random() < 0.5:
        asks.append(ask(key, customer_id, 1 - api))
    else:
        asks.append(ask(key, customer_id, chance.randrange(2), "another command"))
    if chance.random() < 0.5:
        return (*asks, ask("o1", "o", chance.randrange(2)))
    # Nobody knows this customer, so no person's lock keeps the two apart.
    at_s = chance.random() * 0.1
    return (*asks, *(Ask("x1", "x", "", api, at_s) for api in range(2)))
