"""
The projections on SQLite files: what Keyspaces and DynamoDB hold in the cloud.

`synchronous = FULL` although a projection can be rebuilt from truth: the port promises that a row
is durable once the call returns, and the checkpoint of the stream moves on that promise. With
NORMAL a power loss would take rows that nobody sends again until reconciliation finds them. The
price is paid once a commit, and callers share commits: bench/stores.py has the figures.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from json import dumps
from typing import Any, Final
from zlib import crc32

import apsw

from adapters.stores.embedded.hot_queries import INDEX_PARTS, SqliteHotQueries
from adapters.stores.embedded.opening import Layout
from adapters.stores.embedded.sqlite_file import SqliteFile
from domain.errors import AmbiguousError, TransientError
from domain.ports.storage import Applied, ProjectionRow
from domain.ports.time import Clock, Deadline

Key = tuple[str, str]

#: apsw keeps no prepared statement for a longer text.
TEXT_MAX: Final = 16_000
#: Rows that one call of `forget_expired` deletes at most.
FORGET_MAX: Final = 10_000
#: Above every character that a `data_type` can hold.
LAST: Final = "\U0010ffff"


@dataclass(frozen=True, slots=True)
class ProjectionTable:
    """
    A table by its names: the two of the key, and readable columns beside the fixed ones.

    `computed` fills columns of the table's own from a row; other columns come from
    `ProjectionRow.columns` by their name, and names that the table does not have are left out.
    """

    store: str
    table: str
    key: tuple[str, str]
    readable: Mapping[str, str]
    event_id: str = ""
    computed: Mapping[str, Callable[[ProjectionRow], object]] | None = None
    indexes: tuple[str, ...] = ()

    @property
    def layout(self) -> Layout:
        """How an empty file of this table is made."""
        return Layout(self.store, 1, (self._create(), *self.indexes))

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column, in the order in which rows are written."""
        event = (self.event_id,) if self.event_id else ()
        return (*self.key, "version", "payload", "ttl", *event, *self.readable, *self.own)

    @property
    def own(self) -> Mapping[str, Callable[[ProjectionRow], object]]:
        """The columns that the table computes."""
        return self.computed or {}

    def values_of(self, row: ProjectionRow) -> tuple[object, ...]:
        """Return a row's values in the order of `columns`."""
        event = (row.event_id,) if self.event_id else ()
        given = row.columns or {}
        return (
            row.customer_id, row.data_type, row.version, row.payload, row.expires_s, *event,
            *(given.get(name) for name in self.readable),
            *(compute(row) for compute in self.own.values()),
        )  # fmt: skip

    def row_of(self, values: Sequence[Any]) -> ProjectionRow:
        """Return the row of what was read in the order of `columns`."""
        customer_id, data_type, version, payload, expires_s, *rest = values
        event_id = rest.pop(0) if self.event_id else ""
        named = zip(self.readable, rest, strict=False)
        columns = {name: value for name, value in named if value is not None}
        return ProjectionRow(
            customer_id, data_type, version, payload, event_id, columns or None, expires_s
        )

    def _create(self) -> str:
        typed = [f"{name} {kind}" for name, kind in self.readable.items()]
        typed += [f"{name} TEXT" for name in self.own]
        if self.event_id:
            typed.append(f"{self.event_id} TEXT NOT NULL")
        first, second = self.key
        return (
            f"CREATE TABLE {self.table} ({first} TEXT NOT NULL, {second} TEXT NOT NULL,"
            f" version INTEGER NOT NULL, payload BLOB NOT NULL, ttl INTEGER, {', '.join(typed)},"
            f" PRIMARY KEY ({first}, {second})) WITHOUT ROWID"
        )


def _part_of(customer_id: str) -> str:
    return f"{crc32(customer_id.encode()) % INDEX_PARTS:02d}"


def _type_part(row: ProjectionRow) -> str:
    return f"{row.data_type.partition('#')[0]}#{_part_of(row.customer_id)}"


def _status_part(row: ProjectionRow) -> str | None:
    status = (row.columns or {}).get("status")
    return None if status is None else f"{status}#{_part_of(row.customer_id)}"


KEYSPACES: Final = ProjectionTable(
    store="keyspaces",
    table="creditdata",
    key=("customer_id", "data_type"),
    event_id="event_id",
    readable={
        "transaction_id": "TEXT",
        "amount": "INTEGER",
        "status": "TEXT",
        "credit_score": "INTEGER",
        "monthly_income": "INTEGER",
        "existing_debts": "INTEGER",
        "created_at": "INTEGER",
        "updated_at": "INTEGER",
    },
)
DYNAMODB: Final = ProjectionTable(
    store="dynamodb",
    table="credit_hot_data",
    key=("customerId", "dataType"),
    readable={"lastUpdated": "INTEGER", "status": "TEXT", "createdAt": "INTEGER"},
    computed={"gsi1pk": _type_part, "gsi2pk": _status_part},
    indexes=(
        "CREATE INDEX gsi1 ON credit_hot_data (gsi1pk, lastUpdated)",
        "CREATE INDEX gsi2 ON credit_hot_data (gsi2pk, createdAt)",
    ),
)


