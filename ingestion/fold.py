"""
From a customer's profile and more events to the next profile: pure, and blind to order.

Slots keep the highest version of each source. Rows are a set: those within 25 months of the
newest row ever seen are folded into their months, older ones stay rows only. A reversal takes its
row out, whichever came first, and stays even if it is reversed itself. Any permutation and any
partition into batches of distinct events ends in the same profile.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from domain.canonical import encode
from domain.customer import WINDOW_MONTHS, CreditData, Month, Slot, month_from_rows
from domain.events import STATE_EVENTS, Event, EventType
from domain.identifiers import own_person, person_of_index
from domain.transaction import Transaction
from ingestion.rows import row_of

_NO_FACTS: Final = Month()
CPF: Final = "cpf/"


@dataclass(frozen=True, slots=True)
class History:
    """
    What the store says about the rows that new events reverse.

    `targets`: those rows by event id, with whether each is reversed already.
    `months`: for each month of a target, all of the customer's rows in it that are not reversed.
    """

    targets: Mapping[str, tuple[Transaction, bool]] = field(default_factory=dict)
    months: Mapping[int, Sequence[Transaction]] = field(default_factory=dict)


NO_HISTORY: Final = History()


@dataclass(frozen=True, slots=True)
class Folded:
    """The next profile, its new rows (each with whether it is reversed), and old ones to mark."""

    profile: CreditData
    rows: tuple[tuple[Transaction, bool], ...]
    marked: tuple[str, ...]


def fold_event(profile: CreditData, event: Event, history: History = NO_HISTORY) -> CreditData:
    """Return the profile with one more distinct event of the customer."""
    return fold(profile, (event,), history).profile


def fold(profile: CreditData, events: Sequence[Event], history: History = NO_HISTORY) -> Folded:
    """Return the profile with more distinct events of the customer, and what that says of rows."""
    slots = dict(profile.slots)
    rows: list[Transaction] = []
    for event in events:
        if event.type in STATE_EVENTS:
            _fill_slots(slots, event)
        else:
            rows.append(row_of(event))
    newest_month = max([profile.newest_month, *(row.month for row in rows)])
    reversals = _reversals(profile, rows, history)
    next_profile = CreditData(
        customer_id=profile.customer_id,
        person_id=_person_of(profile.customer_id, slots),
        profile_version=profile.profile_version + len(events),
        incomplete=profile.incomplete,
        slots=slots,
        months=_months(profile, newest_month, rows, reversals, history),
        newest_month=newest_month,
        newest_us=max([profile.newest_us, *(event.occurred_us for event in events)]),
        pending_reversals=reversals.pending,
    )
    marked_rows = tuple((row, row.event_id in reversals.named) for row in rows)
    return Folded(next_profile, marked_rows, tuple(sorted(reversals.marked)))


def cpf_index_of(slots: Mapping[str, Slot]) -> str:
    """Return the blind index of the CPF that was said last, or empty text."""
    known = [
        (slot.occurred_us, slot.rank, name, str(slot.data["cpf_index"]))
        for name, slot in slots.items()
        if name.startswith(CPF)
    ]
    return max(known)[3] if known else ""


def _person_of(customer_id: str, slots: Mapping[str, Slot]) -> str:
    index = cpf_index_of(slots)
    return person_of_index(index) if index else own_person(customer_id)


def _fill_slots(slots: dict[str, Slot], event: Event) -> None:
    is_bureau = event.type is EventType.BUREAU_SCORE_UPDATED
    groups: Mapping[str, Any] = {"bureau": event.data} if is_bureau else event.data
    for group, data in groups.items():
        _fill(slots, f"{group}/{event.source}", event, data)
        if "cpf_index" in data:
            # A slot of its own: what is said later about the name must not unsay the CPF.
            _fill(slots, f"{CPF}{event.source}", event, {"cpf_index": data["cpf_index"]})


def _fill(slots: dict[str, Slot], name: str, event: Event, data: Mapping[str, Any]) -> None:
    said = Slot(event.incarnation, event.source_version, event.occurred_us, data)
    held = slots.get(name)
    if held is None or _wins(said, held):
        slots[name] = said


def _wins(said: Slot, held: Slot) -> bool:
    if said.rank != held.rank:
        return said.rank > held.rank
    # Two streams of one source may count alike; any total order keeps the fold blind to arrival.
    return (said.occurred_us, encode(said.data)) > (held.occurred_us, encode(held.data))


@dataclass(frozen=True, slots=True)
class _Reversals:
    """Every id named by a reversal, the stored rows to take out now, the ids not seen yet."""

    named: frozenset[str]
    marked: frozenset[str]
    pending: tuple[str, ...]


def _reversals(profile: CreditData, rows: Sequence[Transaction], history: History) -> _Reversals:
    named = frozenset(row.reverses for row in rows if row.reverses)
    waiting = named.union(profile.pending_reversals).difference(row.event_id for row in rows)
    stored = {
        event_id: taken_out
        for event_id, (row, taken_out) in history.targets.items()
        # The id of another customer's row is as good as unknown.
        if event_id in waiting and row.customer_id == profile.customer_id
    }
    return _Reversals(
        named=named.union(profile.pending_reversals),
        marked=frozenset(event_id for event_id, taken_out in stored.items() if not taken_out),
        pending=tuple(sorted(waiting.difference(stored))),
    )


def _months(
    profile: CreditData,
    newest: int,
    rows: Sequence[Transaction],
    reversals: _Reversals,
    history: History,
) -> dict[int, Month]:
    first = newest - WINDOW_MONTHS + 1
    months = {number: month for number, month in profile.months.items() if number >= first}
    standing = [row for row in rows if row.month >= first and row.event_id not in reversals.named]
    touched = {row.month for row in standing}
    for row in standing:
        months[row.month] = months.get(row.month, _NO_FACTS).with_row(row)
    for number in {history.targets[event_id][0].month for event_id in reversals.marked}:
        if number >= first:
            touched.add(number)
            kept = [r for r in history.months[number] if r.event_id not in reversals.marked]
            months[number] = month_from_rows(kept + [r for r in standing if r.month == number])
    for number in touched:
        # A reversal is no fact of its month, and a month without facts is no month.
        if months[number] == _NO_FACTS:
            del months[number]
    return months
