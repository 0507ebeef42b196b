"""What reading use cases ask of the store of truth, on every adapter."""

from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest

from decision_engine.archive import (
    InsertArtifact,
    InsertKey,
    InsertPolicy,
    Keyset,
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
    StoredTransaction,
)
from decision_engine.record.statements import (
    DecisionRow,
    InsertBatch,
    InsertDecisions,
    InsertReviews,
)
from domain.ports.truth import DuplicateKeyError, Rows
from ingestion.statements import InsertTransactions, WriteProfiles
from tests.contracts.rows import (
    a_batch,
    a_decision,
    a_key,
    a_policy,
    a_profile,
    a_review,
    a_transaction,
    an_artifact,
)
from tests.contracts.truth_adapters import ARCHIVES, Store

#: Two decisions an instant, so that the id has to break the tie.
DECISIONS = tuple(
    a_decision(
        number,
        decided_us=100 + number // 2,
        customer_id=f"c-{number % 2}",
        outcome="APPROVED" if number % 3 else "DECLINED",
        policy_id=f"p-{number % 2}",
    )
    for number in range(12)
)


@pytest.fixture(params=sorted(ARCHIVES))
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """Each store of truth that reading use cases run on, open and empty."""
    with ARCHIVES[request.param](tmp_path) as opened:
        yield Store(opened)


def newest_first(rows: list[DecisionRow]) -> list[str]:
    ordered = sorted(rows, key=lambda row: (row.decided_us, row.decision_id), reverse=True)
    return [row.decision_id for row in ordered]


LISTS = [
    ListDecisions(50, None, *filters)
    for filters in product(("", "c-1"), ("", "DECLINED"), ("", "p-1"), (None, 102), (None, 104))
]


@pytest.mark.parametrize("asked", LISTS)
def test_a_list_of_decisions_keeps_every_filter(store: Store, asked: ListDecisions) -> None:
    store.commit(InsertDecisions(DECISIONS))
    wanted = [
        row
        for row in DECISIONS
        if asked.customer_id in ("", row.customer_id)
        and asked.outcome in ("", row.outcome)
        and asked.policy_id in ("", row.policy_id)
        and (asked.from_us is None or row.decided_us >= asked.from_us)
        and (asked.to_us is None or row.decided_us < asked.to_us)
    ]

    assert [row.decision_id for row in store.read(asked)] == newest_first(wanted)


@pytest.mark.parametrize("size", [1, 5, 12, 13])
def test_pages_of_decisions_meet_without_gap_or_repeat(store: Store, size: int) -> None:
    store.commit(InsertDecisions(DECISIONS))
    seen: list[str] = []
    before: Keyset = None

    while rows := store.read(ListDecisions(size, before)):
        seen += [row.decision_id for row in rows]
        before = (rows[-1].decided_us, rows[-1].decision_id)

    assert seen == newest_first(list(DECISIONS))


def test_a_decision_is_read_whole(store: Store) -> None:
    store.commit(InsertDecisions((a_decision(),)))

    (row,) = store.read(ReadDecision("d-0001"))

    assert (row.client_id, row.score, row.evidence, row.reply) == (
        "app",
        563,
        b"evidence",
        b"reply",
    )
    assert (row.salt, row.content_hash) == (b"s" * 16, b"h" * 32)
    assert store.read(ReadDecision("d-9")) == []


def test_reviews_are_found_by_id_decision_and_state(store: Store) -> None:
    rows = (a_review(1), a_review(2, state="CLOSED"), a_review(3, decision_id="d-2"))
    store.commit(InsertReviews(rows))

    def ids(found: Rows) -> list[str]:
        return [row.review_id for row in found]

    assert ids(store.read(ReadReview("r-0002"))) == ["r-0002"]
    assert ids(store.read(ReadReviewsOf("d-0001"))) == ["r-0001", "r-0002"]
    assert ids(store.read(ListReviews(9))) == ["r-0003", "r-0002", "r-0001"]
    assert ids(store.read(ListReviews(9, state="OPEN"))) == ["r-0003", "r-0001"]
    assert ids(store.read(ListReviews(1, (6_003, "r-0003")))) == ["r-0002"]


