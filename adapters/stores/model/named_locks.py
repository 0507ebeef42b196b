"""Named locks as MySQL's GET_LOCK: held by a session, counted, free when the session ends."""

import asyncio
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from adapters.stores.model.errors import LostConnectionError

S = TypeVar("S")


@dataclass(slots=True, eq=False)
class _Waiter(Generic[S]):
    session: S
    name: str
    granted: asyncio.Future[bool]


class NamedLocks(Generic[S]):
    """All named locks of one database."""

    def __init__(self) -> None:
        self._holders: Final[dict[str, tuple[S, int]]] = {}
        self._queue: Final[list[_Waiter[S]]] = []

    def holder(self, name: str) -> S | None:
        """Return the session that holds the lock."""
        held = self._holders.get(name)
        return None if held is None else held[0]

    async def acquire(self, session: S, name: str, timeout_s: float) -> bool:
        """Take the lock, once more if it is held already; return False when time ran out."""
        holder, count = self._holders.get(name, (session, 0))
        if holder is session:
            self._holders[name] = (session, count + 1)
            return True
        return timeout_s > 0 and await self._wait(session, name, timeout_s)

    def release(self, session: S, name: str) -> bool:
        """Give the lock back once; return whether the session held it."""
        holder, count = self._holders.get(name, (None, 0))
        if holder is not session:
            return False
        if count > 1:
            self._holders[name] = (session, count - 1)
        else:
            self._pass_on(name)
        return True

    def end(self, session: S) -> None:
        """Give everything back and stop waiting, because the session is over."""
        for waiter in list(self._queue):
            if waiter.session is session and not waiter.granted.done():
                waiter.granted.set_exception(LostConnectionError("the session ended"))
                self._queue.remove(waiter)
        for name in [name for name, held in self._holders.items() if held[0] is session]:
            self._pass_on(name)

    def names(self) -> list[str]:
        """Return the names of all locks that are held."""
        return list(self._holders)

    async def _wait(self, session: S, name: str, timeout_s: float) -> bool:
        loop = asyncio.get_running_loop()
        waiter = _Waiter(session, name, loop.create_future())
        self._queue.append(waiter)
        expiry = loop.call_later(timeout_s, _expire, waiter)
        try:
            return await waiter.granted
        finally:
            expiry.cancel()
            if waiter in self._queue:
                self._queue.remove(waiter)
            if waiter.granted.done() and not waiter.granted.cancelled():
                # A waiter that is cancelled at the same instant never looks at its error.
                waiter.granted.exception()

    def _pass_on(self, name: str) -> None:
        del self._holders[name]
        for waiter in self._queue:
            if waiter.name == name and not waiter.granted.done():
                self._holders[name] = (waiter.session, 1)
                self._queue.remove(waiter)
                waiter.granted.set_result(True)
                return


def _expire(waiter: _Waiter[S]) -> None:
    if not waiter.granted.done():
        waiter.granted.set_result(False)
