"""How the statements of a ledger batch read in SQL."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, Final

from sqlalchemy import and_, bindparam, func, or_, select, update

from adapters.stores.sql.rendering import (
    Plan,
    Renderer,
    Words,
    column_names,
    first_columns,
    inserting,
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


def ledger_renderers(words: Words) -> Mapping[type, Renderer]:
    """Return how each statement of the ledger is run."""
    return {
        **_person_reads(words),
        **_exposure_reads(words),
        **_decision_reads(words),
        **_batch_reads(words),
        **_inserts(words),
        **_reviews(words),
    }


def _person_reads(words: Words) -> dict[type, Renderer]:
    of_persons = select(persons.c.person_id).where(persons.c.person_id.in_(words.any_of("ids")))
    c = customers.c
    of_customers = select(c.customer_id, c.person_id, c.profile_version)
    profiles = select(c.customer_id, c.profile).where(c.customer_id.in_(words.any_of("ids")))
    return {
        # SQLite passes over `with_for_update`: there the one writing thread holds every person.
        LockPersons: reading(
            words,
            of_persons.order_by(persons.c.person_id).with_for_update(skip_locked=True),
            _persons,
            needs="person_ids",
        ),
        ReadPersons: reading(words, of_persons, _persons, needs="person_ids"),
        ReadCustomers: reading(
            words,
            of_customers.where(c.customer_id.in_(words.any_of("ids")), c.profile_version > 0),
            _customers,
            CustomerRow,
            needs="customer_ids",
        ),
        ReadProfiles: reading(words, profiles, _customers, _pair, needs="customer_ids"),
    }


def _exposure_reads(words: Words) -> dict[type, Renderer]:
    r, c = reservations.c, contracts.c
    reserved = select(r.person_id, r.decision_id, r.principal, r.instalment).where(
        r.person_id.in_(words.any_of("ids")),
        r.state == "OPEN",
        r.expires_us > bindparam("alive_at"),
    )
    contracted = select(c.person_id, c.contract_id, c.outstanding, c.instalment).where(
        c.person_id.in_(words.any_of("ids")), or_(*(c.state == state for state in OPEN_CONTRACTS))
    )
    return {
        ReadReservations: reading(
            words,
            reserved,
            lambda s: {"ids": list(s.person_ids), "alive_at": s.alive_at_us},
            ExposureRow,
            needs="person_ids",
        ),
        ReadContracts: reading(words, contracted, _persons, ExposureRow, needs="person_ids"),
    }


def _decision_reads(words: Words) -> dict[type, Renderer]:
    d = credit_decisions.c
    known = words.matching(
        select(d.client_id, d.idem_key, d.command_hash, d.decision_id, d.reply),
        credit_decisions,
        (d.client_id, d.idem_key),
        "keys",
    )
    recent = (
        select(d.person_id, d.product, d.amount, d.decided_us, d.decision_id)
        .where(d.person_id.in_(words.any_of("ids")), d.decided_us > bindparam("since"))
        .order_by(d.decided_us, d.decision_id)
    )
    return {
        ReadKeys: reading(words, known, lambda s: {"keys": list(s.keys)}, ReplyRow, needs="keys"),
        ReadRecent: reading(
            words,
            recent,
            lambda s: {"ids": list(s.person_ids), "since": s.since_us},
            RecentRow,
            needs="person_ids",
        ),
    }


def _batch_reads(words: Words) -> dict[type, Renderer]:
    b = ledger_batches.c
    columns = [b[field.name] for field in fields(BatchRow)]
    heads = words.last_batches(columns)
    one = select(*columns).where(b.lane == bindparam("lane"), b.sequence == bindparam("number"))
    return {
        ReadBatch: reading(words, one, lambda s: {"lane": s.lane, "number": s.sequence}, BatchRow),
        ReadLaneHeads: reading(words, heads.order_by(b.lane), lambda _: {}, BatchRow),
    }


def _inserts(words: Words) -> dict[type, Renderer]:
    batch = words.insert_into(ledger_batches, column_names(BatchRow))
    return {
        InsertBatch: inserting(batch, lambda s: (s.row,)),
        InsertDecisions: inserting(
            words.insert_into(credit_decisions, column_names(DecisionRow)), _rows
        ),
        InsertReservations: inserting(
            words.insert_into(reservations, column_names(ReservationRow)), _rows
        ),
        InsertOffers: inserting(words.insert_into(offers, column_names(OfferRow)), _rows),
        InsertOutbox: inserting(words.insert_into(outbox, column_names(OutboxRow)), _rows),
    }


def _reviews(words: Words) -> dict[type, Renderer]:
    r = reviews.c
    opening = ("closed_by", "reviewer", "note", "closed_us")
    insert = words.insert_into(reviews, (*column_names(ReviewRow), *opening))
    # Hidden from the planner, which would walk every open review instead of the few asked for.
    state = func.coalesce(r.state, "")
    is_open = (
        select(r.review_id)
        .where(r.review_id.in_(words.any_of("ids")), state == "OPEN")
        .with_for_update()
    )
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
            words, is_open, lambda s: {"ids": list(s.review_ids)}, needs="review_ids"
        ),
        CloseReview: _close_review(words),
    }


def _close_review(words: Words) -> Renderer:
    r = reviews.c
    named = and_(r.review_id == bindparam("id"), r.state == "OPEN")
    is_open = words.query(select(r.review_id).where(named).with_for_update())
    names = ("closed_by", "reviewer", "note", "closed_us")
    values: dict[str, Any] = {name: bindparam(f"new_{name}") for name in names}
    close = words.query(update(reviews).where(named).values(state="CLOSED", **values))

    def render(asked: CloseReview) -> Plan:
        new = {f"new_{name}": getattr(asked, name) for name in names}
        named = {"id": asked.review_id}
        return Plan((is_open(named), close({**named, **new})), first_columns)

    return render


def _rows(asked: Any) -> Any:
    return asked.rows


def _persons(asked: Any) -> dict[str, object]:
    return {"ids": list(asked.person_ids)}


def _customers(asked: Any) -> dict[str, object]:
    return {"ids": list(asked.customer_ids)}


def _pair(first: object, second: object) -> tuple[object, object]:
    return (first, second)
