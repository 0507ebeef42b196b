"""
A line for each node of a cluster, chosen by the slot of the key.

The map of slots is learnt from `CLUSTER SLOTS`, in the background and at most once a second; until
it is known, the node of the setting is asked for everything. Whatever the map says, the nodes are
right: a command that one sends elsewhere (MOVED, ASK) goes there, a bounded number of times. No
command touches two keys, so none is cut in parts. Keys of a node that is gone fail until a refresh
finds its successor; keys of the others do not notice.
"""

import asyncio
from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

from redis.crc import REDIS_CLUSTER_HASH_SLOTS, key_slot
from redis.exceptions import AskError, MovedError, RedisError

from adapters.stores.redis.commands import Command, pack
from adapters.stores.redis.line import Limits, Line
from adapters.stores.redis.waiting import Asked
from domain.errors import PermanentError, TransientError
from domain.ports.time import Clock, Deadline

KIND: Final = "+cluster"
ASKING: Final = pack(b"ASKING")
SLOTS: Final = Command(pack(b"CLUSTER", b"SLOTS"))
#: A command that is sent on more often meets nodes that do not agree.
HOPS_MAX: Final = 4
NODES_MAX: Final = 512
REFRESH_S: Final = 1.0
#: How many nodes are asked for the map before the next refresh.
ASKED_MAX: Final = 3

Place = tuple[str, int]


class AskingLine(Line):
    """Says before each command that a slot on its way is meant; for the few that need it."""

    def _packed(self, batch: Sequence[Asked]) -> list[bytes]:
        return [part for asked in batch for part in (ASKING, asked.packed)]

    def _own(self, arrived: Sequence[Any]) -> Sequence[Any]:
        return arrived[1::2]


