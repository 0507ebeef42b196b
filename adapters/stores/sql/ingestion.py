"""How the statements of the ingesting transaction and of the outbox relay read in SQL."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from operator import attrgetter
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, bindparam, delete, select, update

from adapters.stores.sql.rendering import (
    Plan,
    Renderer,
    Rows,
    Words,
    column_names,
    inserting,
    nothing,
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
from domain.readable import readable_columns
from domain.transaction import Transaction, TransactionKind
from ingestion.statements import (
    EnsurePersons,
    InboxRow,
    IngestionBatchRow,
    InsertInbox,
    InsertIngestionBatch,
    InsertParked,
    InsertTransactions,
    ListIndexed,
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


def ingestion_renderers(words: Words) -> Mapping[type, Renderer]:
    """Return how each statement of ingestion and of the relay is run."""
    return {
        **_inbox(words),
        **_profiles(words),
        **_transactions(words),
        **_aside(words),
        **_relay(words),
    }


def _inbox(words: Words) -> dict[type, Renderer]:
    i = inbox.c
    columns = [i[name] for name in column_names(InboxRow)]
    by_id = reading(
        words,
        select(*columns).where(i.event_id.in_(words.any_of("ids"))),
        _events,
        InboxRow,
        needs="event_ids",
    )
    by_place = reading(
        words,
        words.matching(select(*columns), inbox, (i.stream_id, i.source_version), "pairs"),
        lambda s: {"pairs": list(s.stream_versions)},
        InboxRow,
        needs="stream_versions",
    )

    def read(asked: ReadInbox) -> Plan:
        plans = (by_id(asked), by_place(asked))

        def result(results: Sequence[Rows]) -> Rows:
            rest = iter(results)
            found = [row for plan in plans for row in plan.result([next(rest) for _ in plan.calls])]
            return list({row.event_id: row for row in found}.values())

        return Plan([call for plan in plans for call in plan.calls], result)

    return {
        ReadInbox: read,
        InsertInbox: inserting(words.insert_into(inbox, column_names(InboxRow)), _rows),
    }


def _profiles(words: Words) -> dict[type, Renderer]:
    c = customers.c
    indexed = (
        select(c.customer_id, c.profile)
        .where(c.customer_id > bindparam("after"), c.cpf_index != "")
        .order_by(c.customer_id)
        .limit(bindparam("size"))
    )
    new_person = words.insert_into(persons, ("person_id", "cpf_index"), ignore=True)
    return {
        ListIndexed: reading(
            words, indexed, lambda s: {"after": s.after, "size": s.limit}, _indexed
        ),
        LockProfiles: words.lock_profiles(),
        EnsurePersons: inserting(new_person, _rows),
        MovePersons: _move_persons(words),
        WriteProfiles: _write_profiles(words),
    }


def _indexed(customer_id: str, profile: bytes) -> tuple[str, bytes]:
    return (customer_id, profile)


def _move_persons(words: Words) -> Renderer:
    d = credit_decisions.c
    # On SQLite nobody else writes while this transaction is open: that is the persons' lock.
    lock = words.query(
        select(persons.c.person_id)
        .where(persons.c.person_id.in_(words.any_of("ids")))
        .order_by(persons.c.person_id)
        .with_for_update()
    )
    # From the customer's decisions to their rows: with `IN (SELECT ..)`, MariaDB 10.11 goes through
    # all of `offers` instead.
    moves = [
        words.query(
            update(table)
            .where(
                d.customer_id == bindparam("customer"),
                table.c.decision_id == d.decision_id,
                table.c.person_id == bindparam("before"),
            )
            .values(person_id=bindparam("after"))
        )
        for table in (reservations, offers, contracts)
    ]

    def render(asked: MovePersons) -> Plan:
        calls = [lock({"ids": list(asked.person_ids)})]
        for move in asked.moves:
            names = {"customer": move.customer_id, "before": move.before, "after": move.after}
            calls += [query_of_table(names) for query_of_table in moves]
        return Plan(calls, nothing)

    return render


def _write_profiles(words: Words) -> Renderer:
    write = words.insert_into(customers, customers.c.keys(), newer="profile_version")

    def render(asked: WriteProfiles) -> Plan:
        columns = [_profile_columns(row) for row in asked.rows]
        rows = [[each.get(name) for name in write.columns] for each in columns]
        return Plan(write(rows), nothing)

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


def _transactions(words: Words) -> dict[type, Renderer]:
    t = transactions.c
    facts = [t[name] for name in FACTS]
    some = t.event_id.in_(words.any_of("ids"))
    month = and_(
        t.customer_id == bindparam("customer"), t.month == bindparam("number"), t.reversed == 0
    )
    return {
        ReadTransactions: reading(
            words, select(*facts, t.reversed).where(some), _events, _with_mark, needs="event_ids"
        ),
        ReadMonth: reading(
            words,
            select(*facts).where(month),
            lambda s: {"customer": s.customer_id, "number": s.month},
            _transaction,
        ),
        ReadApplied: reading(
            words,
            select(t.event_id, t.applied_us).where(some),
            _events,
            lambda event_id, applied_us: (event_id, applied_us),
            needs="event_ids",
        ),
        InsertTransactions: _insert_transactions(words),
        MarkReversed: writing(words, update(transactions).where(some).values(reversed=1), _events),
    }


def _insert_transactions(words: Words) -> Renderer:
    facts: dict[str, Callable[[Any], object]] = {
        RENAMED.get(field.name, field.name): attrgetter(f"row.{field.name}")
        for field in fields(Transaction)
    }
    columns = (*FACTS, "reversed", "applied_us", "payload")
    return inserting(words.insert_into(transactions, columns), _rows, **facts)


def _aside(words: Words) -> dict[type, Renderer]:
    parked = words.insert_into(parked_events, (*column_names(ParkedRow), "state"), ignore=True)
    batch = words.insert_into(ingestion_batches, column_names(IngestionBatchRow))
    return {
        InsertParked: inserting(parked, _rows, state=lambda _: "OPEN"),
        InsertIngestionBatch: inserting(batch, lambda s: (s.row,)),
    }


def _relay(words: Words) -> dict[type, Renderer]:
    o = outbox.c
    columns: list[ColumnElement[Any]] = [o[name] for name in column_names(OutboxEvent)]
    oldest = select(*columns).order_by(o.id).limit(bindparam("size"))
    return {
        ReadOutbox: reading(words, oldest, lambda s: {"size": s.limit}, OutboxEvent),
        DeleteOutbox: writing(
            words,
            delete(outbox).where(o.id.in_(words.any_of("ids"))),
            lambda s: {"ids": list(s.ids)},
        ),
    }


def _transaction(event_id: str, customer_id: str, kind: str, *rest: Any) -> Transaction:
    return Transaction(event_id, customer_id, TransactionKind(kind), *rest)


def _with_mark(*columns: Any) -> tuple[Transaction, bool]:
    return (_transaction(*columns[:-1]), bool(columns[-1]))


def _rows(asked: Any) -> Any:
    return asked.rows


def _events(asked: Any) -> dict[str, object]:
    return {"ids": list(asked.event_ids)}
