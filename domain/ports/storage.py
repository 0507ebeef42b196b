"""The brief's base protocols, and the typed ports narrowed from them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from domain.ports.time import Deadline


class Applied(StrEnum):
    """What a guarded write did."""

    APPLIED = "APPLIED"
    SAME = "SAME"
    STALE = "STALE"
    CONFLICT = "CONFLICT"


@dataclass(frozen=True, slots=True)
class ProjectionRow:
    """
    One row of a projection: the bytes of truth under a version.

    `data_type` is `CUSTOMER_PROFILE`, `DECISION_LATEST`, `TRANSACTION#<micros>#<event id>` or
    `DECISION#<micros>#<id>`. `columns` are the brief's readable columns (text or whole numbers).
    `expires_s` is the epoch second after which the row may vanish, or None.
    """

    customer_id: str
    data_type: str
    version: int
    payload: bytes
    event_id: str = ""
    columns: Mapping[str, str | int] | None = None
    expires_s: int | None = None

    @property
    def key(self) -> tuple[str, str]:
        """The primary key in every projection store."""
        return (self.customer_id, self.data_type)


class DataReader(Protocol):
    """Reads items of one store (the brief's `IDataReader`)."""

    async def read_item(
        self, customer_id: str, data_type: str, deadline: Deadline
    ) -> ProjectionRow | None:
        """
        Return the newest row this store has, or None; it may be older than truth.

        Raises:
            TransientError: the store is away or too slow.
        """

    async def query(
        self, customer_id: str, prefix: str, limit: int, before: str, deadline: Deadline
    ) -> Sequence[ProjectionRow]:
        """
        Return up to `limit` rows whose `data_type` starts with `prefix`, newest first.

        Rows at or after `before` are left out when it is not empty.
        """


class DataWriter(Protocol):
    """Writes items of one store (the brief's `IDataWriter`): one verb, guarded by the version."""

    async def put_if_newer(
        self, rows: Sequence[ProjectionRow], deadline: Deadline
    ) -> Sequence[Applied]:
        """
        Write each row whose version is above the stored one; durable once this returns.

        APPLIED written; SAME equal version and bytes; STALE a newer version is stored; CONFLICT
        equal version, other bytes (nothing written). Rows of one call have distinct keys.

        Raises:
            TransientError: nothing is known to be written; call again, each row is guarded.
        """


class DataStorage(DataReader, DataWriter, Protocol):
    """A store that reads, writes and counts itself (the brief's `IDataStorage`)."""

    name: str

    def metrics(self) -> Mapping[str, float]:
        """Return counters of this store since start."""


@dataclass(frozen=True, slots=True)
class HotRow:
    """
    A row as lists over the hot store show it: key and readable columns, never the payload.

    Instants are microseconds since the epoch; what a row does not have is None.
    """

    customer_id: str
    data_type: str
    version: int
    status: str | None
    created_us: int | None
    updated_us: int | None


@dataclass(frozen=True, slots=True)
class HotPlace:
    """Where a list stopped: its last row, by the instant of the list's order."""

    instant_us: int
    customer_id: str
    data_type: str


class HotQueries(Protocol):
    """
    Lists over all customers of the hot store, for dashboards; may be older than truth.

    Newest first; rows of one instant by customer and `data_type`, ascending. A row without the
    instant of the order is in no list, one that has expired neither. Both raise TransientError.
    """

    async def newest_of_type(
        self, family: str, limit: int, after: HotPlace | None, deadline: Deadline
    ) -> Sequence[HotRow]:
        """
        Return rows by `updated_us` whose `data_type` is `family`, up to its first `#`.

        With `after`, those that come behind it.
        """

    async def newest_of_status(
        self, status: str, limit: int, after: HotPlace | None, deadline: Deadline
    ) -> Sequence[HotRow]:
        """Return rows of a status by `created_us`; with `after`, those that come behind it."""


class HotStorage(DataStorage, Protocol):
    """The hot store: rows by key, and lists over all of them."""

    def queries(self) -> HotQueries:
        """Return the lists over this store."""


class Cache(Protocol):
    """
    A store that may forget anything at any time and is never the only copy.

    Each call keeps its deadline by itself: nobody outside sets a timer, which would cost more than
    a hit.
    """

    async def get(self, key: str, deadline: Deadline) -> tuple[int, bytes] | None:
        """
        Return (version, bytes), or None; `(0, b"")` is a remembered absence.

        Raises:
            TransientError: the cache is away, or did not answer in time.
        """

    async def put_if_newer(
        self, key: str, version: int, value: bytes, ttl_s: float, deadline: Deadline
    ) -> None:
        """Keep the value for about `ttl_s` seconds unless a newer version is held."""

    async def put_absent(self, key: str, ttl_s: float, deadline: Deadline) -> None:
        """Remember for about `ttl_s` seconds that there is nothing, unless something is held."""

    async def invalidate(self, key: str, deadline: Deadline) -> None:
        """Forget the key."""
