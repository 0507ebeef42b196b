"""Rows and programs for the suites of the store of truth; every value can be overridden."""

from dataclasses import replace
from typing import Any

from decision_engine.archive import StoredArtifact, StoredKey, StoredPolicy
from decision_engine.record.statements import (
    BatchRow,
    DecisionRow,
    OfferRow,
    OutboxRow,
    ReservationRow,
    ReviewRow,
)
from domain.customer import CreditData
from domain.ports.truth import Begin, Commit, Program, Rows, Statement
from domain.transaction import Transaction, TransactionKind
from ingestion.statements import InboxRow, ParkedRow, ProfileWrite, TransactionWrite


def committing(*statements: Statement) -> Program[list[Rows]]:
    """Run statements in one transaction and return their results."""
    _, *results, _ = yield (Begin(), *statements, Commit())
    return results


def a_decision(number: int = 1, **changes: Any) -> DecisionRow:
    row = DecisionRow(
        decision_id=f"d-{number:04d}", client_id="app", idem_key=f"k-{number}",
        command_hash="sha256:c", customer_id="c-1", person_id="c.c-1", product="personal_loan",
        amount=2_000_000, term_months=36, outcome="APPROVED", policy_id="personal-loan",
        policy_version=3, score=563, band="C", decided_us=1_000 + number,
        decision_date="2026-12-10", duplicate_of="", reviewed_decision="", lane="l-1", lane_seq=1,
        salt=b"s" * 16, content_hash=b"h" * 32, evidence=b"evidence", reply=b"reply",
    )  # fmt: skip
    return replace(row, **changes)


def a_batch(sequence: int = 1, **changes: Any) -> BatchRow:
    row = BatchRow("l-1", sequence, b"p" * 32, b"r" * 32, b"l" * 64, 2, "a note", 5_000)
    return replace(row, **changes)


def a_reservation(number: int = 1, **changes: Any) -> ReservationRow:
    row = ReservationRow(f"d-{number:04d}", "c.c-1", "OPEN", 800_000, 34_007, 9_000)
    return replace(row, **changes)


def an_offer(number: int = 1) -> OfferRow:
    return OfferRow(f"o-{number:04d}", f"d-{number:04d}", "c.c-1", 800_000, 9_000, b"terms")


def an_event(number: int = 1, **changes: Any) -> OutboxRow:
    row = OutboxRow(
        f"e-{number:04d}", "decision", f"d-{number:04d}", 1, "credit.decided", "c-1", b"{}", 7_000
    )
    return replace(row, **changes)


def a_review(number: int = 1, **changes: Any) -> ReviewRow:
    row = ReviewRow(f"r-{number:04d}", "d-0001", "c-1", "OPEN", "REFERRED", 6_000 + number)
    return replace(row, **changes)


def a_policy(version: int = 1, **changes: Any) -> StoredPolicy:
    row = StoredPolicy(
        "personal-loan", version, f"sha256:{version}", "personal_loan", "A title", "active",
        b"{}", b'{"iof":"sha256:i"}', 100 * version,
    )  # fmt: skip
    return replace(row, **changes)


def an_artifact(content_hash: str = "sha256:a", **changes: Any) -> StoredArtifact:
    return replace(StoredArtifact(content_hash, "model", "scorecard", b"{}", 100), **changes)


def a_key(**changes: Any) -> StoredKey:
    return replace(StoredKey("app POST /v1/x", "k-1", "sha256:c", 202, b"reply", 100), **changes)


def an_inbox_row(number: int = 1, **changes: Any) -> InboxRow:
    row = InboxRow(f"e-{number:04d}", "card/c-1/1", number, b"b" * 32, "c-1")
    return replace(row, **changes)


def a_fact(number: int = 1, **changes: Any) -> Transaction:
    row = Transaction(
        event_id=f"e-{number:04d}", customer_id="c-1", kind=TransactionKind.PURCHASE,
        source="card", incarnation=1, source_version=number, occurred_us=10_000 + number,
        month=24_323, amount=1_000, limit=50_000, late=0, reverses="",
    )  # fmt: skip
    return replace(row, **changes)


def a_transaction(number: int = 1, *, reverse: bool = False, **changes: Any) -> TransactionWrite:
    fact = a_fact(number, **changes)
    return TransactionWrite(fact, reverse, 20_000 + number, f"public {number}".encode())


def a_profile(version: int = 1, payload: bytes = b"", **changes: Any) -> ProfileWrite:
    names = {"customer_id": "c-1", "person_id": "c.c-1", **changes}
    profile = CreditData(profile_version=version, **names)
    return ProfileWrite(profile, payload or f"profile {version}".encode(), "", 30_000 + version)


def a_parked(**changes: Any) -> ParkedRow:
    return replace(ParkedRow("s/1", "c-1", "schema", "a detail", b"sealed", 40_000), **changes)
