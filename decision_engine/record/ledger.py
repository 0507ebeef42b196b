"""How a ledger is read for verification: in order, and a few rows at a time."""

from collections.abc import Iterator, Sequence
from typing import Protocol

from decision_engine.archive import StoredArtifact, StoredPolicy
from decision_engine.record.statements import BatchRow, DecisionRow


class LedgerReader(Protocol):
    """
    One committed state of a ledger; every call sees the same one.

    Rows come as they are stored, however wrong they are: a value of another type stays one, and
    bytes that are no UTF-8 come as lone surrogates. No method holds more than a few rows.
    """

    def damages(self) -> Iterator[str]:
        """Yield the tables whose file or indices the store itself finds damaged."""

    def lanes(self) -> Sequence[str]:
        """Return every lane that has batches, or decisions without any."""

    def totals(self) -> tuple[int, int]:
        """Return how many batches and decisions there are, in whatever lanes."""

    def batches(self, lane: str, since: int | None = None) -> Iterator[BatchRow]:
        """Yield the batches of a lane by sequence, all or from `since` on."""

    def decisions(self, lane: str) -> Iterator[DecisionRow]:
        """Yield the decisions of a lane by (lane_seq, decision_id)."""

    def decision(self, decision_id: str) -> DecisionRow | None:
        """Return one decision, or None."""

    def artifact(self, content_hash: str) -> StoredPolicy | StoredArtifact | None:
        """Return the policy, model or table that is published under a hash, or None."""
