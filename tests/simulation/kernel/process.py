"""
Simulated processes: groups of tasks that die together, as by kill -9, and start again.

What a dead process still runs (finally-blocks of its cancelled tasks) reaches no store: every
store call of it asks `check_alive` first. Stores learn of the death through `on_kill`.
"""

import asyncio
from collections.abc import Callable, Coroutine
from contextvars import Context
from functools import partial
from typing import Any, Final, TypeVar

from tests.simulation.kernel.loop import VirtualLoop
from tests.simulation.kernel.tasks import OWNER

T = TypeVar("T")


class Crash(BaseException):
    """The process ends here and now; it is no Exception, so that no handler survives it."""


class ProcessDead(BaseException):
    """A dead process tried to do something that others could see."""


class ProcessDownError(Exception):
    """What a caller from outside sees when the process dies before it answers."""


class Life:
    """One run of a process, from its start to its kill."""

    def __init__(self, name: str) -> None:
        self.name: Final = name
        self.alive = True
        self._tasks: list[asyncio.Task[Any]] = []
        self._replies: Final[dict[asyncio.Future[Any], None]] = {}
        self._on_kill: Final[list[Callable[[], None]]] = []

    def adopt(self, task: asyncio.Task[Any]) -> bool:
        """Take a task that this life started; one that a dead life starts never runs."""
        if not self.alive:
            task.cancel()
            return False
        if len(self._tasks) % 256 == 0:
            self._tasks = [each for each in self._tasks if not each.done()]
        self._tasks.append(task)
        return True

    def spawn(self, work: Coroutine[Any, Any, T], name: str | None = None) -> asyncio.Task[T]:
        """Start a background task; its own failure surfaces, its end by a kill does not."""
        context = Context()
        context.run(OWNER.set, self)
        return asyncio.get_running_loop().create_task(work, name=name, context=context)

    async def call(self, work: Coroutine[Any, Any, T]) -> T:
        """
        Run work inside, as a request from outside, and return its result.

        Cancelling the caller does not reach the work.

        Raises:
            ProcessDownError: the life ended first; the work may have had effects.
        """
        if not self.alive:
            work.close()
            raise ProcessDownError(self.name)
        reply: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._replies[reply] = None
        self.spawn(work).add_done_callback(partial(_relay, reply))
        try:
            return await reply
        finally:
            self._replies.pop(reply, None)
            _retrieve(reply)

    def on_kill(self, callback: Callable[[], None]) -> None:
        """Call back when the life ends, as the operating system closes its connections."""
        self._on_kill.append(callback)

    def kill(self) -> None:
        """End at once: no store call passes any more, callers are cut off, tasks are cancelled."""
        if not self.alive:
            return
        self.alive = False
        for callback in self._on_kill:
            callback()
        for reply in self._replies:
            if not reply.done():
                reply.set_exception(ProcessDownError(self.name))
        self._cancel_tasks()

    def _cancel_tasks(self) -> None:
        left = [task for task in self._tasks if not task.done()]
        loop = asyncio.get_running_loop()
        if isinstance(loop, VirtualLoop):
            loop.watch.excuse(left)
        for task in left:
            task.cancel()


class Process:
    """A process that can be killed and started again; each start is a new life."""

    def __init__(self, name: str) -> None:
        self.name: Final = name
        self.starts = 0
        self.life = self._begin()

    @property
    def alive(self) -> bool:
        """Return whether it runs."""
        return self.life.alive

    def spawn(self, work: Coroutine[Any, Any, T], name: str | None = None) -> asyncio.Task[T]:
        """Start a background task inside; in a dead process it never runs."""
        return self.life.spawn(work, name)

    async def call(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a request inside and return its result; ProcessDownError when it dies first."""
        return await self.life.call(work)

    def kill(self) -> None:
        """Kill it as kill -9 does."""
        self.life.kill()

    def restart(self) -> None:
        """Kill what still runs and begin a new life, which knows nothing of the old one."""
        self.kill()
        self.life = self._begin()

    def _begin(self) -> Life:
        self.starts += 1
        return Life(f"{self.name}#{self.starts}")


def current_life() -> Life | None:
    """Return the life that the running code belongs to, None outside every process."""
    owner = OWNER.get()
    return owner if isinstance(owner, Life) else None


def check_alive() -> None:
    """Raise ProcessDead when the running code belongs to a life that has ended."""
    owner = OWNER.get()
    if isinstance(owner, Life) and not owner.alive:
        raise ProcessDead(owner.name)


def _relay(reply: asyncio.Future[T], task: asyncio.Task[T]) -> None:
    error = None if task.cancelled() else task.exception()
    if reply.done():
        return
    if task.cancelled() or isinstance(error, Crash | ProcessDead):
        reply.set_exception(ProcessDownError("the work was cut off"))
    elif error is not None:
        reply.set_exception(error)
    else:
        reply.set_result(task.result())


def _retrieve(reply: asyncio.Future[Any]) -> None:
    """Look at the outcome: a caller that is cancelled at the same instant never does."""
    if reply.done() and not reply.cancelled():
        reply.exception()
