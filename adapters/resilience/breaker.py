"""
A circuit breaker: a store that fails, or answers too slowly, is left alone for a while.

Closed: calls pass. It opens after failures in a row, or when too large a share of the last calls
failed or was slow. Open: calls fail at once. After a pause it is half open: one call at a time may
try, successes in a row close it, a failure opens it again. What began before a transition says
nothing about the state after it.

Two failures of many breakers are kept out: nobody is let through just because a state cannot be
read, and a probe that never comes back is given up after a pause.
"""

from dataclasses import dataclass
from typing import Final

from domain.errors import TransientError
from domain.ports.breakers import BreakerState
from domain.ports.monitoring import Monitoring
from domain.ports.time import Clock

FINE: Final = 0
SLOW: Final = 1
FAILED: Final = 2


class BreakerOpenError(TransientError):
    """The store is left alone for a while; nothing was asked, so trying again is of no use."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerSettings:
    """
    When a breaker opens, and for how long; the defaults are the brief's (B1, E10).

    failures_max: failures in a row that open it; successes_min: in a row that close it.
    window, calls_min: of the last so many calls, from so many on, a share counts.
    error_rate, slow_rate: the shares of failed and of slow calls that open it.
    slow_s: a call is slow from here on. patience_s: who gives up sooner than this says nothing
    about the store: it came with too little time.
    """

    failures_max: int = 5
    successes_min: int = 2
    pause_s: float = 60.0
    window: int = 100
    calls_min: int = 20
    error_rate: float = 0.5
    slow_rate: float = 0.5
    slow_s: float = 0.25
    patience_s: float = 0.005


DEFAULTS: Final = BreakerSettings()


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerView:
    """What people and other processes see of a breaker; `cause` is why it opened last."""

    name: str
    state: BreakerState
    failures: int
    successes: int
    opened: int
    cause: str
    retry_in_s: float


class Window:
    """The marks of the last calls, in a ring."""

    __slots__ = ("_at", "_marks", "failed", "filled", "size", "slow")

    def __init__(self, size: int) -> None:
        self.size = size
        self.clear()

    def clear(self) -> None:
        """Forget every call."""
        self._marks = bytearray(self.size)
        self._at = self.filled = self.failed = self.slow = 0

    def add(self, mark: int) -> None:
        """Note a call in the place of the oldest one."""
        if self.filled < self.size:
            self.filled += 1
        if not (mark or self.failed or self.slow):
            # All are fine, so it does not matter which of them is the oldest.
            return
        old = self._marks[self._at]
        if old != mark:
            self._marks[self._at] = mark
            self.failed += (mark == FAILED) - (old == FAILED)
            self.slow += (mark == SLOW) - (old == SLOW)
        self._at = (self._at + 1) % self.size


class Breaker:
    """Guards the calls to one store; safe within one event loop."""

    __slots__ = (
        "_cause", "_clock", "_closed", "_failures", "_monitoring", "_opened", "_probe_at",
        "_sensitive", "_settings", "_since", "_slow_s", "_successes", "_window", "name",
    )  # fmt: skip

    def __init__(
        self,
        name: str,
        clock: Clock,
        monitoring: Monitoring,
        settings: BreakerSettings = DEFAULTS,
    ) -> None:
        self.name = name
        self._clock, self._monitoring, self._settings = clock, monitoring, settings
        self._slow_s = settings.slow_s
        self._window = Window(settings.window)
        self._closed, self._since = True, float("-inf")
        self._probe_at: float | None = None
        self._failures = self._successes = self._opened = 0
        self._sensitive = False
        self._cause = ""
        monitoring.gauge("breaker_open", 0.0, store=name)

    @property
    def state(self) -> BreakerState:
        """What the breaker would do with a call now."""
        if self._closed:
            return BreakerState.CLOSED
        return BreakerState.OPEN if self._retry_in_s() > 0.0 else BreakerState.HALF_OPEN

    def view(self) -> BreakerView:
        """Return what there is to see."""
        return BreakerView(
            name=self.name,
            state=self.state,
            failures=self._failures,
            successes=self._successes,
            opened=self._opened,
            cause=self._cause,
            retry_in_s=0.0 if self._closed else self._retry_in_s(),
        )

    def heed(self, *, others_open: bool) -> None:
        """
        Take the word of other processes: while theirs are open, one failure opens this one.

        Their word alone opens nothing: one process with a broken network must not take a store
        away from all.
        """
        self._sensitive = others_open

    def enter(self) -> float:
        """
        Begin a call; return the instant that `succeeded`, `failed` or `left` is to be given.

        Raises:
            BreakerOpenError: nothing is to be asked now.
        """
        now = self._clock.monotonic()
        if not self._closed:
            self._enter_as_probe(now)
        return now

    def succeeded(self, began: float) -> None:
        """Note that the store answered a call, be it to refuse what was asked."""
        mark = SLOW if self._clock.monotonic() - began >= self._slow_s else FINE
        if not self._closed:
            self._probe_ended(began, mark)
        elif began >= self._since:
            self._failures = 0
            self._window.add(mark)
            if mark:
                self._judge()

    def failed(self, began: float) -> None:
        """Note that the store did not answer a call."""
        if not self._closed:
            self._probe_ended(began, FAILED)
        elif began >= self._since:
            self._failures += 1
            self._window.add(FAILED)
            self._judge()

    def left(self, began: float) -> None:
        """Note that a caller went away: after a slow call's time that is one, else it is none."""
        if self._clock.monotonic() - began >= self._slow_s:
            self._late(began)
        elif began == self._probe_at:
            self._probe_at = None

    def expired(self, began: float) -> None:
        """Note that a caller's time was up: a failure, unless it came with next to none."""
        if self._clock.monotonic() - began >= self._settings.patience_s:
            self.failed(began)
        elif began == self._probe_at:
            self._probe_at = None

    def _late(self, began: float) -> None:
        if not self._closed:
            self._probe_ended(began, FAILED)
        elif began >= self._since:
            self._window.add(SLOW)
            self._judge()

    def _enter_as_probe(self, now: float) -> None:
        pause_s = self._settings.pause_s
        probe_lost = self._probe_at is not None and now - self._probe_at >= pause_s
        if now - self._since < pause_s or (self._probe_at is not None and not probe_lost):
            self._monitoring.count("breaker_refused_total", store=self.name)
            raise BreakerOpenError(f"{self.name} is left alone for a while")
        self._probe_at = now

    def _probe_ended(self, began: float, mark: int) -> None:
        if began != self._probe_at:
            return
        self._probe_at = None
        if mark == FINE:
            self._successes += 1
            if self._successes >= self._settings.successes_min:
                self._close()
        else:
            self._open("probe_slow" if mark == SLOW else "probe_failed")

    def _judge(self) -> None:
        settings, window = self._settings, self._window
        if self._failures >= (1 if self._sensitive else settings.failures_max):
            self._open("failures_in_a_row")
        elif window.filled >= settings.calls_min:
            if window.failed >= settings.error_rate * window.filled:
                self._open("error_rate")
            elif window.slow >= settings.slow_rate * window.filled:
                self._open("slow_rate")

    def _open(self, cause: str) -> None:
        self._closed, self._since, self._cause = False, self._clock.monotonic(), cause
        self._successes = 0
        self._opened += 1
        self._tell(BreakerState.OPEN, 1.0, "warning")

    def _close(self) -> None:
        self._closed, self._since = True, self._clock.monotonic()
        self._failures = 0
        self._window.clear()
        self._tell(BreakerState.CLOSED, 0.0, "info")

    def _tell(self, state: BreakerState, level: float, severity: str) -> None:
        self._monitoring.gauge("breaker_open", level, store=self.name)
        self._monitoring.count("breaker_transitions_total", store=self.name, state=state.value)
        self._monitoring.event(
            "breaker", level=severity, store=self.name, state=state.value, cause=self._cause
        )

    def _retry_in_s(self) -> float:
        return max(0.0, self._since + self._settings.pause_s - self._clock.monotonic())
