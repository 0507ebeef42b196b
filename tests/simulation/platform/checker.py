"""
Judges a history by what was heard and by what the stores hold in the end.

Every promise has its twin: nothing wrong is done, and what should be done is done.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from itertools import groupby
from typing import Any, Final

from decision_engine.record.statements import BatchRow, DecisionRow
from decision_engine.record.verify import verify_lane
from domain.customer import CreditData
from domain.instants import from_epoch_micros, instant_micros
from domain.profile_bytes import profile_from_bytes, profile_to_bytes
from ingestion.projections import DECISION, LATEST, PROFILE
from tests.simulation.platform.clients import Answer
from tests.simulation.platform.events import folded
from tests.simulation.platform.history import History
from tests.simulation.platform.plan import CUSTOMERS

Row = dict[str, Any]
Found = Iterator[str]

PROJECTIONS: Final = ("keyspaces", "dynamodb")
OFFERING: Final = ("APPROVED", "COUNTER_OFFER")


def violations(history: History) -> list[str]:
    """Return every promise that was broken, each with what shows it."""
    return [f"{check.__name__}: {found}" for check in CHECKS for found in check(history)]


def once(history: History) -> Found:
    """A key has one decision, and every answer under it is that decision's reply."""
    rows = _decisions(history)
    counts = Counter((row["client_id"], row["idem_key"]) for row in rows)
    yield from (f"{count} decisions under {key}" for key, count in counts.items() if count > 1)
    stored = {row["idem_key"].partition(":")[2]: row for row in rows}
    for answer in _answers(history):
        row = stored.get(answer.ask.key)
        if row is None:
            yield f"{answer.ask.key}: answered, and nothing is recorded"
        elif answer.recorded is None:
            if row["command_hash"] == answer.ask.command_hash:
                yield f"{answer.ask.key}: refused as another command, which it is not"
        elif row["command_hash"] != answer.ask.command_hash:
            yield f"{answer.ask.key}: answered with the decision of another command"
        elif answer.recorded.reply != row["reply"]:
            yield f"{answer.ask.key}: the answer is not the recorded reply"


def answered(history: History) -> Found:
    """Every ask ends, and an error on the way says what to do about it."""
    asked = len(history.plan.asks) + len(history.replays) + len(history.afterwards)
    if len(history.heard.answers) != asked:
        yield f"{len(history.heard.answers)} answers to {asked} asks"
    yield from history.heard.evasions


def exposure(history: History) -> Found:
    """What a person may still take up stays within the limit, and all that fits is approved."""
    reserved = _rows(history, "reservations")
    by_row: Counter[str] = Counter()
    by_customer: Counter[str] = Counter()
    persons = {row["customer_id"]: row["person_id"] for row in _rows(history, "customers")}
    owners = {row["decision_id"]: row["customer_id"] for row in _decisions(history)}
    for row in reserved:
        by_row[row["person_id"]] += row["principal"]
        by_customer[persons[owners[row["decision_id"]]]] += row["principal"]
    limits = {persons["a"]: history.plan.limits["person"], persons["o"]: history.plan.limits["o"]}
    for person_id, sums in ((p, (by_row[p], by_customer[p])) for p in {**by_row, **by_customer}):
        if max(sums) > limits.get(person_id, 0):
            yield f"{person_id} holds {sums} of {limits.get(person_id)}"
    offered = [row for row in _decisions(history) if row["outcome"] in OFFERING]
    if {row["decision_id"] for row in offered} != {row["decision_id"] for row in reserved}:
        yield "offers and reservations are not of the same decisions"
    approved = sum(row["person_id"] == persons["a"] for row in offered)
    if approved != history.plan.fits:
        yield f"{approved} approved where {history.plan.fits} fit"


def ledger(history: History) -> Found:
    """Every lane is an unbroken chain over exactly the decisions that are there."""
    lanes: dict[str, dict[int, list[DecisionRow]]] = defaultdict(lambda: defaultdict(list))
    for row in _decisions(history):
        lanes[row["lane"]][row["lane_seq"]].append(DecisionRow(**row))
    batches = [_made(BatchRow, row) for row in _rows(history, "ledger_batches")]
    known = {lane: list(group) for lane, group in groupby(batches, lambda row: row.lane)}
    for lane in {**known, **lanes}:
        for fault in verify_lane(known.get(lane, []), lanes[lane]):
            yield f"{fault.code} at {fault.place}"


