"""How the statements of a ledger batch read in SQL."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, Final

from sqlalchemy import and_, bindparam, func, or_, select, update

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
)
from adapters.stores.sql.schema import (
    contracts,
    credit_decisions,
    customers,
    ledger_batches,
    offers,
    outbox,
    persons,
    reservations,
    reviews,
)
from decision_engine.record.statements import (
    BatchRow,
    CloseReview,
    CustomerRow,
    DecisionRow,
    ExposureRow,
    InsertBatch,
    InsertDecisions,
    InsertOffers,
    InsertOutbox,
    InsertReservations,
    InsertReviews,
    LockPersons,
    OfferRow,
    OutboxRow,
    ReadBatch,
    ReadContracts,
    ReadCustomers,
    ReadKeys,
    ReadLaneHeads,
    ReadOpenReviews,
    ReadPersons,
    ReadProfiles,
    ReadRecent,
    ReadReservations,
    RecentRow,
    ReplyRow,
    ReservationRow,
    ReviewRow,
)

OPEN_CONTRACTS: Final = ("PENDING", "ACTIVE", "STUCK")


def ledger_renderers() -> Mapping[type, Renderer]:
    """Return how each statement of the ledger is run."""
    return {
        **_person_reads(),
        **_exposure_reads(),
        **_decision_reads(),
        **_batch_reads(),
        **_inserts(),
        **_reviews(),
    }


def _person_reads() -> dict[type, Renderer]:
    of_persons = select(persons.c.person_id).where(persons.c.person_id.in_(any_of("ids")))
    c = customers.c
    of_customers = select(c.customer_id, c.person_id, c.profile_version)
    profiles = select(c.customer_id, c.profile).where(c.customer_id.in_(any_of("ids")))
    return {
        # The one writing thread is the lock: whoever runs holds every person.
        LockPersons: reading(
            of_persons.order_by(persons.c.person_id), _persons, needs="person_ids"
        ),
        ReadPersons: reading(of_persons, _persons, needs="person_ids"),
        ReadCustomers: reading(
            of_customers.where(c.customer_id.in_(any_of("ids"))),
            _customers,
            CustomerRow,
            needs="customer_ids",
        ),
        ReadProfiles: reading(profiles, _customers, _pair, needs="customer_ids"),
    }


def _exposure_reads() -> dict[type, Renderer]:
    r, c = reservations.c, contracts.c
    reserved = select(r.person_id, r.decision_id, r.principal, r.instalment).where(
        r.person_id.in_(any_of("ids")), r.state == "OPEN", r.expires_us > bindparam("alive_at")
    )
    contracted = select(c.person_id, c.contract_id, c.outstanding, c.instalment).where(
        c.person_id.in_(any_of("ids")), or_(*(c.state == state for state in OPEN_CONTRACTS))
    )
    return {
        ReadReservations: reading(
            reserved,
            lambda s: {"ids": as_list(s.person_ids), "alive_at": s.alive_at_us},
            ExposureRow,
            needs="person_ids",
        ),
        ReadContracts: reading(contracted, _persons, ExposureRow, needs="person_ids"),
    }


def _decision_reads() -> dict[type, Renderer]:
    d = credit_decisions.c
    asked, client, key = pairs_of("keys")
    known = (
        select(d.client_id, d.idem_key, d.command_hash, d.decision_id, d.reply)
        .select_from(asked)
        .join(credit_decisions, and_(d.client_id == client, d.idem_key == key))
    )
    recent = (
        select(d.person_id, d.product, d.amount, d.decided_us, d.decision_id)
        .where(d.person_id.in_(any_of("ids")), d.decided_us > bindparam("since"))
        .order_by(d.decided_us, d.decision_id)
    )
    return {
        ReadKeys: reading(known, lambda s: {"keys": as_list(s.keys)}, ReplyRow, needs="keys"),
        ReadRecent: reading(
            recent,
            lambda s: {"ids": as_list(s.person_ids), "since": s.since_us},
            RecentRow,
            needs="person_ids",
        ),
    }


def _batch_reads() -> dict[type, Renderer]:
    b = ledger_batches.c
    columns = [b[field.name] for field in fields(BatchRow)]
    last = select(b.lane, func.max(b.sequence).label("sequence")).group_by(b.lane).subquery()
    heads = select(*columns).join(last, and_(b.lane == last.c.lane, b.sequence == last.c.sequence))
    one = select(*columns).where(b.lane == bindparam("lane"), b.sequence == bindparam("number"))
    return {
        ReadBatch: reading(one, lambda s: {"lane": s.lane, "number": s.sequence}, BatchRow),
        ReadLaneHeads: reading(heads.order_by(b.lane), lambda _: {}, BatchRow),
    }


def _inserts() -> dict[type, Renderer]:
    batch = insert_into(ledger_batches, column_names(BatchRow))
    return {
        InsertBatch: inserting(batch, lambda s: (s.row,)),
        InsertDecisions: inserting(insert_into(credit_decisions, column_names(DecisionRow)), _rows),
        InsertReservations: inserting(
            insert_into(reservations, column_names(ReservationRow)), _rows
        ),
        InsertOffers: inserting(insert_into(offers, column_names(OfferRow)), _rows),
        InsertOutbox: inserting(insert_into(outbox, column_names(OutboxRow)), _rows),
    }


def _reviews() -> dict[type, Renderer]:
    r = reviews.c
    opening = ("closed_by", "reviewer", "note", "closed_us")
    insert = insert_into(reviews, (*column_names(ReviewRow), *opening))
    # Hidden from the planner, which would walk every open review instead of the few asked for.
    state = func.coalesce(r.state, "")
    is_open = select(r.review_id).where(r.review_id.in_(any_of("ids")), state == "OPEN")
    return {
        InsertReviews: inserting(
            insert,
            _rows,
            closed_by=lambda _: "",
            reviewer=lambda _: "",
            note=lambda _: "",
            closed_us=lambda _: 0,
        ),
        ReadOpenReviews: reading(
            is_open, lambda s: {"ids": as_list(s.review_ids)}, needs="review_ids"
        ),
        CloseReview: _close_review(),
    }


def _close_review() -> Renderer:
    r = reviews.c
    named = and_(r.review_id == bindparam("id"), r.state == "OPEN")
    is_open = query(select(r.review_id).where(named))
    names = ("closed_by", "reviewer", "note", "closed_us")
    values: dict[str, Any] = {name: bindparam(f"new_{name}") for name in names}
    close = query(update(reviews).where(named).values(state="CLOSED", **values))

    def render(execute: Execute, asked: CloseReview) -> list[Any]:
        found = is_open(execute, {"id": asked.review_id})
        new = {f"new_{name}": getattr(asked, name) for name in names}
        close(execute, {"id": asked.review_id, **new})
        return [row[0] for row in found]

    return render


def _rows(asked: Any) -> Any:
    return asked.rows


def _persons(asked: Any) -> dict[str, object]:
    return {"ids": as_list(asked.person_ids)}


def _customers(asked: Any) -> dict[str, object]:
    return {"ids": as_list(asked.customer_ids)}


def _pair(first: object, second: object) -> tuple[object, object]:
    return (first, second)
