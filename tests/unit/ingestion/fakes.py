"""Small stores that keep the ports' promises in memory, and fail where a test says."""

import base64
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from domain.errors import GoneError, PermanentError
from domain.identifiers import uuid7
from domain.ports.storage import Applied, ProjectionRow
from domain.ports.time import Deadline
from domain.ports.truth import (
    Begin,
    Commit,
    DuplicateKeyError,
    Program,
    Rollback,
    Rows,
    Statement,
    TruthError,
)
from ingestion.statements import (
    EnsurePersons,
    InboxRow,
    IngestionBatchRow,
    InsertInbox,
    InsertIngestionBatch,
    InsertParked,
    InsertTransactions,
    LockProfiles,
    MarkReversed,
    MovePersons,
    ParkedRow,
    PersonMove,
    ProfileWrite,
    ReadApplied,
    ReadInbox,
    ReadMonth,
    ReadTransactions,
    TransactionWrite,
    WriteProfiles,
)

T = TypeVar("T")
NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
FAR = Deadline(1e9)


@dataclass
class FakeClock:
    """A clock that moves when a test moves it, or by `step` seconds at each look."""

    instant: datetime = NOW
    seconds: float = 0.0
    step: float = 0.0

    def now(self) -> datetime:
        return self.instant

    def monotonic(self) -> float:
        self.seconds += self.step
        return self.seconds

    def pass_time(self, seconds: float) -> None:
        self.instant += timedelta(seconds=seconds)
        self.seconds += seconds


@dataclass
class FakeIds:
    """Ids that count."""

    given: int = 0

    def uuid7(self, at: datetime) -> str:
        self.given += 1
        return uuid7(at, self.given)


@dataclass
class FakeMonitoring:
    """Remembers what it was told."""

    counts: Counter[str] = field(default_factory=Counter)
    observed: list[tuple[str, float]] = field(default_factory=list)
    events: list[tuple[str, Mapping[str, object]]] = field(default_factory=list)

    def count(self, name: str, amount: int = 1, **labels: str) -> None:
        self.counts[name] += amount
        for value in labels.values():
            self.counts[f"{name}:{value}"] += amount

    def observe(self, name: str, value: float, **_: str) -> None:
        self.observed.append((name, value))

    def gauge(self, name: str, value: float, **_: str) -> None:
        self.observed.append((name, value))

    def event(self, name: str, *, level: str = "info", **fields: str | float | bool) -> None:
        self.events.append((name, {"level": level, **fields}))


@dataclass
class FakeVault:
    """Seals readably; `away` persons fail with an error, `destroyed` ones are gone."""

    destroyed: set[str] = field(default_factory=set)
    away: dict[str, Exception] = field(default_factory=dict)
    seals: int = 0

    async def seal(self, person_id: str, field: str, text: str, deadline: Deadline) -> str:
        del deadline
        if person_id in self.destroyed:
            raise GoneError("destroyed")
        if person_id in self.away:
            raise self.away[person_id]
        self.seals += 1
        body = base64.urlsafe_b64encode(f"{person_id}|{field}|{text}|sixteen-byte-tag".encode())
        return f"siv1:{body.decode()}"

    async def open(self, person_id: str, field: str, sealed: str, deadline: Deadline) -> str:
        del deadline
        held = base64.urlsafe_b64decode(sealed.removeprefix("siv1:")).decode().split("|")
        if held[:2] != [person_id, field]:
            raise PermanentError("sealed for somebody else")
        return held[2]

    async def destroy(self, person_id: str, deadline: Deadline) -> None:
        del deadline
        self.destroyed.add(person_id)

    async def person_index(self, cpf_digits: str, deadline: Deadline) -> str:
        del deadline
        return self.blind_index(cpf_digits)

    def blind_index(self, cpf_digits: str) -> str:
        return f"1:{cpf_digits.encode().hex():0>64}"


Fault = Callable[[Statement], Exception | None]


