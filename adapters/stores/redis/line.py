"""
One connection, on which all that is asked in one turn of the event loop travels together.

While a batch is under way the next one gathers; there is no timer that waits for more. Equal reads
of a batch are one. Every command may be sent twice without harm, so a batch that finds a kept
connection dead is sent once more on a fresh one: a server closes what idles.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, Protocol

from redis.asyncio.connection import AbstractConnection, Connection, parse_url
from redis.exceptions import AskError, ClusterDownError, NoScriptError, ReadOnlyError, RedisError
from redis.exceptions import ConnectionError as LostError

from adapters.stores.redis.commands import Command
from adapters.stores.redis.errors import WRONG_TYPE, translated
from adapters.stores.redis.replies import Replies
from adapters.stores.redis.waiting import Asked, Waiting
from domain.errors import PermanentError, TransientError
from domain.ports.time import Clock, Deadline

#: What stands for a value of another type: no layout begins so.
FOREIGN: Final = b""
RESP2: Final = 2
READ_BYTES: Final = 1 << 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """
    How much may wait, travel together, and how long a connection and a round trip may take.

    A trip that takes longer ends its connection, whatever its callers' deadlines allow: those who
    wait behind it must not wait for a server that says nothing.
    """

    waiting: int = 4_096
    batch: int = 128
    connect_s: float = 1.0
    trip_s: float = 0.5


class Elsewhere(Protocol):
    """What a line of a cluster tells: its node sends a command to another, or is gone."""

    def moved(self, line: "Line", asked: Asked, error: RedisError) -> None:
        """Have the command, released by its line, answered or failed."""

    def lost(self) -> None:
        """Look where the nodes are."""


class Line:
    """Sends commands of one event loop and hands each its reply."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        url: str,
        clock: Clock,
        limits: Limits,
        elsewhere: Elsewhere | None = None,
    ) -> None:
        self.url = url
        self._elsewhere = elsewhere
        self._replies = Replies(READ_BYTES)
        self._connection = connection_to(url, limits, lambda **_: self._replies)
        self._loop, self._clock, self._limits = loop, clock, limits
        self._waiting = Waiting(loop, clock, limits.waiting)
        self._pump: asyncio.Task[None] | None = None
        self._closed = False

    def read(self, key: bytes, deadline: Deadline) -> "asyncio.Future[bytes | None]":
        """
        Ask for a key; `FOREIGN` stands for what is no string.

        Raises:
            ThrottledError: too much waits.
            TransientError: the line is closed, or the time is used up.
        """
        self._begin(deadline)
        return self._waiting.read(key, deadline)

    def write(self, command: Command, deadline: Deadline) -> "asyncio.Future[bytes | None]":
        """Send a command whose reply says nothing; raises as `read`."""
        self._begin(deadline)
        return self._waiting.write(command, deadline)

    def adopt(self, asked: Asked) -> None:
        """Send what another line released; its bound and deadlines are those it came with."""
        if self._closed:
            asked.fail(TransientError("the cache is closed"))
            return
        self._waiting.adopt(asked)
        self._start()

    def abort(self) -> None:
        """End the connection at once, in a callback of its loop; who waits gets an error."""
        self._end()
        # Outside of a task the driver closes without waiting, so there is nothing to wait for.
        with suppress(StopIteration):
            self._connection.disconnect(nowait=True).send(None)

    async def close(self) -> None:
        """End the connection in order."""
        pump = self._pump
        self._end()
        if pump is not None:
            await asyncio.wait([pump])
        await self._drop()
        # The socket is closed in the loop's next turn.
        await asyncio.sleep(0)

    def _end(self) -> None:
        self._closed = True
        if self._pump is not None:
            self._pump.cancel()
        self._waiting.fail(TransientError("the cache is closed"))

    def _begin(self, deadline: Deadline) -> None:
        if self._closed:
            raise TransientError("the cache is closed")
        deadline.check(self._clock)
        self._start()

    def _start(self) -> None:
        if self._pump is None:
            # It begins in the next turn of the loop, with all that this one asks.
            self._pump = self._loop.create_task(self._run())

    async def _run(self) -> None:
        try:
            while batch := self._waiting.take(self._limits.batch):
                await self._trip(batch)
                # Whoever was just answered may ask again: they travel with those who came later.
                await asyncio.sleep(0)
        except BaseException:
            self._waiting.fail(TransientError("the cache has stopped"))
            await self._drop()
            raise
        finally:
            self._pump = None

    async def _trip(self, batch: Sequence[Asked]) -> None:
        try:
            await self._sent_again(batch)
        except (RedisError, OSError, RuntimeError) as error:
            # What is left of a reply would be taken for the next one.
            await self._drop()
            for asked in batch:
                asked.fail(translated(error))
            if self._elsewhere is not None:
                self._elsewhere.lost()
        self._waiting.done()

    async def _sent_again(self, batch: Sequence[Asked]) -> None:
        kept = self._connection.is_connected
        try:
            await self._sent(batch)
        except (LostError, ReadOnlyError, RuntimeError):
            # uvloop says RuntimeError where asyncio says that a connection is lost.
            if not kept:
                raise
            await self._drop()
            left = [asked for asked in batch if asked.open]
            if left:
                await self._sent(left)

    async def _sent(self, batch: Sequence[Asked]) -> None:
        if not self._connection.is_connected:
            async with asyncio.timeout(self._limits.connect_s):
                # The driver does not say that this returns nothing.
                await self._connection.connect()  # type: ignore[no-untyped-call]
        async with asyncio.timeout(self._limits.trip_s):
            # Those are left whose script the server does not know, after its restart for one.
            left = await self._exchanged(batch)
            if left:
                for asked in left:
                    asked.spell_out()
                await self._exchanged(left)

    async def _exchanged(self, batch: Sequence[Asked]) -> Sequence[Asked]:
        """Send a batch and hand out the replies; return what has to be sent in full."""
        packed = self._packed(batch)
        self._replies.expect(len(packed))
        await self._connection.send_packed_command(packed)
        try:
            await self._connection.read_response()
        finally:
            # What came before a connection ended is true all the same.
            left, lost = self._hand_out(batch, self._own(self._replies.arrived))
        if lost is not None:
            raise lost
        return left

    def _packed(self, batch: Sequence[Asked]) -> list[bytes]:
        return [asked.packed for asked in batch]

    def _own(self, arrived: Sequence[Any]) -> Sequence[Any]:
        return arrived

    def _hand_out(
        self, batch: Sequence[Asked], replies: Sequence[Any]
    ) -> tuple[Sequence[Asked], RedisError | None]:
        """Return what has to be sent in full, and why the connection is of no more use, if so."""
        left: list[Asked] = []
        lost: RedisError | None = None
        for asked, reply in zip(batch, replies, strict=False):
            if not isinstance(reply, RedisError):
                asked.answer(reply)
            elif isinstance(reply, NoScriptError) and asked.full is not None:
                left.append(asked)
            elif isinstance(reply, LostError | ReadOnlyError):
                # It loads, or a primary became a replica: a new connection finds the new primary.
                lost = reply
            elif str(reply).startswith(WRONG_TYPE):
                asked.answer(FOREIGN)
            else:
                self._refused(asked, reply)
        return left, lost

    def _refused(self, asked: Asked, reply: RedisError) -> None:
        if self._elsewhere is not None and isinstance(reply, AskError | ClusterDownError):
            self._elsewhere.moved(self, self._waiting.release(asked), reply)
        else:
            asked.fail(translated(reply))

    async def _drop(self) -> None:
        # TLS says farewell; only a line that is closed waits for the answer, and not for long.
        with suppress(RedisError, OSError):
            async with asyncio.timeout(self._limits.trip_s):
                await self._connection.disconnect(nowait=not self._closed)


def connection_to(
    url: str, limits: Limits, parser: Callable[..., Replies] = Replies
) -> AbstractConnection:
    """
    Return a connection that is not open yet; `parser` gives what reads its replies.

    Raises:
        PermanentError: the address is none of Redis.
    """
    ours = {
        "protocol": RESP2,
        "driver_info": None,
        "parser_class": parser,
        "socket_read_size": READ_BYTES,
        "socket_timeout": None,
        "socket_connect_timeout": limits.connect_s,
    }
    try:
        options: dict[str, Any] = {**parse_url(url), **ours}
        kind = options.pop("connection_class", Connection)
        made: AbstractConnection = kind(**options)
    except (ValueError, TypeError):
        # The address may hold a password, so the cause is left out.
        raise PermanentError(
            "REDIS_URL is not redis://… or rediss://…, and no redis+cluster://… either"
        ) from None
    return made
