"""
The truth transaction of a batch, as a program without I/O.

Customers are locked first, so that what is read after it stays true until the commit; a second
handler that holds the same events waits, then meets duplicates. What two handlers insert for
different customers under one id or place fails on the inbox's unique keys, and is tried again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from domain.customer import CreditData
from domain.events import STATE_EVENTS, Event, EventType
from domain.identifiers import own_person
from domain.ports.truth import Begin, Commit, Program, Rollback, Rows, Statement
from domain.profile_bytes import profile_from_bytes, profile_to_bytes
from domain.transaction import Transaction
from ingestion.fold import NO_HISTORY, History, cpf_index_of, fold
from ingestion.intake import Work
from ingestion.park import Parked, Poison
from ingestion.rows import public_bytes, row_of
from ingestion.statements import (
    EnsurePersons,
    InboxRow,
    InsertInbox,
    InsertParked,
    InsertTransactions,
    LockProfiles,
    MarkReversed,
    MovePersons,
    PersonMove,
    PersonRow,
    ProfileWrite,
    ReadApplied,
    ReadMonth,
    ReadTransactions,
    TransactionWrite,
    WriteProfiles,
)
from ingestion.triage import Sorted, inbox_question, sort_out


@dataclass(frozen=True, slots=True)
class StoredProfile:
    """A profile as truth holds it, and its bytes."""

    profile: CreditData
    payload: bytes


@dataclass(frozen=True, slots=True)
class Settled:
    """
    What truth holds after the transaction, for all customers of the batch.

    `rows` are the transactions of the batch, new ones and duplicates alike, for the projections.
    `conflicts` were not applied: they are poison, known only after reading the inbox.
    """

    profiles: Mapping[str, StoredProfile]
    rows: Sequence[TransactionWrite]
    applied: int
    duplicates: int
    parked: int
    conflicts: Sequence[Poison] = ()


@dataclass(frozen=True, slots=True)
class _Change:
    """All that one customer's part of the transaction writes."""

    before: StoredProfile | None
    after: StoredProfile
    rows: tuple[TransactionWrite, ...]
    marked: tuple[str, ...]
    inbox: tuple[InboxRow, ...]
    parked: tuple[Parked, ...]


def settle(works: Sequence[Work], now_us: int) -> Program[Settled]:
    """Apply and park what is new of some customers, in one transaction, and return truth."""
    customer_ids = tuple(sorted(work.customer_id for work in works))
    _, locked, inbox = yield (Begin(), LockProfiles(customer_ids), inbox_question(works))
    found = sort_out(works, inbox)
    stored = {name: _stored(payload) for name, payload in locked if payload}
    applied = yield from _applied_before(found)
    histories = yield from _histories(found)
    changes = [
        _change(name, stored.get(name), found, histories.get(name, NO_HISTORY), now_us)
        for name in found.customers
    ]
    yield _writes(changes, now_us) if changes else (Rollback(),)
    return _settled(found, stored, changes, applied)


def read_profiles(customer_ids: Sequence[str]) -> Program[dict[str, StoredProfile]]:
    """Return the profiles as truth holds them now."""
    _, locked, _ = yield (Begin(), LockProfiles(tuple(sorted(customer_ids))), Rollback())
    return {name: _stored(payload) for name, payload in locked if payload}


def _stored(payload: bytes) -> StoredProfile:
    return StoredProfile(profile_from_bytes(payload), payload)


def _applied_before(found: Sorted) -> Program[list[TransactionWrite]]:
    rows = {
        event.event_id: row_of(event)
        for event in found.duplicates
        if event.type not in STATE_EVENTS
    }
    if not rows:
        return []
    (applied,) = yield (ReadApplied(tuple(rows)),)
    return [
        _transaction_write(rows[event_id], applied_us, reversed_=False)
        for event_id, applied_us in applied
    ]