class Cluster:
    """Sends each command of one event loop to the node of its key, as `Line` does to one."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, url: str, clock: Clock, limits: Limits
    ) -> None:
        self._loop, self._clock, self._limits = loop, clock, limits
        self._url = endpoint(url)
        self._seed = Line(loop, self._url, clock, limits, self)
        self._lines: dict[Place, Line] = {_place(self._url): self._seed}
        self._asking: dict[Place, AskingLine] = {}
        #: Closed, or just being so.
        self._leaving: list[Line] = []
        self._slots: list[Line] = [self._seed] * REDIS_CLUSTER_HASH_SLOTS
        self._refreshing: asyncio.Task[None] | None = None
        self._refresh_at = 0.0
        self._turn = 0
        self._closed = False
        self.lost()

    def read(self, key: bytes, deadline: Deadline) -> "asyncio.Future[bytes | None]":
        """See `Line.read`."""
        return self._slots[key_slot(key)].read(key, deadline)

    def write(self, command: Command, deadline: Deadline) -> "asyncio.Future[bytes | None]":
        """See `Line.write`."""
        return self._slots[key_slot(command.key)].write(command, deadline)

    def moved(self, line: Line, asked: Asked, error: RedisError) -> None:
        """See `Elsewhere.moved`."""
        # While the lines are being closed, no new one may begin.
        if self._closed or not isinstance(error, AskError) or asked.hops > HOPS_MAX:
            self.lost()
            asked.fail(TransientError("the cluster does not serve this key at present"))
            return
        place = (error.host or _place(line.url)[0], error.port)
        try:
            if isinstance(error, MovedError):
                self.lost()
                target = self._slots[error.slot_id] = self._line(place)
            else:
                target = self._asking_line(place)
        except TransientError as failed:
            asked.fail(failed)
        else:
            target.adopt(asked)

    def lost(self) -> None:
        """Look soon where the nodes are; see `Elsewhere.lost`."""
        now = self._clock.monotonic()
        if self._closed or self._refreshing is not None or now < self._refresh_at:
            return
        self._refresh_at = now + REFRESH_S
        self._refreshing = self._loop.create_task(self._refresh())

    def abort(self) -> None:
        """See `Line.abort`."""
        self._end()
        for line in self._all():
            line.abort()

    async def close(self) -> None:
        """See `Line.close`."""
        refreshing = self._refreshing
        self._end()
        if refreshing is not None:
            await asyncio.wait([refreshing])
        for line in self._all():
            await line.close()

    def _end(self) -> None:
        self._closed = True
        if self._refreshing is not None:
            self._refreshing.cancel()

    def _all(self) -> list[Line]:
        return [*self._lines.values(), *self._asking.values(), *self._leaving]

    def _line(self, place: Place) -> Line:
        line = self._lines.get(place)
        if line is None:
            self._check_room()
            line = self._lines[place] = Line(
                self._loop, _at(self._url, place), self._clock, self._limits, self
            )
        return line

    def _asking_line(self, place: Place) -> AskingLine:
        line = self._asking.get(place)
        if line is None:
            self._check_room()
            line = self._asking[place] = AskingLine(
                self._loop, _at(self._url, place), self._clock, self._limits, self
            )
        return line

    def _check_room(self) -> None:
        if len(self._lines) + len(self._asking) >= NODES_MAX:
            raise TransientError("the cluster names too many nodes")

    async def _refresh(self) -> None:
        try:
            # Not always the same one first: it may be the one that is gone.
            lines = list(self._lines.values())
            self._turn = (self._turn + 1) % len(lines)
            for line in (lines[self._turn :] + lines[: self._turn])[:ASKED_MAX]:
                if await self._learnt(line):
                    return
        finally:
            self._refreshing = None

    async def _learnt(self, line: Line) -> bool:
        deadline = Deadline.after(self._clock, self._limits.connect_s + self._limits.trip_s)
        try:
            # The one command whose answer is a list.
            told: Any = await line.write(SLOTS, deadline)
            slots = self._mapped(told, _place(line.url)[0])
        except (TransientError, ValueError, TypeError, IndexError):
            return False
        self._slots = slots
        await self._leave_out(slots)
        return True

    def _mapped(self, told: Sequence[Any], here: str) -> list[Line]:
        """Return a line for each slot; one that nobody serves keeps that which it has."""
        slots = list(self._slots)
        for first, last, primary, *_ in told:
            host = bytes(primary[0] or b"").decode() or here
            slots[first : last + 1] = [self._line((host, int(primary[1])))] * (last + 1 - first)
        if len(slots) != REDIS_CLUSTER_HASH_SLOTS:
            raise ValueError("the map names slots that no cluster has")
        return slots

    async def _leave_out(self, slots: Sequence[Line]) -> None:
        """Close the lines of nodes that serve no slot any more; the setting's stays."""
        used = {self._seed, *slots}
        for place, line in list(self._lines.items()):
            if line not in used:
                self._leaving.append(self._lines.pop(place))
        self._leaving += self._asking.values()
        self._asking.clear()
        while self._leaving:
            await self._leaving[-1].close()
            self._leaving.pop()


def is_cluster(url: str) -> bool:
    """Tell whether an address names a cluster: `redis+cluster://…` or `rediss+cluster://…`."""
    return urlsplit(url).scheme.endswith(KIND)


def endpoint(url: str) -> str:
    """
    Return the address of the node that a cluster's address names.

    Raises:
        PermanentError: it has a database that no cluster has.
    """
    parts = urlsplit(url)
    if is_cluster(url) and (parts.scheme.startswith("unix") or parts.path not in {"", "/", "/0"}):
        raise PermanentError("REDIS_URL names a cluster: it has a host, and database 0 only")
    return urlunsplit(parts._replace(scheme=parts.scheme.removesuffix(KIND)))


def _place(url: str) -> Place:
    parts = urlsplit(url)
    return (parts.hostname or "localhost", parts.port or 6379)


def _at(url: str, place: Place) -> str:
    """Return an address with another place: login, TLS and options stay."""
    parts = urlsplit(url)
    login, at, _ = parts.netloc.rpartition("@")
    host = f"[{place[0]}]" if ":" in place[0] else place[0]
    return urlunsplit(parts._replace(netloc=f"{login}{at}{host}:{place[1]}"))
