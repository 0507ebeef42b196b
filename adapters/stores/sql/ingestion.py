"""How the statements of the ingesting transaction and of the outbox relay read in SQL."""

from collections.abc import Callable, Mapping
from dataclasses import fields
from operator import attrgetter
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, bindparam, delete, select, update

from adapters.stores.sql.rendering import (
    Execute,
    Renderer,
    any_of,
    as_list,
    column_names,
    insert_into,
    inserting,
    pairs_of,
    query,
    reading,
    writing,
)
from adapters.stores.sql.schema import (
    contracts,
    credit_decisions,
    customers,
    inbox,
    ingestion_batches,
    offers,
    outbox,
    parked_events,
    persons,
    reservations,
    transactions,
)
from consistency.outbox.statements import DeleteOutbox, OutboxEvent, ReadOutbox
from domain.transaction import Transaction, TransactionKind
from ingestion.readable import readable_columns
from ingestion.statements import (
    EnsurePersons,
    InboxRow,
    IngestionBatchRow,
    InsertInbox,
    InsertIngestionBatch,
    InsertParked,
    InsertTransactions,
    LockProfiles,
    MarkReversed,
    MovePersons,
    ParkedRow,
    ProfileWrite,
    ReadApplied,
    ReadInbox,
    ReadMonth,
    ReadTransactions,
    WriteProfiles,
)

#: Attributes of `Transaction` that SQL would take for a word of its own.
RENAMED: Final = {"limit": "limit_amount"}
#: Columns of `transactions` that hold an attribute of the row itself.
FACTS: Final = tuple(RENAMED.get(field.name, field.name) for field in fields(Transaction))


def ingestion_renderers() -> Mapping[type, Renderer]:
    """Return how each statement of ingestion and of the relay is run."""
    return {**_inbox(), **_profiles(), **_transactions(), **_aside(), **_relay()}


def _inbox() -> dict[type, Renderer]:
    i = inbox.c
    columns = [i[name] for name in column_names(InboxRow)]
    asked, stream, version = pairs_of("pairs")
    by_id = reading(
        select(*columns).where(i.event_id.in_(any_of("ids"))), _events, InboxRow, needs="event_ids"
    )
    by_place = reading(
        select(*columns)
        .select_from(asked)
        .join(inbox, and_(i.stream_id == stream, i.source_version == version)),
        lambda s: {"pairs": as_list(s.stream_versions)},
        InboxRow,
        needs="stream_versions",
    )

    def read(execute: Execute, asked: ReadInbox) -> list[Any]:
        found = [*by_id(execute, asked), *by_place(execute, asked)]
        return list({row.event_id: row for row in found}.values())

    return {
        ReadInbox: read,
        InsertInbox: inserting(insert_into(inbox, column_names(InboxRow)), _rows),
    }


def _profiles() -> dict[type, Renderer]:
    new_person = insert_into(persons, ("person_id", "cpf_index"), ignore=True)
    return {
        LockProfiles: _lock_profiles(),
        EnsurePersons: inserting(new_person, _rows),
        MovePersons: _move_persons(),
        WriteProfiles: _write_profiles(),
    }


def _move_persons() -> Renderer:
    d = credit_decisions.c
    theirs = select(d.decision_id).where(d.customer_id == bindparam("customer"))
    moves = [
        query(
            update(table)
            .where(table.c.person_id == bindparam("before"), table.c.decision_id.in_(theirs))
            .values(person_id=bindparam("after"))
        )
        for table in (reservations, offers, contracts)
    ]

    def render(execute: Execute, asked: MovePersons) -> list[Any]:
        # Nobody else writes on SQLite while this transaction is open: that is the persons' lock.
        for move in asked.moves:
            names = {"customer": move.customer_id, "before": move.before, "after": move.after}
            for query_of_table in moves:
                query_of_table(execute, names)
        return []

    return render


