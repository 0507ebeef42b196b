"""
Locks of the model database: shared and exclusive, first come first served, deadlocks detected.

As in InnoDB, a request also waits for conflicting requests that queued before it, so a transaction
that holds a shared lock and wants the exclusive one can deadlock with a mere waiter.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Final, Protocol

from adapters.stores.model.errors import DeadlockError, LockWaitError
from adapters.stores.model.gaps import Gap, Gaps
from adapters.stores.model.table import Key

#: Table, index, values.
Resource = tuple[str, str, Key]


class Mode(Enum):
    """
    Shared locks go together; an exclusive one goes with no other.

    INSERT waits for gaps that others have locked, and holds nothing.
    """

    SHARED = "S"
    EXCLUSIVE = "X"
    INSERT = "I"


class Owner(Protocol):
    """A transaction, as the lock table sees it."""

    @property
    def weight(self) -> int:
        """Return how much work it has done; of a circle the lightest is given up."""


@dataclass(slots=True, eq=False)
class _Request:
    owner: Owner
    resource: Resource
    mode: Mode
    is_claim: bool
    granted: asyncio.Future[None]


@dataclass(slots=True, eq=False)
class _Lock:
    holders: dict[Owner, Mode]
    queue: list[_Request]

    def blockers(self, owner: Owner, mode: Mode, ahead: Iterable[_Request]) -> list[Owner]:
        """Return who stands in the way of a request that queues behind `ahead`."""
        claims = [*self.holders.items(), *((each.owner, each.mode) for each in ahead)]
        exclusive = mode is Mode.EXCLUSIVE
        return [
            other
            for other, other_mode in claims
            if other is not owner and (exclusive or other_mode is Mode.EXCLUSIVE)
        ]


class LockTable:
    """All locks of one database; `timeout_s` bounds each wait in virtual seconds."""

    def __init__(self, timeout_s: float) -> None:
        self._timeout_s: Final = timeout_s
        self._locks: Final[dict[Resource, _Lock]] = {}
        self._held: Final[dict[Owner, dict[Resource, None]]] = {}
        self._waiting: Final[dict[Owner, _Request]] = {}
        self._gaps: Final = Gaps[Owner]()
        self._inserts: Final[list[_Request]] = []

    def holds(self, owner: Owner, resource: Resource, mode: Mode) -> bool:
        """Return whether the owner holds a lock at least that strong."""
        lock = self._locks.get(resource)
        return lock is not None and lock.holders.get(owner) in (mode, Mode.EXCLUSIVE)

    def is_free(self, owner: Owner, resource: Resource, mode: Mode) -> bool:
        """Return whether a request would be granted without waiting."""
        lock = self._locks.get(resource)
        if lock is None or lock.holders.get(owner) in (mode, Mode.EXCLUSIVE):
            return True
        return not lock.blockers(owner, mode, lock.queue)

    def count(self, owner: Owner) -> int:
        """Return how many locks the owner holds."""
        return len(self._held.get(owner, ()))

    async def acquire(
        self, owner: Owner, resource: Resource, mode: Mode, *, is_claim: bool = False
    ) -> None:
        """
        Take a lock, or wait for it; a claim that waits can be softened, so look what it got.

        Raises:
            LockWaitError: the wait was too long; other locks are kept.
            DeadlockError: the owner was chosen to break a circle, so it must roll back.
        """
        if self.is_free(owner, resource, mode):
            self._grant(owner, resource, mode)
        else:
            request = self._request(owner, resource, mode, is_claim=is_claim)
            self._locks[resource].queue.append(request)
            await self._wait(request)

    def gap_is_free(self, owner: Owner, resource: Resource) -> bool:
        """Return whether nobody else has locked the gap in which an entry would be inserted."""
        return not self._gaps.blockers(owner, resource[:2], resource[2])

    async def await_gap(self, owner: Owner, resource: Resource) -> None:
        """
        Wait until the gap is free; somebody may have inserted the entry by then.

        Raises:
            LockWaitError, DeadlockError: as in acquire.
        """
        request = self._request(owner, resource, Mode.INSERT, is_claim=False)
        self._inserts.append(request)
        await self._wait(request)

    def hold_gap(
        self, owner: Owner, resource: Resource, low: Key | None, high: Key | None
    ) -> Gap[Owner]:
        """Keep others from inserting between two entries of an index."""
        gap = Gap(owner, resource[:2], low, high)
        self._gaps.add(gap)
        return gap

    def drop_gap(self, gap: Gap[Owner]) -> None:
        """Let others insert again."""
        self._gaps.drop(gap)
        self._promote_inserts()

    def release(self, owner: Owner, resource: Resource) -> None:
        """Give one lock back."""
        self._held.get(owner, {}).pop(resource, None)
        lock = self._locks[resource]
        lock.holders.pop(owner, None)
        self._promote(resource, lock)

    def release_all(self, owner: Owner) -> None:
        """Give all locks back."""
        for resource in self._held.pop(owner, {}):
            lock = self._locks[resource]
            lock.holders.pop(owner, None)
            self._promote(resource, lock)
        if self._gaps.drop_all(owner):
            self._promote_inserts()

    def interrupt(self, owner: Owner, error: Exception) -> None:
        """End the owner's wait, if it waits, with an error."""
        request = self._waiting.get(owner)
        if request is not None:
            self._fail(request, error)

    def owners(self) -> list[Owner]:
        """Return everybody who holds or awaits a lock."""
        return [*(owner for owner, held in self._held.items() if held), *self._waiting]

    def is_awaited(self, resource: Resource) -> bool:
        """Return whether somebody waits for a lock on this entry."""
        lock = self._locks.get(resource)
        return lock is not None and bool(lock.queue)

    def soften(self, resource: Resource, low: Key | None, high: Key | None) -> None:
        """
        Turn the waiting claims of an entry into locks of its gap, because its row was undone.

        As InnoDB hands its record locks on, every waiter gets one, so that the second who then
        wants to insert deadlocks with the first.
        """
        for request in self._locks[resource].queue:
            if request.is_claim:
                request.mode = Mode.SHARED
                self.hold_gap(request.owner, resource, low, high)

    def _request(self, owner: Owner, resource: Resource, mode: Mode, *, is_claim: bool) -> _Request:
        granted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        request = self._waiting[owner] = _Request(owner, resource, mode, is_claim, granted)
        return request

    async def _wait(self, request: _Request) -> None:
        self._break_circles(request)
        loop = asyncio.get_running_loop()
        expiry = loop.call_later(self._timeout_s, self._expire, request)
        try:
            await request.granted
        finally:
            expiry.cancel()
            self._withdraw(request)

    def _grant(self, owner: Owner, resource: Resource, mode: Mode) -> None:
        lock = self._locks.get(resource)
        if lock is None:
            lock = self._locks[resource] = _Lock({}, [])
        if lock.holders.get(owner) is not Mode.EXCLUSIVE:
            lock.holders[owner] = mode
            self._held.setdefault(owner, {})[resource] = None

    def _promote(self, resource: Resource, lock: _Lock) -> None:
        kept: list[_Request] = []
        for request in lock.queue:
            gone = request.granted.done()  # cancelled, and its task has not run since
            if not gone and lock.blockers(request.owner, request.mode, kept):
                kept.append(request)
                continue
            del self._waiting[request.owner]
            if not gone:
                self._grant(request.owner, resource, request.mode)
                request.granted.set_result(None)
        lock.queue = kept
        if not lock.holders and not lock.queue:
            self._locks.pop(resource, None)

    def _promote_inserts(self) -> None:
        for request in list(self._inserts):
            if not request.granted.done() and self.gap_is_free(request.owner, request.resource):
                self._inserts.remove(request)
                del self._waiting[request.owner]
                request.granted.set_result(None)

    def _expire(self, request: _Request) -> None:
        self._fail(request, LockWaitError(f"{request.resource[0]}.{request.resource[1]}"))

    def _fail(self, request: _Request, error: Exception) -> None:
        if not request.granted.done():
            # First out of the queue, where only requests that still wait may stand.
            self._withdraw(request)
            request.granted.set_exception(error)

    def _withdraw(self, request: _Request) -> None:
        """Take a request out of its queue, if it is still there, and let others move up."""
        if self._waiting.get(request.owner) is request:
            del self._waiting[request.owner]
            self._leave_queue(request)
        if request.granted.done() and not request.granted.cancelled():
            # A waiter that is cancelled at the same instant never looks at its error.
            request.granted.exception()

    def _leave_queue(self, request: _Request) -> None:
        if request.mode is Mode.INSERT:
            self._inserts.remove(request)
        else:
            lock = self._locks[request.resource]
            lock.queue.remove(request)
            self._promote(request.resource, lock)

    def _break_circles(self, request: _Request) -> None:
        while not request.granted.done():
            circle = self._circle(request.owner)
            if not circle:
                return
            victim = min(circle, key=lambda each: (each.weight, each is not request.owner))
            self.interrupt(victim, DeadlockError("chosen to break a circle of waits"))

    def _circle(self, start: Owner) -> list[Owner]:
        """Return a circle of owners that wait for one another through `start`, or nothing."""
        path: list[Owner] = []
        seen: dict[Owner, None] = {}

        def reaches_start(owner: Owner) -> bool:
            path.append(owner)
            for other in self._waits_for(owner):
                if other is start:
                    return True
                if other not in seen:
                    seen[other] = None
                    if reaches_start(other):
                        return True
            path.pop()
            return False

        return path if reaches_start(start) else []

    def _waits_for(self, owner: Owner) -> list[Owner]:
        request = self._waiting.get(owner)
        if request is None:
            return []
        if request.mode is Mode.INSERT:
            return self._gaps.blockers(owner, request.resource[:2], request.resource[2])
        lock = self._locks[request.resource]
        ahead = lock.queue[: lock.queue.index(request)]
        return lock.blockers(owner, request.mode, ahead)
