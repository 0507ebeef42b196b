"""How the statements of the loss window, and of the audit log, read in SQL."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import and_, bindparam, distinct, func, select, update

from adapters.stores.sql.archive import in_time, listing
from adapters.stores.sql.rendering import (
    Plan,
    Renderer,
    Rows,
    Words,
    column_names,
    first_columns,
    inserting,
    reading,
)
from adapters.stores.sql.schema import (
    audit_log,
    credit_decisions,
    customers,
    loss_windows,
    reviews,
)
from decision_engine.loss_statements import (
    CAUSE,
    AuditRow,
    CountWaiting,
    CountWindows,
    InsertAudit,
    InsertWindow,
    ListWindows,
    ReadCustomersOf,
    ReadOpenWindows,
    ReadWindow,
    ReleaseWindow,
    StoredWindow,
)
from decision_engine.record.loss import ReadLoss, loss_row


def loss_renderers(words: Words) -> Mapping[type, Renderer]:
    """Return how each statement of the loss window is run."""
    return {**_windows(words), **_persons(words), **_writes(words), ReadLoss: _read_loss(words)}


def _read_loss(words: Words) -> Renderer:
    w, d = loss_windows.c, credit_decisions.c
    # The table has a row for each disaster that ever was: it needs no index.
    is_open = words.query(select(w.window_id).where(w.released_us == 0))
    here = words.query(select(d.decision_id).where(d.decision_id.in_(words.any_of("ids"))))

    def result(results: Sequence[Rows]) -> Rows:
        windows, *present = ([row[0] for row in rows] for rows in results)
        return loss_row(windows, present[0] if present else [])

    def render(asked: ReadLoss) -> Plan:
        calls = [is_open({})]
        if asked.decision_ids:
            calls.append(here({"ids": list(asked.decision_ids)}))
        return Plan(calls, result)

    return render


def _windows(words: Words) -> dict[type, Renderer]:
    w = loss_windows.c
    every = select(*(w[name] for name in column_names(StoredWindow)))
    return {
        ReadOpenWindows: reading(
            words,
            every.where(w.released_us == 0).order_by(w.window_id),
            lambda _: {},
            StoredWindow,
        ),
        ReadWindow: reading(
            words,
            every.where(w.window_id == bindparam("id")),
            lambda s: {"id": s.window_id},
            StoredWindow,
        ),
        ListWindows: listing(
            words,
            every.order_by(w.opened_us.desc(), w.window_id.desc()),
            {"before_us": in_time(w.opened_us, w.window_id)["before_us"]},
            StoredWindow,
        ),
        CountWindows: reading(words, select(func.count(w.window_id)), lambda _: {}),
    }


def _persons(words: Words) -> dict[type, Renderer]:
    r, d, c = reviews.c, credit_decisions.c, customers.c
    waiting = (
        select(func.count(distinct(d.person_id)))
        .select_from(reviews)
        .join(credit_decisions, d.decision_id == r.decision_id)
        .where(r.state == "OPEN", r.opened_us >= bindparam("since"), r.cause == CAUSE)
    )
    of_person = (
        select(c.customer_id)
        .where(c.person_id == bindparam("person"))
        .order_by(c.customer_id)
        .limit(bindparam("size"))
    )
    return {
        CountWaiting: reading(words, waiting, lambda s: {"since": s.since_us}),
        ReadCustomersOf: reading(
            words, of_person, lambda s: {"person": s.person_id, "size": s.limit}
        ),
    }


def _writes(words: Words) -> dict[type, Renderer]:
    return {
        InsertWindow: inserting(
            words.insert_into(loss_windows, column_names(StoredWindow)), lambda s: (s.row,)
        ),
        InsertAudit: inserting(
            words.insert_into(audit_log, column_names(AuditRow)), lambda s: (s.row,)
        ),
        ReleaseWindow: _release(words),
    }


def _release(words: Words) -> Renderer:
    w = loss_windows.c
    named = and_(w.window_id == bindparam("id"), w.released_us == 0)
    is_open = words.query(select(w.window_id).where(named).with_for_update())
    names = ("released_us", "released_by", "note")
    new: dict[str, Any] = {name: bindparam(f"new_{name}") for name in names}
    release = words.query(update(loss_windows).where(named).values(new))

    def render(asked: ReleaseWindow) -> Plan:
        named = {"id": asked.window_id}
        values = {f"new_{name}": getattr(asked, name) for name in names}
        return Plan((is_open(named), release({**named, **values})), first_columns)

    return render
