"""The ledger of a data folder, read for verification, lane by lane, while the platform rests."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import apsw

from adapters.stores.embedded.directory import TRUTH
from decision_engine.record.statements import BatchRow, DecisionRow
from domain.errors import NotFoundError

LANES: Final = "SELECT DISTINCT lane FROM ledger_batches ORDER BY lane"
STRAYS: Final = (
    "SELECT DISTINCT lane FROM credit_decisions WHERE lane NOT IN"
    " (SELECT lane FROM ledger_batches) ORDER BY lane"
)
BATCHES: Final = (
    "SELECT lane, sequence, previous_hash, root, leaves, n, note, written_us"
    " FROM ledger_batches WHERE lane = ? ORDER BY sequence"
)
DECISIONS: Final = (
    "SELECT decision_id, client_id, idem_key, command_hash, customer_id, person_id, product,"
    " amount, term_months, outcome, policy_id, policy_version, score, band, decided_us,"
    " decision_date, duplicate_of, reviewed_decision, lane, lane_seq, salt, content_hash,"
    " evidence, reply FROM credit_decisions WHERE lane = ? ORDER BY lane_seq, decision_id"
)


class LedgerCopy:
    """A read-only look at a ledger; it sees one committed state from its first read on."""

    def __init__(self, data: Path) -> None:
        """
        Open the ledger of a folder.

        Raises:
            NotFoundError: there is none.
        """
        path = data / TRUTH
        if not path.exists():
            raise NotFoundError("this folder holds no ledger")
        self._connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
        self._connection.execute("BEGIN")

    def lanes(self) -> list[str]:
        """Return every lane that has batches, or decisions without any."""
        return [row[0] for text in (LANES, STRAYS) for row in self._rows(text)]

    def batches(self, lane: str) -> Iterator[BatchRow]:
        """Yield the batches of a lane in order."""
        return (BatchRow(*row) for row in self._rows(BATCHES, lane))

    def decisions(self, lane: str) -> dict[int, list[DecisionRow]]:
        """Return the decisions of a lane by sequence number."""
        grouped: dict[int, list[DecisionRow]] = {}
        for row in self._rows(DECISIONS, lane):
            made = DecisionRow(*row)
            grouped.setdefault(made.lane_seq, []).append(made)
        return grouped

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def _rows(self, text: str, *bindings: str) -> Iterator[tuple[Any, ...]]:
        return iter(self._connection.execute(text, bindings).fetchall())
