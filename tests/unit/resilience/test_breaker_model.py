"""The breaker against a plain model of it: the same answer after any calls in any order."""

from dataclasses import dataclass, field

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    rule,
)

from adapters.resilience.breaker import Breaker, BreakerOpenError, BreakerSettings
from tests.unit.decide.world import Counts
from tests.unit.record.ports import HandClock

WAYS = ("succeeded", "failed", "left", "expired")


@dataclass
class Model:
    """Keeps whole histories and says everything in the slowest way."""

    settings: BreakerSettings
    state: str = "closed"
    opened_at: float = 0.0
    epoch: int = 0
    marks: list[str] = field(default_factory=list)
    in_a_row: int = 0
    good_probes: int = 0
    probe: int | None = None
    probe_at: float = 0.0
    sensitive: bool = False

    def shown(self, now: float) -> str:
        if self.state == "closed":
            return "closed"
        return "open" if now - self.opened_at < self.settings.pause_s else "half_open"

    def enter(self, number: int, now: float) -> bool:
        shown = self.shown(now)
        if shown == "closed":
            return True
        taken = self.probe is not None and now - self.probe_at < self.settings.pause_s
        if shown == "open" or taken:
            return False
        self.probe, self.probe_at = number, now
        return True

    def end(self, number: int, epoch: int, way: str, now: float, took: float) -> None:
        if self.state != "closed":
            if number == self.probe:
                self._probe_ended(way, now, took)
        elif epoch == self.epoch:
            self._note(way, now, took)

    def _probe_ended(self, way: str, now: float, took: float) -> None:
        self.probe = None
        mark = self._mark(way, took)
        if mark == "fine":
            self.good_probes += 1
            if self.good_probes == self.settings.successes_min:
                self.state, self.epoch = "closed", self.epoch + 1
                self.marks, self.in_a_row = [], 0
        elif mark is not None:
            self._open(now)

    def _note(self, way: str, now: float, took: float) -> None:
        mark = self._mark(way, took)
        if mark is None:
            return
        self.marks.append(mark)
        if mark == "failed":
            self.in_a_row += 1
        elif way == "succeeded":
            self.in_a_row = 0
        last = self.marks[-self.settings.window :]
        enough = len(last) >= self.settings.calls_min
        if (
            self.in_a_row >= (1 if self.sensitive else self.settings.failures_max)
            or (enough and last.count("failed") >= self.settings.error_rate * len(last))
            or (enough and last.count("slow") >= self.settings.slow_rate * len(last))
        ) and mark != "fine":
            self._open(now)

    def _open(self, now: float) -> None:
        self.state, self.opened_at, self.good_probes = "open", now, 0
        self.probe = None
        self.epoch += 1

    def _mark(self, way: str, took: float) -> str | None:
        if way == "succeeded":
            return "slow" if took >= self.settings.slow_s else "fine"
        if way == "failed":
            return "failed"
        if way == "left":
            return "slow" if took >= self.settings.slow_s else None
        return "failed" if took >= self.settings.patience_s else None


class BreakerMachine(RuleBasedStateMachine):
    calls = Bundle("calls")

    @initialize(
        failures=st.integers(1, 4),
        successes=st.integers(1, 3),
        window=st.integers(1, 8),
        calls_min=st.integers(1, 8),
    )
    def begin(self, failures: int, successes: int, window: int, calls_min: int) -> None:
        chosen = BreakerSettings(
            failures_max=failures,
            successes_min=successes,
            pause_s=8.0,
            window=window,
            calls_min=calls_min,
            slow_s=2.0,
            patience_s=1.0,
        )
        self.clock = HandClock()
        self.breaker = Breaker("store", self.clock, Counts(), chosen)
        self.model = Model(chosen)
        self.number = 0

    @rule(target=calls)
    def enter(self) -> tuple[int, int, float] | None:
        now = self.clock.monotonic()
        self.number += 1
        allowed = self.model.enter(self.number, now)
        try:
            began = self.breaker.enter()
        except BreakerOpenError:
            assert not allowed
            return None
        assert allowed
        return (self.number, self.model.epoch, began)

    @rule(call=consumes(calls), way=st.sampled_from(WAYS))
    def end(self, call: tuple[int, int, float] | None, way: str) -> None:
        if call is not None:
            number, epoch, began = call
            now = self.clock.monotonic()
            self.model.end(number, epoch, way, now, now - began)
            getattr(self.breaker, way)(began)

    @rule(call=consumes(calls), waited=st.sampled_from([0.5, 1.0, 2.0]))
    def fail_after(self, call: tuple[int, int, float] | None, waited: float) -> None:
        self.clock.move(waited)
        self.end(call, "failed")

    @rule(seconds=st.sampled_from([0.5, 1.0, 3.0, 8.0]))
    def wait(self, seconds: float) -> None:
        self.clock.move(seconds)

    @rule(others=st.booleans())
    def hear(self, others: bool) -> None:  # noqa: FBT001 - drawn
        self.breaker.heed(others_open=others)
        self.model.sensitive = others

    @invariant()
    def they_agree(self) -> None:
        if hasattr(self, "model"):
            assert self.breaker.state.value == self.model.shown(self.clock.monotonic())


BreakerMachine.TestCase.settings = settings(max_examples=150, stateful_step_count=60)
TestBreakerModel = BreakerMachine.TestCase
