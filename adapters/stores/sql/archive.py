"""How the statements of the reading use cases, and of what they keep, read in SQL."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from functools import cache
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Select,
    and_,
    bindparam,
    func,
    or_,
    select,
    update,
)

from adapters.stores.sql.rendering import (
    Plan,
    Query,
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
    credit_decisions,
    credit_policies,
    customers,
    dated_tables,
    idempotency_keys,
    ledger_batches,
    reviews,
    transactions,
)
from decision_engine.archive import (
    InsertArtifact,
    InsertKey,
    InsertPolicy,
    ListDecisions,
    ListPolicies,
    ListReviews,
    ListTransactions,
    ReadArtifacts,
    ReadCustomerProfile,
    ReadDecision,
    ReadKey,
    ReadNewestInstant,
    ReadReview,
    ReadReviewsOf,
    SetPolicyParts,
    StoredArtifact,
    StoredDecision,
    StoredKey,
    StoredPolicy,
    StoredReview,
    StoredTransaction,
)

Filters = Mapping[str, ColumnElement[bool]]


def archive_renderers(words: Words) -> Mapping[type, Renderer]:
    """Return how each statement of the archive is run."""
    return {
        **_decisions(words),
        **_reviews(words),
        **_customers(words),
        **_policies(words),
        **_keys(words),
    }


def _decisions(words: Words) -> dict[type, Renderer]:
    d = credit_decisions.c
    columns = [d[name] for name in column_names(StoredDecision)]
    filters = {
        "customer_id": d.customer_id == bindparam("customer_id"),
        "outcome": d.outcome == bindparam("outcome"),
        "policy_id": d.policy_id == bindparam("policy_id"),
        **in_time(d.decided_us, d.decision_id),
    }
    return {
        ReadDecision: reading(
            words,
            select(*columns).where(d.decision_id == bindparam("id")),
            lambda s: {"id": s.decision_id},
            StoredDecision,
        ),
        ListDecisions: listing(
            words,
            select(*columns).order_by(d.decided_us.desc(), d.decision_id.desc()),
            filters,
            StoredDecision,
        ),
    }


def _reviews(words: Words) -> dict[type, Renderer]:
    r = reviews.c
    columns = [r[name] for name in column_names(StoredReview)]
    of_decision = select(*columns).where(r.decision_id == bindparam("id"))
    before = in_time(r.opened_us, r.review_id)["before_us"]
    return {
        ReadReview: reading(
            words,
            select(*columns).where(r.review_id == bindparam("id")),
            lambda s: {"id": s.review_id},
            StoredReview,
        ),
        ReadReviewsOf: reading(
            words,
            of_decision.order_by(r.opened_us, r.review_id),
            lambda s: {"id": s.decision_id},
            StoredReview,
        ),
        ListReviews: listing(
            words,
            select(*columns).order_by(r.opened_us.desc(), r.review_id.desc()),
            {"state": r.state == bindparam("state"), "before_us": before},
            StoredReview,
        ),
    }


def _customers(words: Words) -> dict[type, Renderer]:
    c, t = customers.c, transactions.c
    profile = select(c.profile).where(c.customer_id == bindparam("id"), c.profile_version > 0)
    of_customer = select(t.event_id, t.kind, t.occurred_us, t.reversed, t.payload).where(
        t.customer_id == bindparam("customer_id")
    )
    return {
        ReadCustomerProfile: reading(words, profile, lambda s: {"id": s.customer_id}),
        ListTransactions: listing(
            words,
            of_customer.order_by(t.occurred_us.desc(), t.event_id.desc()),
            in_time(t.occurred_us, t.event_id),
            _stored_transaction,
        ),
        ReadNewestInstant: reading(words, _newest_instant(), lambda _: {}),
    }


def _newest_instant() -> Select[Any]:
    newest = (
        select(func.max(credit_decisions.c.decided_us).label("us"))
        .union_all(
            # Every event that is applied touches its customer's row.
            select(func.max(customers.c.updated_us)),
            select(func.max(ledger_batches.c.written_us)),
        )
        .subquery()
    )
    return select(func.coalesce(func.max(newest.c.us), 0))


def _policies(words: Words) -> dict[type, Renderer]:
    p, a = credit_policies.c, dated_tables.c
    policies = select(*(p[name] for name in column_names(StoredPolicy)))
    artifacts = select(*(a[name] for name in column_names(StoredArtifact)))
    keep = words.insert_into(dated_tables, column_names(StoredArtifact), ignore=True)
    return {
        ListPolicies: listing(
            words,
            policies.order_by(p.policy_id, p.version.desc()),
            {"policy_id": p.policy_id == bindparam("policy_id")},
            StoredPolicy,
        ),
        InsertPolicy: _insert_policy(words),
        SetPolicyParts: writing(
            words,
            update(credit_policies)
            .where(
                credit_policies.c.policy_id == bindparam("id"),
                credit_policies.c.version == bindparam("number"),
            )
            .values(parts=bindparam("held")),
            lambda s: {"id": s.policy_id, "number": s.version, "held": s.parts},
        ),
        ReadArtifacts: reading(
            words, artifacts.order_by(a.content_hash), lambda _: {}, StoredArtifact
        ),
        InsertArtifact: inserting(keep, _only_row),
    }


def _insert_policy(words: Words) -> Renderer:
    p = credit_policies.c
    publish = inserting(words.insert_into(credit_policies, column_names(StoredPolicy)), _only_row)
    others = and_(
        p.policy_id == bindparam("id"), p.version != bindparam("number"), p.status == "active"
    )
    retire = words.query(update(credit_policies).where(others).values(status="retired"))

    def render(asked: InsertPolicy) -> Plan:
        retiring = retire({"id": asked.row.policy_id, "number": asked.row.version})
        return Plan((*publish(asked).calls, retiring), nothing)

    return render


def _keys(words: Words) -> dict[type, Renderer]:
    k = idempotency_keys.c
    named = and_(k.scope == bindparam("scope"), k.idem_key == bindparam("key"))
    one = select(*(k[name] for name in column_names(StoredKey))).where(named)
    insert = words.insert_into(idempotency_keys, column_names(StoredKey))
    return {
        ReadKey: reading(words, one, lambda s: {"scope": s.scope, "key": s.idem_key}, StoredKey),
        InsertKey: inserting(insert, _only_row),
    }


# --- lists with optional filters ---------------------------------------------------------------


def listing(
    words: Words, statement: Select[Any], filters: Filters, make: Callable[..., object]
) -> Renderer:
    """Return the renderer of a page: each set of filters in use has a text of its own."""

    @cache
    def compiled(used: frozenset[str], *, paged: bool) -> Query:
        narrowed = statement.where(*(filters[name] for name in sorted(used)))
        return words.query(narrowed.limit(bindparam("size")) if paged else narrowed)

    def result(results: Sequence[Rows]) -> Rows:
        (rows,) = results
        return [make(*row) for row in rows]

    def render(asked: Any) -> Plan:
        params = _page_params(asked)
        used = frozenset(name for name in filters if params.get(name) not in (None, ""))
        return Plan((compiled(used, paged="size" in params)(params),), result)

    return render


def _page_params(asked: Any) -> dict[str, object]:
    params = {field.name: getattr(asked, field.name) for field in fields(asked)}
    if "limit" in params:
        params["size"] = params.pop("limit")
    before = params.pop("before", None)
    if before is not None:
        params["before_us"], params["before_id"] = before
    return params


def in_time(us: ColumnElement[int], identity: ColumnElement[str]) -> Filters:
    """Return the filters on time: from (included), to (excluded), older than a page's last row."""
    last_us: BindParameter[int] = bindparam("before_us")
    last_id: BindParameter[str] = bindparam("before_id")
    return {
        "from_us": us >= bindparam("from_us"),
        "to_us": us < bindparam("to_us"),
        "before_us": and_(us <= last_us, or_(us < last_us, identity < last_id)),
    }


def _stored_transaction(
    event_id: str, kind: str, occurred_us: int, mark: int, payload: bytes
) -> StoredTransaction:
    return StoredTransaction(event_id, kind, occurred_us, bool(mark), payload)


def _only_row(asked: Any) -> tuple[object, ...]:
    return (asked.row,)