def _write_profiles() -> Renderer:
    write = insert_into(customers, customers.c.keys(), newer="profile_version")

    def render(execute: Execute, asked: WriteProfiles) -> list[Any]:
        columns = [_profile_columns(row) for row in asked.rows]
        write(execute, [[each.get(name) for name in write.columns] for each in columns])
        return []

    return render


def _profile_columns(row: ProfileWrite) -> dict[str, object]:
    return {
        "customer_id": row.profile.customer_id,
        "person_id": row.profile.person_id,
        "profile_version": row.profile.profile_version,
        "cpf_index": row.cpf_index,
        "profile": row.payload,
        "created_us": row.updated_us,
        "updated_us": row.updated_us,
        **readable_columns(row.profile),
    }


def _lock_profiles() -> Renderer:
    c = customers.c
    held = reading(
        select(c.customer_id, c.profile).where(c.customer_id.in_(any_of("ids"))),
        lambda s: {"ids": as_list(s.customer_ids)},
        lambda customer_id, profile: (customer_id, profile),
        needs="customer_ids",
    )

    def render(execute: Execute, asked: LockProfiles) -> list[Any]:
        # Nobody else writes before this transaction ends, so a missing row needs no place held.
        known = dict(held(execute, asked))
        return [(name, known.get(name, b"")) for name in sorted(set(asked.customer_ids))]

    return render


def _transactions() -> dict[type, Renderer]:
    t = transactions.c
    facts = [t[name] for name in FACTS]
    some = t.event_id.in_(any_of("ids"))
    month = and_(
        t.customer_id == bindparam("customer"), t.month == bindparam("number"), t.reversed == 0
    )
    return {
        ReadTransactions: reading(
            select(*facts, t.reversed).where(some), _events, _with_mark, needs="event_ids"
        ),
        ReadMonth: reading(
            select(*facts).where(month),
            lambda s: {"customer": s.customer_id, "number": s.month},
            _transaction,
        ),
        ReadApplied: reading(
            select(t.event_id, t.applied_us).where(some),
            _events,
            lambda event_id, applied_us: (event_id, applied_us),
            needs="event_ids",
        ),
        InsertTransactions: _insert_transactions(),
        MarkReversed: writing(update(transactions).where(some).values(reversed=1), _events),
    }


def _insert_transactions() -> Renderer:
    facts: dict[str, Callable[[Any], object]] = {
        RENAMED.get(field.name, field.name): attrgetter(f"row.{field.name}")
        for field in fields(Transaction)
    }
    columns = (*FACTS, "reversed", "applied_us", "payload")
    return inserting(insert_into(transactions, columns), _rows, **facts)


def _aside() -> dict[type, Renderer]:
    parked = insert_into(parked_events, (*column_names(ParkedRow), "state"), ignore=True)
    batch = insert_into(ingestion_batches, column_names(IngestionBatchRow))
    return {
        InsertParked: inserting(parked, _rows, state=lambda _: "OPEN"),
        InsertIngestionBatch: inserting(batch, lambda s: (s.row,)),
    }


def _relay() -> dict[type, Renderer]:
    o = outbox.c
    columns: list[ColumnElement[Any]] = [o[name] for name in column_names(OutboxEvent)]
    oldest = select(*columns).order_by(o.id).limit(bindparam("size"))
    return {
        ReadOutbox: reading(oldest, lambda s: {"size": s.limit}, OutboxEvent),
        DeleteOutbox: writing(
            delete(outbox).where(o.id.in_(any_of("ids"))), lambda s: {"ids": as_list(s.ids)}
        ),
    }


def _transaction(event_id: str, customer_id: str, kind: str, *rest: Any) -> Transaction:
    return Transaction(event_id, customer_id, TransactionKind(kind), *rest)


def _with_mark(*columns: Any) -> tuple[Transaction, bool]:
    return (_transaction(*columns[:-1]), bool(columns[-1]))


def _rows(asked: Any) -> Any:
    return asked.rows


def _events(asked: Any) -> dict[str, object]:
    return {"ids": as_list(asked.event_ids)}