@dataclass
class Tables:
    """What truth holds."""

    profiles: dict[str, ProfileWrite] = field(default_factory=dict)
    inbox: dict[str, InboxRow] = field(default_factory=dict)
    transactions: dict[str, TransactionWrite] = field(default_factory=dict)
    reversed: set[str] = field(default_factory=set)
    parked: dict[str, ParkedRow] = field(default_factory=dict)
    persons: dict[str, str] = field(default_factory=dict)
    batches: list[IngestionBatchRow] = field(default_factory=list)
    moves: list[PersonMove] = field(default_factory=list)

    def copy(self) -> "Tables":
        return Tables(
            dict(self.profiles),
            dict(self.inbox),
            dict(self.transactions),
            set(self.reversed),
            dict(self.parked),
            dict(self.persons),
            list(self.batches),
            list(self.moves),
        )


class FakeTruth:
    """
    Runs programs on dictionaries, one after the other; what is not committed is undone.

    `fault` sees each statement before it runs, `after_commit` is raised once it is durable.
    """

    def __init__(self, fault: Fault = lambda _: None) -> None:
        self.tables = Tables()
        self.fault = fault
        self.after_commit: Exception | None = None
        self.seen: list[Statement] = []
        self.transactions = 0

    async def transact(self, program: Callable[[], Program[T]], deadline: Deadline) -> T:
        del deadline
        self.transactions += 1
        committed = self.tables.copy()
        running = program()
        try:
            trip = next(running)
            while True:
                try:
                    results = [self._run(statement) for statement in trip]
                except TruthError as error:
                    trip = running.throw(error)
                    continue
                if isinstance(trip[-1], Commit):
                    committed = self.tables.copy()
                    self._fail_after_commit()
                trip = running.send(results)
        except StopIteration as end:
            result: T = end.value
            return result
        finally:
            running.close()
            self.tables = committed

    async def read(self, statements: Sequence[Statement], deadline: Deadline) -> list[Rows]:
        del deadline
        return [self._run(statement) for statement in statements]

    def _fail_after_commit(self) -> None:
        error, self.after_commit = self.after_commit, None
        if error is not None:
            raise error

    def _run(self, statement: Statement) -> Rows:
        self.seen.append(statement)
        error = self.fault(statement)
        if error is not None:
            raise error
        rows: Rows = getattr(self, f"_{type(statement).__name__}")(statement)
        return rows

    def _nothing(self, _: Statement) -> Rows:
        return []

    _Begin = _Commit = _Rollback = _nothing

    def _ReadInbox(self, asked: ReadInbox) -> Rows:  # noqa: N802  named as the statement
        places = set(asked.stream_versions)
        return [
            row
            for row in self.tables.inbox.values()
            if row.event_id in asked.event_ids or (row.stream_id, row.source_version) in places
        ]

    def _LockProfiles(self, asked: LockProfiles) -> Rows:  # noqa: N802
        assert list(asked.customer_ids) == sorted(set(asked.customer_ids))
        held = self.tables.profiles
        return [(name, held[name].payload if name in held else b"") for name in asked.customer_ids]

    def _ReadTransactions(self, asked: ReadTransactions) -> Rows:  # noqa: N802
        held = self.tables.transactions
        return [
            (held[name].row, name in self.tables.reversed)
            for name in asked.event_ids
            if name in held
        ]

    def _ReadMonth(self, asked: ReadMonth) -> Rows:  # noqa: N802
        return [
            write.row
            for name, write in self.tables.transactions.items()
            if (write.row.customer_id, write.row.month) == (asked.customer_id, asked.month)
            and name not in self.tables.reversed
        ]

    def _ReadApplied(self, asked: ReadApplied) -> Rows:  # noqa: N802
        held = self.tables.transactions
        return [(name, held[name].applied_us) for name in asked.event_ids if name in held]

    def _EnsurePersons(self, asked: EnsurePersons) -> Rows:  # noqa: N802
        for row in asked.rows:
            self.tables.persons.setdefault(row.person_id, row.cpf_index)
        return []

    def _WriteProfiles(self, asked: WriteProfiles) -> Rows:  # noqa: N802
        for row in asked.rows:
            held = self.tables.profiles.get(row.profile.customer_id)
            if held is None or held.profile.profile_version < row.profile.profile_version:
                self.tables.profiles[row.profile.customer_id] = row
        return []

    def _InsertTransactions(self, asked: InsertTransactions) -> Rows:  # noqa: N802
        for row in asked.rows:
            if row.row.event_id in self.tables.transactions:
                raise DuplicateKeyError("transactions.event_id")
            self.tables.transactions[row.row.event_id] = row
            self.tables.reversed |= {row.row.event_id} if row.reversed else set()
        return []

    def _MovePersons(self, asked: MovePersons) -> Rows:  # noqa: N802
        self.tables.moves.extend(asked.moves)
        return []

    def _MarkReversed(self, asked: MarkReversed) -> Rows:  # noqa: N802
        self.tables.reversed.update(asked.event_ids)
        return []

    def _InsertInbox(self, asked: InsertInbox) -> Rows:  # noqa: N802
        places = {(row.stream_id, row.source_version) for row in self.tables.inbox.values()}
        for row in asked.rows:
            place = (row.stream_id, row.source_version)
            if row.event_id in self.tables.inbox or place in places:
                raise DuplicateKeyError("inbox")
            places.add(place)
            self.tables.inbox[row.event_id] = row
        return []

    def _InsertParked(self, asked: InsertParked) -> Rows:  # noqa: N802
        for row in asked.rows:
            self.tables.parked.setdefault(row.parked_id, row)
        return []

    def _InsertIngestionBatch(self, asked: InsertIngestionBatch) -> Rows:  # noqa: N802
        self.tables.batches.append(asked.row)
        return []


