"""The connections of a process to Redis: each event loop has its own, made at first use."""

import asyncio
from asyncio import AbstractEventLoop

from adapters.stores.redis.cluster import Cluster, endpoint, is_cluster
from adapters.stores.redis.line import Limits, Line, connection_to
from domain.errors import TransientError
from domain.ports.time import Clock


class Lines:
    """What caches and buckets share, so that all they ask in one turn travels together."""

    def __init__(self, url: str, clock: Clock, limits: Limits) -> None:
        """
        Take the settings; nothing is connected yet.

        Raises:
            PermanentError: the address is none of Redis.
        """
        self._url, self._clock, self._limits = url, clock, limits
        self._lines: dict[AbstractEventLoop, Line | Cluster] = {}
        self._closed = False
        self._kind = Cluster if is_cluster(url) else Line
        connection_to(endpoint(url), limits)

    def here(self) -> Line | Cluster:
        """
        Return the line of the running loop.

        Raises:
            TransientError: closed.
        """
        loop = asyncio.get_running_loop()
        line = self._lines.get(loop)
        if line is None:
            if self._closed:
                raise TransientError("the cache is closed")
            line = self._lines[loop] = self._kind(loop, self._url, self._clock, self._limits)
            # Other threads do the same for their loops meanwhile.
            for other in list(self._lines):
                if other.is_closed():
                    self._lines.pop(other, None)
        return line

    async def close(self) -> None:
        """End every connection; another loop ends its own in its next turn, so close it later."""
        self._closed = True
        here = asyncio.get_running_loop()
        for loop, line in list(self._lines.items()):
            if loop is here:
                await line.close()
            elif not loop.is_closed():
                loop.call_soon_threadsafe(line.abort)
