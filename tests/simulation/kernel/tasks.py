"""Tasks of the virtual loop: deterministic hashes, owners, and where a task is waiting."""

import asyncio
import itertools
from collections.abc import Coroutine, Iterable
from contextvars import Context, ContextVar
from types import CodeType
from typing import Any, Final, Protocol, TypeVar

T = TypeVar("T")

WATCHED_MIN: Final = 1024


class TaskOwner(Protocol):
    """Whoever must hear of each task that is created on its behalf."""

    def adopt(self, task: asyncio.Task[Any]) -> bool:
        """Take the task; return whether a failure of it is a failure of the simulation."""


#: Inherited by child tasks like any context variable, so a whole process can be found and killed.
OWNER: Final[ContextVar[TaskOwner | None]] = ContextVar("OWNER", default=None)


class VirtualTask(asyncio.Task[T]):
    """A task whose hash is its number: asyncio keeps tasks in sets and cancels in their order."""

    def __init__(
        self,
        coro: Coroutine[Any, Any, T],
        *,
        number: int,
        loop: asyncio.AbstractEventLoop,
        name: str | None,
        context: Context | None,
    ) -> None:
        # The C task registers itself in a set during construction, so the number comes first.
        self._number = number
        super().__init__(coro, loop=loop, name=name or f"task-{number}", context=context)

    def __hash__(self) -> int:
        return self._number


class Watch:
    """All tasks of a loop, and those whose failures must not get lost."""

    def __init__(self) -> None:
        self._tasks: dict[asyncio.Task[Any], None] = {}
        self._excused: dict[asyncio.Task[Any], None] = {}
        self._size_max = WATCHED_MIN

    def add(self, task: asyncio.Task[Any]) -> None:
        """Watch the task; those that ended well are forgotten from time to time."""
        if len(self._tasks) >= self._size_max:
            kept = (each for each in self._tasks if not each.done() or _is_unretrieved(each))
            self._tasks = dict.fromkeys(kept)
            self._size_max = max(WATCHED_MIN, 2 * len(self._tasks))
        self._tasks[task] = None

    def excuse(self, tasks: Iterable[asyncio.Task[Any]]) -> None:
        """Expect any end of tasks, as of a process that is killed."""
        self._excused = {each: None for each in self._excused if not each.done()}
        for task in tasks:
            self._tasks.pop(task, None)
            self._excused[task] = None

    def pending(self) -> list[asyncio.Task[Any]]:
        """Return the tasks that are not done, in the order of their creation."""
        # asyncio's own set holds the tasks of all loops, also of those that have ended.
        found = (each for each in (*self._tasks, *self._excused) if not each.done())
        return sorted(found, key=hash)

    def lost(self) -> list[BaseException]:
        """Return the exceptions that nobody has retrieved, and mark them as retrieved."""
        failed = [task for task in self._tasks if _is_unretrieved(task)]
        errors = (task.exception() for task in failed)
        return [error for error in errors if error is not None]

    def clear(self) -> None:
        """Watch nothing."""
        self._tasks.clear()
        self._excused.clear()


def place_of(task: asyncio.Task[Any]) -> str:
    """Return where a pending task waits: its innermost coroutine that has source."""
    found = "nowhere"
    inner: Any = task.get_coro()
    for _ in itertools.repeat(None, 100):
        if inner is None:
            break
        code = getattr(inner, "cr_code", None) or getattr(inner, "ag_code", None)
        frame = getattr(inner, "cr_frame", None) or getattr(inner, "ag_frame", None)
        if isinstance(code, CodeType) and frame is not None:
            found = f"{code.co_qualname} ({code.co_filename}:{frame.f_lineno})"
        inner = getattr(inner, "cr_await", None) or getattr(inner, "ag_await", None)
    return found


def _is_unretrieved(task: asyncio.Task[Any]) -> bool:
    # asyncio's own mark for "exception was never retrieved"; asking otherwise would retrieve it.
    return task.done() and task._log_traceback