CONTROL = (Begin, Commit, Rollback)


@dataclass
class FakeProjection:
    """A guarded store; the errors in `faults` are raised by the next calls, one each."""

    rows: dict[tuple[str, str], ProjectionRow] = field(default_factory=dict)
    faults: list[Exception | None] = field(default_factory=list)
    calls: int = 0
    before: Callable[[], None] = lambda: None

    async def put_if_newer(
        self, rows: Sequence[ProjectionRow], deadline: Deadline
    ) -> Sequence[Applied]:
        del deadline
        self.calls += 1
        self.before()
        fault = self.faults.pop(0) if self.faults else None
        if fault is not None:
            raise fault
        assert len({row.key for row in rows}) == len(rows)
        return [self._put(row) for row in rows]

    def _put(self, row: ProjectionRow) -> Applied:
        held = self.rows.get(row.key)
        if held is None or held.version < row.version:
            self.rows[row.key] = row
            return Applied.APPLIED
        if held.version > row.version:
            return Applied.STALE
        return Applied.SAME if held.payload == row.payload else Applied.CONFLICT

    def of(self, data_type: str) -> list[ProjectionRow]:
        return [row for key, row in sorted(self.rows.items()) if key[1].startswith(data_type)]


@dataclass
class FakeCache:
    """Keeps what it is given; `fault` is raised by every call while it is set."""

    held: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    fault: Exception | None = None

    async def get(self, key: str, deadline: Deadline) -> tuple[int, bytes] | None:
        del deadline
        return self.held.get(key)

    async def put_if_newer(
        self, key: str, version: int, value: bytes, ttl_s: float, deadline: Deadline
    ) -> None:
        del ttl_s, deadline
        if self.fault is not None:
            raise self.fault
        if key not in self.held or self.held[key][0] <= version:
            self.held[key] = (version, value)

    async def put_absent(self, key: str, ttl_s: float, deadline: Deadline) -> None:
        del ttl_s, deadline
        self.held.setdefault(key, (0, b""))

    async def invalidate(self, key: str, deadline: Deadline) -> None:
        del deadline
        self.held.pop(key, None)


@dataclass
class FakeStream:
    """Remembers what was put; `fault` is raised instead while it is set."""

    puts: list[list[tuple[str, bytes]]] = field(default_factory=list)
    fault: Exception | None = None

    async def put(self, records: Sequence[tuple[str, bytes]], deadline: Deadline) -> None:
        del deadline
        if self.fault is not None:
            raise self.fault
        self.puts.append(list(records))


def nested(document: Any, *path: str) -> Any:
    """Return what lies under a path of keys."""
    for name in path:
        document = document[name]
    return document