def test_a_kept_reply_is_kept_once(store: Store) -> None:
    store.commit(InsertKey(a_key()))

    with pytest.raises(DuplicateKeyError):
        store.commit(InsertKey(a_key(status=500)))
    assert store.read(ReadKey("app POST /v1/x", "k-1")) == [a_key()]
    assert store.read(ReadKey("web POST /v1/x", "k-1")) == []


def test_transactions_of_a_customer_are_listed_newest_first(store: Store) -> None:
    store.commit(
        InsertTransactions((
            *(a_transaction(number) for number in (1, 3, 2)),
            a_transaction(4, customer_id="c-2"),
            a_transaction(5, reverse=True),
        ))
    )  # fmt: skip

    everything = store.read(ListTransactions("c-1", 9))
    page = store.read(ListTransactions("c-1", 1, before=(10_003, "e-0003")))
    window = store.read(ListTransactions("c-1", 9, from_us=10_002, to_us=10_005))

    assert [row.event_id for row in everything] == ["e-0005", "e-0003", "e-0002", "e-0001"]
    assert everything[0] == StoredTransaction("e-0005", "purchase", 10_005, True, b"public 5")  # noqa: FBT003
    assert [row.event_id for row in page] == ["e-0002"]
    assert [row.event_id for row in window] == ["e-0003", "e-0002"]


def test_an_unknown_customer_has_no_profile(store: Store) -> None:
    assert store.read(ReadCustomerProfile("c-1")) == []


def test_publishing_a_policy_retires_the_one_before(store: Store) -> None:
    store.commit(InsertPolicy(a_policy(1)), InsertPolicy(a_policy(1, policy_id="a-card")))
    store.commit(InsertPolicy(a_policy(2)))

    rows = store.read(ListPolicies())

    assert [(row.policy_id, row.version, row.status) for row in rows] == [
        ("a-card", 1, "active"),
        ("personal-loan", 2, "active"),
        ("personal-loan", 1, "retired"),
    ]
    assert store.read(ListPolicies("personal-loan"))[0] == a_policy(2)


def test_a_policy_version_is_published_once(store: Store) -> None:
    store.commit(InsertPolicy(a_policy(1)))

    with pytest.raises(DuplicateKeyError):
        store.commit(InsertPolicy(a_policy(1, title="another")))
    assert store.read(ListPolicies()) == [a_policy(1)]


def test_the_same_artifact_again_changes_nothing(store: Store) -> None:
    store.commit(InsertArtifact(an_artifact()), InsertArtifact(an_artifact("sha256:b")))
    store.commit(InsertArtifact(an_artifact(name="renamed")))

    assert store.read(ReadArtifacts()) == [an_artifact(), an_artifact("sha256:b")]


def test_the_newest_instant_covers_decisions_events_and_batches(store: Store) -> None:
    assert store.read(ReadNewestInstant()) == [0]

    store.commit(InsertDecisions((a_decision(decided_us=10),)))
    assert store.read(ReadNewestInstant()) == [10]

    store.commit(InsertBatch(a_batch(written_us=20)))
    assert store.read(ReadNewestInstant()) == [20]

    store.commit(WriteProfiles((a_profile(1),)))
    assert store.read(ReadNewestInstant()) == [30_001]


def test_a_published_version_may_decide_with_other_tables(store: Store) -> None:
    store.commit(InsertPolicy(a_policy(1)), InsertPolicy(a_policy(2)))

    store.commit(SetPolicyParts("personal-loan", 2, b"other"))

    rows = store.read(ListPolicies("personal-loan"))
    assert [(row.version, row.parts) for row in rows] == [(2, b"other"), (1, a_policy(1).parts)]
