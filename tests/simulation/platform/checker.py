"""
Judges a history by what was heard and by what the stores hold in the end.

Every promise has its twin: nothing wrong is done, and what should be done is done.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from itertools import groupby
from operator import itemgetter
from typing import Any, Final

from decision_engine.record.statements import BatchRow, DecisionRow
from decision_engine.record.verify import verify_lane
from domain.customer import CreditData
from domain.events import STATE_EVENTS as STATE
from domain.instants import from_epoch_micros, instant_micros
from domain.profile_bytes import profile_from_bytes, profile_to_bytes
from domain.profile_row import PROFILE
from ingestion.projections import DECISION, LATEST
from tests.simulation.platform.events import event_of, folded
from tests.simulation.platform.history import History
from tests.simulation.platform.plan import Plan

Row = dict[str, Any]
Found = Iterator[str]

PROJECTIONS: Final = ("keyspaces", "dynamodb")
OFFERING: Final = ("APPROVED", "COUNTER_OFFER")


def violations(history: History) -> list[str]:
    """Return every promise that was broken, each with what shows it."""
    return [f"{check.__name__}: {found}" for check in CHECKS for found in check(history)]


def once(history: History) -> Found:
    """A key has one decision, and every answer under it is that decision's reply."""
    rows = history.rows("credit_decisions")
    counts = Counter((row["client_id"], row["idem_key"]) for row in rows)
    yield from (f"{count} decisions under {key}" for key, count in counts.items() if count > 1)
    stored = {row["idem_key"].partition(":")[2]: row for row in rows}
    for answer in history.heard.answers:
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
    answers = len(history.heard.answers)
    if answers != history.expected:
        yield f"{answers} answers to {history.expected} asks"
    yield from history.heard.evasions


def exposure(history: History) -> Found:
    """What a person may still take up stays within the limit, and all that fits is approved."""
    plan = history.plan
    persons = {row["customer_id"]: row["person_id"] for row in history.rows("customers")}
    owners = {row["decision_id"]: row["customer_id"] for row in history.rows("credit_decisions")}
    reserved = history.rows("reservations")
    by_row: Counter[str] = Counter()
    by_customer: Counter[str] = Counter()
    for row in reserved:
        by_row[row["person_id"]] += row["principal"]
        by_customer[persons[owners[row["decision_id"]]]] += row["principal"]
    limits = {persons[name]: limit for name, limit in plan.limits.items()}
    for person_id in {**by_row, **by_customer}:
        sums = (by_row[person_id], by_customer[person_id])
        if max(sums) > limits.get(person_id, 0):
            yield f"{person_id} holds {sums} of {limits.get(person_id)}"
    offered = [row for row in history.rows("credit_decisions") if row["outcome"] in OFFERING]
    if {row["decision_id"] for row in offered} != {row["decision_id"] for row in reserved}:
        yield "offers and reservations are not of the same decisions"
    for name, fits in plan.fits.items():
        approved = sum(persons[row["customer_id"]] == persons[name] for row in offered)
        if approved != fits:
            yield f"{approved} approved where {fits} fit {name}"


def ledger(history: History) -> Found:
    """Every lane is an unbroken chain over exactly the decisions that are there."""
    lanes: dict[str, list[DecisionRow]] = defaultdict(list)
    for row in sorted(history.rows("credit_decisions"), key=itemgetter("lane_seq", "decision_id")):
        lanes[row["lane"]].append(DecisionRow(**row))
    batches = [_made(BatchRow, row) for row in history.rows("ledger_batches")]
    known = {lane: list(group) for lane, group in groupby(batches, lambda row: row.lane)}
    for lane in {**known, **lanes}:
        for fault in verify_lane(lane, known.get(lane, []), lanes[lane]):
            yield f"{fault.code} at {fault.place}"


def outbox(history: History) -> Found:
    """Everything is published and projected; of a customer's decisions the newest is the latest."""
    yield from history.unfinished
    newest: dict[str, Row] = {}
    for row in sorted(history.rows("credit_decisions"), key=_order):
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
    plan = history.plan
    stored = {row["customer_id"]: row for row in history.rows("customers")}
    for customer_id in plan.limits:
        profile, row = expected_profile(plan, customer_id), stored[customer_id]
        expected = (profile.profile_version, profile.person_id, profile_to_bytes(profile))
        if (row["profile_version"], row["person_id"], row["profile"]) != expected:
            yield f"{customer_id}: {profile_from_bytes(row['profile'])} is not {profile}"
    inbox = len(history.rows("inbox"))
    distinct = len(plan.events) + (plan.poison is not None)
    if inbox != distinct:
        yield f"{inbox} inbox rows of {distinct} events"
    facts = {event.event_id for made in plan.events if (event := event_of(made)).type not in STATE}
    if {row["event_id"] for row in history.rows("transactions")} != facts:
        yield "the rows of transactions are not those of the events"


def expected_profile(plan: Plan, customer_id: str) -> CreditData:
    """Return the profile of a run without trouble."""
    profile = folded(customer_id, [made for made in plan.events if made[0] == customer_id])
    if plan.poison is None or plan.poison[0] != customer_id:
        return profile
    return replace(profile, profile_version=profile.profile_version + 1, incomplete=True)


def version(history: History) -> Found:
    """A projection never goes back, and ends as truth is."""
    yield from history.stores.setbacks()
    for row in history.rows("customers"):
        for name in PROJECTIONS:
            held = _projected(history, name, row["customer_id"], PROFILE)
            if held != (row["profile_version"], row["profile"]):
                yield f"{name}: {row['customer_id']} has version {held and held[0]}"


def parked(history: History) -> Found:
    """Poison is set aside once, nothing else is, and its customer is referred."""
    poison = history.plan.poison
    rows = history.rows("parked_events")
    if len(rows) != (poison is not None):
        yield f"{len(rows)} records are parked"
    if history.stores.given_up:
        yield f"the mapping gave up records {history.stores.given_up}"
    if poison is None:
        return
    outcomes = {row["idem_key"]: row for row in history.rows("credit_decisions")}
    decided = outcomes.get("decide:after")
    if decided is None or b'"R93"' not in decided["reply"]:
        yield f"the data are incomplete, and the outcome is {decided and decided['outcome']}"


def leftovers(history: History) -> Found:
    """Nobody leaves a session, a lock or half a transaction behind."""
    yield from history.stores.database.leftovers()


CHECKS: Final[tuple[Callable[[History], Found], ...]] = (
    once, answered, exposure, ledger, outbox, fold, version, parked, leftovers,
)  # fmt: skip


def _projected(
    history: History, store: str, customer_id: str, data_type: str
) -> tuple[int, bytes] | None:
    stored = history.stores.rows[store].held(customer_id, data_type)
    return None if stored is None else (stored.version, stored.row)


def _order(row: Row) -> tuple[int, str]:
    return (row["decided_us"], row["decision_id"])


def _made(kind: type, row: Row) -> Any:
    return kind(*(row[field.name] for field in fields(kind)))