def outbox(history: History) -> Found:
    """Everything is published and projected; of a customer's decisions the newest is the latest."""
    yield from history.unfinished
    newest: dict[str, Row] = {}
    for row in sorted(_decisions(history), key=_order):
        newest[row["customer_id"]] = row
        place = f"{instant_micros(from_epoch_micros(row['decided_us']))}#{row['decision_id']}"
        if _projected(history, "keyspaces", row["customer_id"], DECISION + place) is None:
            yield f"keyspaces lacks decision {row['idem_key']}"
    for customer_id, row in newest.items():
        held = _projected(history, "dynamodb", customer_id, LATEST)
        if held is None or row["decision_id"].encode() not in held[1]:
            shown = held and held[0] - row["decided_us"]
            yield f"the latest of {customer_id} is not {row['idem_key']}, off by {shown} µs"


def fold(history: History) -> Found:
    """Truth is the fold of every distinct event, as a run without trouble leaves it."""
    stored = {row["customer_id"]: row for row in _rows(history, "customers")}
    for customer_id in CUSTOMERS:
        expected = expected_profile(history, customer_id)
        row = stored[customer_id]
        if row["profile"] != profile_to_bytes(expected):
            yield f"{customer_id}: {profile_from_bytes(row['profile'])} is not {expected}"
        if row["profile_version"] != expected.profile_version:
            yield f"{customer_id}: version {row['profile_version']}"
        if row["person_id"] != expected.person_id:
            yield f"{customer_id}: person {row['person_id']}"
    facts = {row["event_id"] for row in _rows(history, "transactions")}
    inbox = len(_rows(history, "inbox"))
    distinct = len(history.plan.events) + (history.plan.poison is not None)
    if inbox != distinct or len(facts) != sum(b"transaction." in r[1] or b"statement." in r[1] for r in history.plan.events):
        yield f"{inbox} inbox rows of {distinct} events, {len(facts)} facts"


def expected_profile(history: History, customer_id: str) -> CreditData:
    """Return the profile of a run without trouble."""
    records = [each for each in history.plan.events if each[0] == customer_id]
    profile = folded(customer_id, records)
    if history.plan.poison is None or history.plan.poison[0] != customer_id:
        return profile
    return replace(profile, profile_version=profile.profile_version + 1, incomplete=True)


def version(history: History) -> Found:
    """A projection never goes back, and ends as truth is."""
    yield from history.stores.setbacks()
    for row in _rows(history, "customers"):
        for name in PROJECTIONS:
            held = _projected(history, name, row["customer_id"], PROFILE)
            if held != (row["profile_version"], row["profile"]):
                yield f"{name}: {row['customer_id']} has version {held and held[0]}"


def parked(history: History) -> Found:
    """Poison is set aside once, nothing else is, and its customer is referred."""
    rows = _rows(history, "parked_events")
    if len(rows) != (history.plan.poison is not None):
        yield f"{len(rows)} records are parked"
    if history.stores.given_up:
        yield f"the mapping gave up records {history.stores.given_up}"
    outcomes = {row["idem_key"]: row for row in _decisions(history)}
    afterwards = outcomes.get("decide:after-o")
    if history.plan.poison is not None and afterwards is not None:
        if afterwards["outcome"] != "REFERRED" or b'"R93"' not in afterwards["reply"]:
            yield f"incomplete data, and the outcome is {afterwards['outcome']}"


def leftovers(history: History) -> Found:
    """Nobody leaves a session, a lock or half a transaction behind."""
    yield from history.stores.database.leftovers()


CHECKS: Final[tuple[Callable[[History], Found], ...]] = (
    once, answered, exposure, ledger, outbox, fold, version, parked, leftovers,
)  # fmt: skip


def _answers(history: History) -> list[Answer]:
    return history.heard.answers


def _decisions(history: History) -> list[Row]:
    return _rows(history, "credit_decisions")


def _rows(history: History, table: str) -> list[Row]:
    return history.stores.database.rows(table)


def _projected(
    history: History, store: str, customer_id: str, data_type: str
) -> tuple[int, bytes] | None:
    stored = history.stores.rows[store].rows().get((customer_id, data_type))
    return None if stored is None else (stored.version, stored.row)


def _order(row: Row) -> tuple[int, str]:
    return (row["decided_us"], row["decision_id"])


def _made(kind: type, row: Row) -> Any:
    return kind(*(row[field.name] for field in fields(kind)))
