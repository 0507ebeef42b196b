"""The ledger of a data folder, read for verification, lane by lane, while the platform rests."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any, Final, TypeVar

import apsw

from adapters.stores.embedded.directory import TRUTH
from decision_engine.archive import StoredArtifact, StoredPolicy
from decision_engine.record.statements import BatchRow, DecisionRow
from domain.errors import NotFoundError, PermanentError

Row = TypeVar("Row", BatchRow, DecisionRow, StoredPolicy, StoredArtifact)

#: Jumps from lane to lane along the index, however many rows each has.
LANES: Final = (
    "WITH RECURSIVE found(lane) AS (SELECT min(lane) FROM {table} UNION ALL"
    " SELECT (SELECT min(lane) FROM {table} WHERE lane > found.lane) FROM found"
    " WHERE found.lane IS NOT NULL) SELECT CAST(lane AS BLOB) FROM found WHERE lane IS NOT NULL"
)
TABLES: Final = ("ledger_batches", "credit_decisions")
#: Bound as bytes: text that is no UTF-8 can be asked for too.
LANE: Final = "WHERE lane = CAST(? AS TEXT)"


def _texts(kind: type) -> tuple[str, ...]:
    return tuple(f"CAST({f.name} AS BLOB)" if f.type is str else f.name for f in fields(kind))


def _select(kind: type, table: str, rest: str) -> str:
    return f"SELECT {', '.join(_texts(kind))} FROM {table} {rest}"  # noqa: S608 - our own names


BATCHES: Final = _select(BatchRow, "ledger_batches", f"{LANE} AND sequence >= ? ORDER BY sequence")
ALL_BATCHES: Final = _select(BatchRow, "ledger_batches", f"{LANE} ORDER BY sequence")
DECISIONS: Final = _select(
    DecisionRow, "credit_decisions", f"{LANE} ORDER BY lane_seq, decision_id"
)
DECISION: Final = _select(DecisionRow, "credit_decisions", "WHERE decision_id = ?")
POLICY: Final = _select(StoredPolicy, "credit_policies", "WHERE content_hash = ? LIMIT 1")
TABLE: Final = _select(StoredArtifact, "dated_tables", "WHERE content_hash = ?")


class LedgerCopy:
    """
    A read-only look at a ledger; it sees one committed state from its first read on.

    Implements `decision_engine.record.ledger.LedgerReader`. Each method raises a PermanentError
    where the file is too damaged to be read.
    """

    def __init__(self, data: Path) -> None:
        """
        Open the ledger of a folder.

        Raises:
            NotFoundError: there is none.
        """
        path = data / TRUTH
        if not path.exists():
            raise NotFoundError("this folder holds no ledger")
        with _translated():
            self._connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
            self._connection.execute("BEGIN")

    def damages(self) -> Iterator[str]:
        """Yield the tables whose pages or indices SQLite finds damaged."""
        for table in TABLES:
            with _translated():
                text = f"PRAGMA integrity_check({table})"
                found = [row[0] for row in self._connection.execute(text)]
            if found != ["ok"]:
                yield table

    def lanes(self) -> list[str]:
        """Return every lane that has batches, or decisions without any."""
        with _translated():
            known = [
                _text(row[0])
                for table in TABLES
                for row in self._connection.execute(LANES.format(table=table))
            ]
        return list(dict.fromkeys(known))

    def totals(self) -> tuple[int, int]:
        """Return how many batches and decisions there are, in whatever lanes."""
        with _translated():
            counts = [
                row[0]
                for table in TABLES
                for row in self._connection.execute(f"SELECT count(*) FROM {table}")  # noqa: S608 - our own names
            ]
        return counts[0], counts[1]

    def batches(self, lane: str, since: int | None = None) -> Iterator[BatchRow]:
        """Yield the batches of a lane by sequence, all or from `since` on."""
        if since is None:
            return self._rows(BatchRow, ALL_BATCHES, _bytes(lane))
        return self._rows(BatchRow, BATCHES, _bytes(lane), since)

    def decisions(self, lane: str) -> Iterator[DecisionRow]:
        """Yield the decisions of a lane by (lane_seq, decision_id)."""
        return self._rows(DecisionRow, DECISIONS, _bytes(lane))

    def decision(self, decision_id: str) -> DecisionRow | None:
        """Return one decision, or None."""
        return next(self._rows(DecisionRow, DECISION, decision_id), None)

    def artifact(self, content_hash: str) -> StoredPolicy | StoredArtifact | None:
        """Return the policy, model or table that is published under a hash, or None."""
        policy = next(self._rows(StoredPolicy, POLICY, content_hash), None)
        return policy or next(self._rows(StoredArtifact, TABLE, content_hash), None)

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def _rows(self, kind: type[Row], text: str, *bindings: str | bytes | int) -> Iterator[Row]:
        texts = [f.type is str for f in fields(kind)]
        with _translated():
            for row in self._connection.execute(text, bindings):
                yield kind(*(_text(v) if t else v for v, t in zip(row, texts, strict=True)))


def _text(value: Any) -> Any:
    # Bytes that are no UTF-8 must reach the verifier as they are, not end it.
    return value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else value


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except apsw.Error as error:
        raise PermanentError(f"the ledger cannot be read ({type(error).__name__})") from error
