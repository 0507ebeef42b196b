"""
A deterministic event loop: one thread, virtual time, an order of callbacks drawn from a seed.

Time stands still while a callback is ready and jumps to the next timer when none is. There are no
sockets, threads or real sleeps. The same seed and program give the same history in every run, as
long as the program itself does not iterate over sets of strings or of plain objects, whose order
changes with PYTHONHASHSEED and with addresses (`VirtualLoop.fingerprint` shows a difference).
"""

import asyncio
import sys
from asyncio import events
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextvars import Context
from typing import Any, Final, TypeVar, TypeVarTuple
from weakref import WeakValueDictionary

from tests.simulation.kernel.agenda import Agenda, Order, VirtualHandle, VirtualTimer
from tests.simulation.kernel.errors import (
    SimulationError,
    StepLimitError,
    StuckError,
    UnhandledTaskError,
)
from tests.simulation.kernel.tasks import OWNER, VirtualTask, Watch, place_of

T = TypeVar("T")
Ts = TypeVarTuple("Ts")
MAX_STEPS: Final = 1_000_000
WIND_UP_STEPS: Final = 100_000


class VirtualLoop(asyncio.AbstractEventLoop):
    """
    An event loop that owns its time and draws the order of ready callbacks from its seed.

    order: "shuffled" takes any ready callback next; "fifo" keeps asyncio's own order.
    step_s: virtual seconds that each step takes, so that timers can fire among ready callbacks.
    """

    def __init__(
        self,
        seed: int = 0,
        *,
        order: Order = "shuffled",
        max_steps: int = MAX_STEPS,
        step_s: float = 0.0,
    ) -> None:
        self.steps = 0
        self.max_steps = max_steps
        self.watch: Final = Watch()
        self._agenda: Final = Agenda(seed, order)
        self._step_s: Final = step_s
        self._numbers = 0
        self._failures: Final[list[BaseException]] = []
        self._generators: Final = WeakValueDictionary[int, AsyncGenerator[Any, Any]]()
        self._running = False
        self._closed = False

    # --- what asyncio asks of a loop

    def time(self) -> float:
        """Return the virtual seconds since the loop was made."""
        return self._agenda.now

    @property
    def fingerprint(self) -> int:
        """Return a number made of all choices so far: equal histories have equal ones."""
        return self._agenda.fingerprint

    def call_soon(
        self,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: Context | None = None,
    ) -> asyncio.Handle:
        handle = VirtualHandle(callback, args, context)
        self._agenda.add(handle)
        return handle

    def call_later(
        self,
        delay: float,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        return self.call_at(self._agenda.now + delay, callback, *args, context=context)

    def call_at(
        self,
        when: float,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        timer = VirtualTimer(when, callback, args, context)
        self._agenda.add_timer(timer, self._next_number())
        return timer

    def create_future(self) -> asyncio.Future[Any]:
        return asyncio.Future(loop=self)

    def create_task(
        self,
        coro: Any,
        *,
        name: str | None = None,
        context: Context | None = None,
        **_: Any,
    ) -> asyncio.Task[Any]:
        """Start a task, tell its owner, and watch for a failure that nobody retrieves."""
        number = self._next_number()
        task: asyncio.Task[Any] = VirtualTask(
            coro, number=number, loop=self, name=name, context=context
        )
        owner = OWNER.get() if context is None else context.get(OWNER)
        if owner is None or owner.adopt(task):
            self.watch.add(task)
        else:
            self.watch.excuse([task])
        return task

    def get_debug(self) -> bool:
        return False

    def is_running(self) -> bool:
        return self._running

    def is_closed(self) -> bool:
        return self._closed

    def close(self) -> None:
        """Forget everything that is still scheduled."""
        self._closed = True
        self._agenda.clear()
        self.watch.clear()

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """Keep what asyncio would only log; the next step raises it."""
        # Tasks are watched; one that reaches the garbage collector unwatched is excused.
        if self._closed or isinstance(context.get("future"), VirtualTask):
            return
        self._failures.append(context.get("exception") or RuntimeError(context["message"]))

    async def shutdown_asyncgens(self) -> None:
        """Close the asynchronous generators that were left half-way."""
        for number in sorted(self._generators):
            if (generator := self._generators.get(number)) is not None:
                await generator.aclose()

    # --- running

    def run_until_complete(self, future: Any) -> Any:
        """
        Run until the future is done and return its result.

        Raises:
            StuckError: nothing can ever finish it.
            StepLimitError: the bound on steps was reached.
            UnhandledTaskError: a callback failed.
        """
        _refuse_nesting()
        main = asyncio.ensure_future(future, loop=self)
        self.watch.excuse([main])  # its exception is raised from here
        hooks = sys.get_asyncgen_hooks()
        sys.set_asyncgen_hooks(firstiter=self._generator_begins, finalizer=self._generator_dropped)
        events._set_running_loop(self)
        self._running = True
        try:
            self._drive(main)
        finally:
            self._running = False
            events._set_running_loop(None)
            sys.set_asyncgen_hooks(*hooks)
        return main.result()

    def unhandled(self) -> list[BaseException]:
        """Return, once, the failures that nobody has looked at."""
        lost = [*self._failures, *self.watch.lost()]
        self._failures.clear()
        return lost

    def pending(self) -> list[asyncio.Task[Any]]:
        """Return the tasks that are not done, in the order of their creation."""
        return self.watch.pending()

    def _drive(self, main: asyncio.Future[Any]) -> None:
        agenda, failures = self._agenda, self._failures
        while not main.done():
            if not agenda.prepare():
                cause = next(iter(self.unhandled()), None)
                raise StuckError(f"deadlock; pending:\n{self._listing()}") from cause
            handle = agenda.take()
            if handle._cancelled:
                continue
            self.steps += 1
            if self.steps > self.max_steps:
                raise StepLimitError(f"{self.steps} steps; pending:\n{self._listing()}")
            try:
                handle.perform()
            except BaseException as error:
                raise _failed(error) from error
            if failures:
                raise UnhandledTaskError("a callback failed") from failures[0]
            if self._step_s:
                agenda.advance(self._step_s)

    def _next_number(self) -> int:
        self._numbers += 1
        return self._numbers

    def _listing(self) -> str:
        return "\n".join(f"  {task.get_name()}: {place_of(task)}" for task in self.pending())

    def _generator_begins(self, generator: AsyncGenerator[Any, Any]) -> None:
        self._generators[self._next_number()] = generator

    def _generator_dropped(self, generator: AsyncGenerator[Any, Any]) -> None:
        if not self._closed:
            self.create_task(generator.aclose())


def _failed(error: BaseException) -> BaseException:
    if isinstance(error, SystemExit | KeyboardInterrupt):
        return error
    return UnhandledTaskError("a callback failed")


def new_loop(
    seed: int, *, order: Order = "shuffled", max_steps: int = MAX_STEPS, step_s: float = 0.0
) -> VirtualLoop:
    """Return a loop; what a simulation must not do (sockets, threads) is left unimplemented."""
    return VirtualLoop(  # type: ignore[abstract]
        seed, order=order, max_steps=max_steps, step_s=step_s
    )


def run(
    seed: int,
    program: Callable[[], Coroutine[Any, Any, T]],
    *,
    order: Order = "shuffled",
    max_steps: int = MAX_STEPS,
    step_s: float = 0.0,
) -> T:
    """
    Run a program from start to end in a loop of its own and return its result.

    Tasks that it leaves behind are cancelled. Whatever fails carries a note with the seed.

    Raises:
        SimulationError: the program got stuck, ran too long, or lost a failure of a task.
    """
    _refuse_nesting()
    loop = new_loop(seed, order=order, max_steps=max_steps, step_s=step_s)
    try:
        result: T = loop.run_until_complete(program())
        _raise_lost(loop)
        _wind_up(loop)
    except BaseException as error:
        error.add_note(f"seed {seed}, order {order}, step {loop.steps}, {loop.time():.6f} s")
        _wind_up_after(loop)
        raise
    else:
        return result
    finally:
        loop.close()


def _refuse_nesting() -> None:
    if events._get_running_loop() is not None:
        raise SimulationError("a loop is running already")


def _wind_up(loop: VirtualLoop) -> None:
    loop.max_steps = loop.steps + WIND_UP_STEPS
    loop.run_until_complete(_cancel_all(loop))
    loop.run_until_complete(loop.shutdown_asyncgens())
    _raise_lost(loop)


def _wind_up_after(loop: VirtualLoop) -> None:
    """End what is left after a failure, so that it does not end in the garbage collector."""
    try:
        loop.unhandled()
        _wind_up(loop)
    except SimulationError:
        return  # the first failure is the one to report


async def _cancel_all(loop: VirtualLoop) -> None:
    left = [task for task in loop.pending() if task is not asyncio.current_task()]
    for task in left:
        task.cancel()
    if left:
        await asyncio.wait(left)


def _raise_lost(loop: VirtualLoop) -> None:
    if lost := loop.unhandled():
        names = ", ".join(repr(error) for error in lost)
        raise UnhandledTaskError(f"nobody looked at: {names}") from lost[0]