def _histories(found: Sorted) -> Program[dict[str, History]]:
    named = {
        (customer_id, str(event.data["reverses"]))
        for customer_id, events in found.fresh.items()
        for event in events
        if event.type is EventType.TRANSACTION_REVERSED
    }
    if not named:
        return {}
    (found_rows,) = yield (ReadTransactions(tuple(sorted({target for _, target in named}))),)
    targets = [(row, out) for row, out in found_rows if (row.customer_id, row.event_id) in named]
    months = sorted({(row.customer_id, row.month) for row, out in targets if not out})
    results: list[Rows] = []
    if months:
        results = yield tuple(ReadMonth(*month) for month in months)
    return {
        customer_id: History(
            {row.event_id: (row, out) for row, out in targets if row.customer_id == customer_id},
            {
                month: rows
                for (name, month), rows in zip(months, results, strict=True)
                if name == customer_id
            },
        )
        for customer_id in {row.customer_id for row, _ in targets}
    }


def _change(
    customer_id: str, before: StoredProfile | None, found: Sorted, history: History, now_us: int
) -> _Change:
    events = found.fresh.get(customer_id, [])
    parked = found.parked.get(customer_id, [])
    profile = before.profile if before else CreditData.empty(customer_id)
    folded = fold(profile, events, history)
    profile = folded.profile
    if parked:
        version = profile.profile_version + len(parked)
        profile = replace(profile, profile_version=version, incomplete=True)
    return _Change(
        before=before,
        after=StoredProfile(profile, profile_to_bytes(profile)),
        rows=tuple(_transaction_write(row, now_us, reversed_=out) for row, out in folded.rows),
        marked=folded.marked,
        inbox=(*map(_inbox_row, events), *(each.inbox_row() for each in parked)),
        parked=tuple(parked),
    )


def _transaction_write(row: Transaction, applied_us: int, *, reversed_: bool) -> TransactionWrite:
    return TransactionWrite(row, reversed_, applied_us, public_bytes(row))


def _inbox_row(event: Event) -> InboxRow:
    return InboxRow(
        event.event_id,
        event.stream_id,
        event.source_version,
        event.body_hash,
        event.customer_id,
    )


def _writes(changes: Sequence[_Change], now_us: int) -> tuple[Statement, ...]:
    rows = tuple(row for change in changes for row in change.rows)
    marked = tuple(event_id for change in changes for event_id in change.marked)
    parked = tuple(each.row(now_us) for change in changes for each in change.parked)
    persons = _persons(changes)
    statements: list[Statement] = [EnsurePersons(persons)] if persons else []
    moves = _moves(changes)
    statements += [MovePersons(moves)] if moves else []
    statements.append(WriteProfiles(tuple(_profile_write(each.after, now_us) for each in changes)))
    statements += [InsertTransactions(rows)] if rows else []
    statements += [MarkReversed(marked)] if marked else []
    statements.append(InsertInbox(tuple(row for change in changes for row in change.inbox)))
    statements += [InsertParked(parked)] if parked else []
    return (*statements, Commit())


def _profile_write(after: StoredProfile, now_us: int) -> ProfileWrite:
    index = cpf_index_of(after.profile.slots)
    return ProfileWrite(after.profile, after.payload, index, now_us)


def _moves(changes: Sequence[_Change]) -> tuple[PersonMove, ...]:
    """Return the customers that were taken for another person until now."""
    known = [(change.before.profile, change.after.profile) for change in changes if change.before]
    return tuple(
        PersonMove(after.customer_id, before.person_id, after.person_id)
        for before, after in known
        if before.person_id != after.person_id
    )


def _persons(changes: Sequence[_Change]) -> tuple[PersonRow, ...]:
    """Return, in key order, the persons that customers become here, and their own."""
    persons: dict[str, str] = {}
    for change in changes:
        profile = change.after.profile
        if change.before is None:
            persons[own_person(profile.customer_id)] = ""
        if change.before is None or change.before.profile.person_id != profile.person_id:
            persons[profile.person_id] = cpf_index_of(profile.slots)
    return tuple(PersonRow(*person) for person in sorted(persons.items()))


def _settled(
    found: Sorted,
    stored: Mapping[str, StoredProfile],
    changes: Sequence[_Change],
    applied: Sequence[TransactionWrite],
) -> Settled:
    after = {change.after.profile.customer_id: change.after for change in changes}
    return Settled(
        profiles={**stored, **after},
        rows=[*applied, *(row for change in changes for row in change.rows)],
        applied=sum(len(events) for events in found.fresh.values()),
        duplicates=len(found.duplicates) + len(found.parked_before),
        parked=sum(len(parked) for parked in found.parked.values()),
        conflicts=found.conflicts,
    )
