"""The connections of one event loop to one endpoint: bounded, kept while they are fresh."""

import asyncio
import ssl
from dataclasses import dataclass

from adapters.aws.connection import Connection
from adapters.aws.endpoint import Endpoint
from adapters.aws.errors import NotSentError
from domain.errors import DeadlineExceededError, ThrottledError, TransientError
from domain.ports.time import Clock, Deadline


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """
    How many connections there may be and calls may wait for one, and how long things may take.

    A kept connection is used again within `idle_s` only: servers close what idles, and a frozen
    process does not hear of it. `attempt_s` bounds one trip, whatever its deadline allows.
    """

    connections: int = 64
    waiting: int = 1_024
    connect_s: float = 1.0
    attempt_s: float = 2.0
    idle_s: float = 20.0


class Pool:
    """Lends connections, the one used last first."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, endpoint: Endpoint,
        context: ssl.SSLContext | None, clock: Clock, limits: Limits,
    ) -> None:  # fmt: skip
        self._loop, self._endpoint, self._context = loop, endpoint, context
        self._clock, self._limits = clock, limits
        self._free = asyncio.Semaphore(limits.connections)
        self._waiting = 0
        self._idle: list[Connection] = []
        self._lent: set[Connection] = set()
        self._closed = False

    async def take(self, deadline: Deadline) -> Connection:
        """
        Lend a connection; it has to be given back.

        Raises:
            ThrottledError: too many calls wait already.
            DeadlineExceededError: none came free in time.
            NotSentError: the server cannot be reached.
        """
        if self._free.locked():
            await self._wait(deadline)
        else:
            await self._free.acquire()
        try:
            connection = self._kept() or await self._connect(deadline)
        except BaseException:
            self._free.release()
            raise
        self._lent.add(connection)
        return connection

    def give_back(self, connection: Connection) -> None:
        """Keep a connection for the next call, unless it is of no more use."""
        self._lent.discard(connection)
        if connection.ready and not self._closed:
            connection.idle_since = self._clock.monotonic()
            self._idle.append(connection)
        else:
            connection.abort()
        self._free.release()

    def drop_idle(self) -> None:
        """End what is kept: one that ended while it idled is seldom alone."""
        while self._idle:
            self._idle.pop().abort()

    def close(self) -> None:
        """End every connection; who waits for a reply is told."""
        self._closed = True
        self.drop_idle()
        for connection in list(self._lent):
            connection.abort()

    def _kept(self) -> Connection | None:
        oldest = self._clock.monotonic() - self._limits.idle_s
        while self._idle:
            connection = self._idle.pop()
            if connection.ready and connection.idle_since >= oldest:
                return connection
            connection.abort()
        return None

    async def _wait(self, deadline: Deadline) -> None:
        if self._waiting >= self._limits.waiting:
            raise ThrottledError("too many calls wait for a connection")
        left = deadline.remaining(self._clock)
        self._waiting += 1
        try:
            async with asyncio.timeout(None if left == float("inf") else left):
                await self._free.acquire()
        except TimeoutError:
            raise DeadlineExceededError("no connection came free in time") from None
        finally:
            self._waiting -= 1

    async def _connect(self, deadline: Deadline) -> Connection:
        self._check_open()
        end, limit = self._endpoint, self._limits.connect_s
        name = end.host if self._context else None
        try:
            async with asyncio.timeout(min(limit, deadline.remaining(self._clock))):
                _, connection = await self._loop.create_connection(
                    lambda: Connection(self._loop), end.host, end.port,
                    ssl=self._context, server_hostname=name,
                )  # fmt: skip
        except TimeoutError as error:
            deadline.check(self._clock)
            raise NotSentError(f"{end.service} does not take the connection in time") from error
        except (OSError, ssl.SSLError) as error:
            raise NotSentError(f"{end.service} is away ({type(error).__name__})") from error
        try:
            self._check_open()
        except TransientError:
            connection.abort()
            raise
        return connection

    def _check_open(self) -> None:
        if self._closed:
            raise TransientError("the client is closed")