class SqliteProjection:
    """
    Implements `domain.ports.storage.DataStorage` on one table of an SQLite file.

    A row whose `expires_s` has come is not read any more; it still guards its key until
    `forget_expired` deletes it.
    """

    def __init__(self, file: SqliteFile, table: ProjectionTable, clock: Clock) -> None:
        self.name = table.store
        self._file = file
        self._table = table
        self._clock = clock
        self._texts = _texts(table)
        self._counts = dict.fromkeys(("reads", "queries", *Applied), 0.0)

    async def read_item(
        self, customer_id: str, data_type: str, deadline: Deadline
    ) -> ProjectionRow | None:
        """Return the row, or None."""
        self._counts["reads"] += 1
        params = (customer_id, data_type, self._now_s())
        rows = await self._file.read(partial(_rows, self._texts.one, params), deadline)
        return self._table.row_of(rows[0]) if rows else None

    async def query(
        self, customer_id: str, prefix: str, limit: int, before: str, deadline: Deadline
    ) -> Sequence[ProjectionRow]:
        """Return rows by prefix, newest first."""
        self._counts["queries"] += 1
        end = min(before or LAST, prefix + LAST)
        params = (customer_id, prefix, end, self._now_s(), limit)
        rows = await self._file.read(partial(_rows, self._texts.page, params), deadline)
        return [self._table.row_of(row) for row in rows]

    async def put_if_newer(
        self, rows: Sequence[ProjectionRow], deadline: Deadline
    ) -> Sequence[Applied]:
        """Write the rows that are newer; durable once this returns."""
        if not rows:
            return []
        try:
            results = await self._file.commit(partial(self._put, rows), deadline)
        except AmbiguousError as error:
            # Written or not, each row guards itself: putting it again is right in both cases.
            raise TransientError(str(error)) from error
        for result in results:
            self._counts[result] += 1
        return results

    def queries(self) -> SqliteHotQueries:
        """Return the lists over this file, which has to hold the table of the hot store."""
        return SqliteHotQueries(self._file, self._clock)

    async def forget_expired(self) -> int:
        """Delete some expired rows and return how many; call again while there are any."""
        return await self._file.commit(partial(self._forget, self._now_s()))

    def metrics(self) -> Mapping[str, float]:
        """Return counters since start: reads, queries, and one of each result of a write."""
        return dict(self._counts)

    def close(self) -> None:
        """Finish what waits and close the file."""
        self._file.close()

    def _now_s(self) -> int:
        return int(self._clock.now().timestamp())

    # --- on the file's writing thread ----------------------------------------------------------

    def _put(self, rows: Sequence[ProjectionRow], connection: apsw.Connection) -> list[Applied]:
        keys = dumps([row.key for row in rows], ensure_ascii=False)
        stored = {(a, b): version for a, b, version in _rows(self._texts.held, (keys,), connection)}
        results = [self._judge(row, stored.get(row.key), connection) for row in rows]
        self._upsert(rows, connection)
        return results

    def _judge(
        self, row: ProjectionRow, version: int | None, connection: apsw.Connection
    ) -> Applied:
        if version is None or row.version > version:
            return Applied.APPLIED
        if row.version < version:
            return Applied.STALE
        ((payload,),) = _rows(self._texts.payload, row.key, connection)
        return Applied.SAME if payload == row.payload else Applied.CONFLICT

    def _upsert(self, rows: Sequence[ProjectionRow], connection: apsw.Connection) -> None:
        """Send every row: the statement's own guard decides, in the same transaction as above."""
        marks = f"({','.join('?' * len(self._table.columns))})"
        step = TEXT_MAX // (len(marks) + 1)
        for begin in range(0, len(rows), step):
            part = rows[begin : begin + step]
            text = f"{self._texts.put}{','.join([marks] * len(part))}{self._texts.guard}"
            connection.execute(text, list(chain.from_iterable(map(self._table.values_of, part))))

    def _forget(self, now_s: int, connection: apsw.Connection) -> int:
        connection.execute(self._texts.forget, (now_s, FORGET_MAX))
        return connection.changes()


@dataclass(frozen=True, slots=True)
class _Texts:
    one: str
    page: str
    held: str
    payload: str
    put: str
    guard: str
    forget: str


def _texts(table: ProjectionTable) -> _Texts:
    """Return the statements of a table; only names of this file are put into them."""
    first, second = table.key
    columns, name = ", ".join(table.columns), table.table
    changed = ", ".join(f"{each} = excluded.{each}" for each in table.columns[2:])
    alive = "(ttl IS NULL OR ttl > ?)"
    select = f"SELECT {columns} FROM {name}"  # noqa: S608  as the docstring says
    return _Texts(
        one=f"{select} WHERE {first} = ? AND {second} = ? AND {alive}",
        page=f"{select} WHERE {first} = ? AND {second} >= ? AND {second} < ? AND {alive}"
        f" ORDER BY {second} DESC LIMIT ?",
        held=f"SELECT {first}, {second}, version FROM json_each(?) AS asked JOIN {name}"  # noqa: S608
        f" ON {first} = json_extract(asked.value, '$[0]')"
        f" AND {second} = json_extract(asked.value, '$[1]')",
        payload=f"SELECT payload FROM {name} WHERE {first} = ? AND {second} = ?",  # noqa: S608
        put=f"INSERT INTO {name} ({columns}) VALUES ",  # noqa: S608
        guard=f" ON CONFLICT ({first}, {second}) DO UPDATE SET {changed}"
        f" WHERE excluded.version > {name}.version",
        forget=f"DELETE FROM {name} WHERE ({first}, {second}) IN"  # noqa: S608
        f" (SELECT {first}, {second} FROM {name} WHERE ttl <= ? LIMIT ?)",
    )


def _rows(text: str, params: Sequence[Any], connection: apsw.Connection) -> list[Any]:
    return connection.execute(text, params).fetchall()
