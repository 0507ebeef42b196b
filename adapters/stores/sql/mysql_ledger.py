"""The ledger of a database on a server, read for verification while the platform goes on."""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import fields
from typing import Any, Final, TypeVar

from adapters.mysql_address import MysqlAddress
from adapters.stores.sql.mysql_causes import FAILURES, cause_of
from adapters.stores.sql.mysql_limits import CONNECT_SECONDS
from adapters.stores.sql.mysql_literals import literal
from adapters.stores.sql.pymysql_truth import connected
from decision_engine.archive import StoredArtifact, StoredPolicy
from decision_engine.record.statements import BatchRow, DecisionRow

Row = TypeVar("Row", BatchRow, DecisionRow, StoredPolicy, StoredArtifact)

SETTING: Final = "MYSQL_URL"
#: Rows in memory at once, for each of the two that are walked beside one another.
PAGE: Final = 128
#: One page, or one count of all rows.
SECONDS: Final = 600.0
#: A server reads a whole table to say whether it is damaged.
CHECK_SECONDS: Final = 24 * 3600.0
SETUP: Final = (
    "SET NAMES utf8mb4 COLLATE utf8mb4_bin",
    "SET SESSION time_zone = '+00:00'",
    "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ",
    "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY",
)
TABLES: Final = ("ledger_batches", "credit_decisions")
#: Compared by bytes: the server takes 'lane' and 'lane ' for the same.
LANES: Final = "SELECT DISTINCT CAST(lane AS BINARY) FROM {table}"
LANE: Final = "lane = {lane} AND CAST(lane AS BINARY) = {bytes}"
WELL: Final = "OK"


def _texts(kind: type) -> str:
    # As bytes: what is no text of this character set must reach the verifier as it is.
    names = (f"CAST({f.name} AS BINARY)" if f.type is str else f.name for f in fields(kind))
    return ", ".join(names)


class MysqlLedger:
    """
    A read-only look at a ledger; it sees the one committed state of the moment it was opened.

    Implements `decision_engine.record.ledger.LedgerReader`, by pages: a lane's batches and its
    decisions are walked beside one another on one connection, which the snapshot belongs to.
    Every method raises a `TransientError` when the server is away, and a `RefusedError` when it
    refuses.
    """

    def __init__(self, url: str, setting: str = SETTING, page: int = PAGE) -> None:
        """
        Connect, and take the snapshot.

        Raises:
            PermanentError: the address is none.
            RefusedError, TransientError: as above.
        """
        self._address, self._setting = MysqlAddress.parse(url, setting), setting
        self._page = page
        with self._translated():
            self._connection = connected(self._address, CONNECT_SECONDS)
        for statement in SETUP:
            self._ask(statement)

    def damages(self) -> Iterator[str]:
        """Yield the tables that the server finds damaged, in pages or in indices."""
        # On a connection of its own: the statement would end the snapshot.
        with self._translated(), closing(connected(self._address, CONNECT_SECONDS)) as beside:
            found = []
            for table in TABLES:
                beside.give(CHECK_SECONDS)
                with beside.cursor() as cursor:
                    cursor.execute(f"CHECK TABLE {table}")
                    found.append((table, [row[-1] for row in cursor.fetchall()]))
        yield from (table for table, said in found if said[-1:] != [WELL])

    def lanes(self) -> list[str]:
        """Return every lane that has batches, or decisions without any."""
        known = [row[0] for table in TABLES for row in self._ask(LANES.format(table=table))]
        return [_text(lane) for lane in dict.fromkeys(sorted(known))]

    def totals(self) -> tuple[int, int]:
        """Return how many batches and decisions there are, in whatever lanes."""
        batches, decisions = (
            self._ask(f"SELECT COUNT(*) FROM {table}")[0][0]  # noqa: S608 - our own names
            for table in TABLES
        )
        return batches, decisions

    def batches(self, lane: str, since: int | None = None) -> Iterator[BatchRow]:
        """Yield the batches of a lane by sequence, all or from `since` on."""
        where = _in_lane(lane)
        if since is not None:
            where += f" AND sequence >= {since:d}"
        rest = "ORDER BY sequence"
        rows = self._rows(BatchRow, "ledger_batches", where, rest)
        while rows:
            yield from rows
            after = f"{_in_lane(lane)} AND sequence > {rows[-1].sequence:d}"
            rows = self._rows(BatchRow, "ledger_batches", after, rest)

    def decisions(self, lane: str) -> Iterator[DecisionRow]:
        """Yield the decisions of a lane by (lane_seq, decision_id)."""
        rest = "ORDER BY lane_seq, decision_id"
        rows = self._rows(DecisionRow, "credit_decisions", _in_lane(lane), rest)
        while rows:
            yield from rows
            place, name = rows[-1].lane_seq, _quoted(rows[-1].decision_id)
            after = (
                f"{_in_lane(lane)} AND lane_seq >= {place:d}"
                f" AND (lane_seq > {place:d} OR decision_id > {name})"
            )
            rows = self._rows(DecisionRow, "credit_decisions", after, rest)

    def decision(self, decision_id: str) -> DecisionRow | None:
        """Return one decision, or None."""
        where = f"decision_id = {_quoted(decision_id)}"
        return next(iter(self._rows(DecisionRow, "credit_decisions", where)), None)

    def artifact(self, content_hash: str) -> StoredPolicy | StoredArtifact | None:
        """Return the policy, model or table that is published under a hash, or None."""
        where = f"content_hash = {_quoted(content_hash)}"
        policy = next(iter(self._rows(StoredPolicy, "credit_policies", where)), None)
        return policy or next(iter(self._rows(StoredArtifact, "dated_tables", where)), None)

    def close(self) -> None:
        """Let go of the snapshot and the connection."""
        self._connection._force_close()  # type: ignore[attr-defined]  # noqa: SLF001

    def _rows(self, kind: type[Row], table: str, where: str, rest: str = "") -> Sequence[Row]:
        texts = [f.type is str for f in fields(kind)]
        found = self._ask(
            f"SELECT {_texts(kind)} FROM {table} WHERE {where} {rest} LIMIT {self._page}"  # noqa: S608 - literals
        )
        return [
            kind(*(_text(v) if t else v for v, t in zip(row, texts, strict=True))) for row in found
        ]

    def _ask(self, text: str) -> Sequence[tuple[Any, ...]]:
        with self._translated():
            self._connection.give(SECONDS)
            with self._connection.cursor() as cursor:
                cursor.execute(text)
                return list(cursor.fetchall())

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except FAILURES as error:
            raise cause_of(error, self._address, self._setting).raised() from None


def _in_lane(lane: str) -> str:
    return LANE.format(lane=_quoted(lane), bytes=literal(_bytes(lane)))


def _quoted(text: str) -> str:
    """Return a text as a literal; what is no text equals nothing in a column of text."""
    try:
        return literal(text)
    except UnicodeEncodeError:
        return literal(_bytes(text))


def _text(value: Any) -> Any:
    return value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else value


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
