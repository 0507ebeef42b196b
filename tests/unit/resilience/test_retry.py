"""Failed reads are tried again, within a budget and the deadline, and never in step."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

import pytest

from adapters.resilience.breaker import BreakerOpenError
from adapters.resilience.retry import Retries, RetryingReader, RetrySettings
from domain.errors import (
    AmbiguousError,
    DeadlineExceededError,
    InvalidInputError,
    ThrottledError,
    TransientError,
)
from domain.ports.time import Deadline
from domain.retries import Budget
from tests.unit.decide.world import Counts, MemoryHot
from tests.unit.record.ports import HandClock


@dataclass
class Drawn:
    """Chance that says what it is told."""

    number: float = 0.5

    def token(self, size: int) -> bytes:
        return bytes(size)

    def uniform(self) -> float:
        return self.number


@dataclass
class Tries:
    """Fails as often as told, and remembers when it was tried."""

    clock: HandClock
    failures: list[Exception] = field(default_factory=list)
    at: list[float] = field(default_factory=list)

    async def __call__(self) -> str:
        self.at.append(self.clock.monotonic())
        if self.failures:
            raise self.failures.pop(0)
        return "answer"


def made(
    clock: HandClock, budget: Budget | None = None, chance: float = 0.5, **settings: Any
) -> Retries:
    async def sleep(seconds: float) -> None:
        clock.move(seconds)

    return Retries(
        "keyspaces",
        Budget() if budget is None else budget,
        clock,
        Drawn(chance),
        Counts(),
        RetrySettings(**settings),
        sleep,
    )


def run(work: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(work)


@pytest.mark.parametrize("error", [TransientError, ThrottledError, AmbiguousError])
def test_a_read_that_fails_for_a_moment_is_answered(error: Callable[[str], Exception]) -> None:
    clock = HandClock()
    tries = Tries(clock, [error("away"), error("away")])

    assert run(made(clock)(tries, Deadline(9.0))) == "answer"
    assert tries.at == pytest.approx([0.0, 0.025, 0.075])


def test_it_is_tried_so_often_and_no_more() -> None:
    clock = HandClock()
    tries = Tries(clock, [TransientError(str(number)) for number in range(9)])

    with pytest.raises(TransientError, match="2"):
        run(made(clock)(tries, Deadline(9.0)))
    assert len(tries.at) == 3


@pytest.mark.parametrize(
    "error", [InvalidInputError("no"), BreakerOpenError("open"), DeadlineExceededError("late")]
)
def test_what_cannot_help_is_not_tried_again(error: Exception) -> None:
    clock = HandClock()
    tries = Tries(clock, [error])

    with pytest.raises(type(error)):
        run(made(clock)(tries, Deadline(9.0)))
    assert len(tries.at) == 1


@pytest.mark.parametrize(("chance", "second"), [(0.0, 0.0), (0.25, 0.0125), (0.999, 0.04995)])
def test_the_pause_is_drawn_from_nothing_to_all_of_it(chance: float, second: float) -> None:
    clock = HandClock()
    tries = Tries(clock, [TransientError("away")])

    run(made(clock, chance=chance)(tries, Deadline(9.0)))
    assert tries.at[1] == pytest.approx(second)


def test_a_pause_has_a_bound() -> None:
    clock = HandClock()
    tries = Tries(clock, [TransientError("away")] * 5)

    run(made(clock, chance=1.0, attempts=6, pause_max_s=0.1)(tries, Deadline(9.0)))
    assert clock.monotonic() == pytest.approx(0.05 + 4 * 0.1)


def test_nobody_waits_past_its_deadline() -> None:
    clock = HandClock()
    tries = Tries(clock, [TransientError("away")])

    with pytest.raises(TransientError):
        run(made(clock)(tries, Deadline(0.025)))
    assert (len(tries.at), clock.monotonic()) == (1, 0.0)


def test_retries_are_a_small_share_of_the_calls_whatever_fails() -> None:
    clock = HandClock()
    retries = made(clock, Budget(ratio=0.1, saved_max=10.0))

    async def storm() -> int:
        attempts = 0
        for _ in range(1_000):
            tries = Tries(clock, [TransientError("away")] * 3)
            with pytest.raises(TransientError):
                await retries(tries, Deadline(1e9))
            attempts += len(tries.at)
        return attempts

    assert 1_100 <= run(storm()) <= 1_000 + 10 + 100
    assert retries.monitoring.counted["retries_refused_total"] > 0  # type: ignore[attr-defined]


def test_a_budget_saves_no_more_than_its_bound() -> None:
    budget = Budget(ratio=0.5, saved_max=2.0)
    for _ in range(100):
        budget.earn()

    assert [budget.spend() for _ in range(3)] == [True, True, False]
    budget.earn()
    assert not budget.spend()
    budget.earn()
    assert budget.spend()


def test_a_reader_tries_both_of_its_calls_again() -> None:
    clock = HandClock()

    @dataclass
    class Flaky(MemoryHot):
        left: int = 0

        async def read_item(self, *call: Any) -> Any:
            self._fail()
            return await super().read_item(*call)

        async def query(self, *call: Any) -> Any:
            self._fail()
            return await super().query(*call)

        def _fail(self) -> None:
            self.left -= 1
            if self.left >= 0:
                raise TransientError("away")

    flaky = Flaky()
    reader = RetryingReader(flaky, made(clock))

    async def scenario() -> None:
        flaky.left = 1
        assert await reader.read_item("c-1", "CUSTOMER_PROFILE", Deadline(9.0)) is None
        flaky.left = 2
        assert await reader.query("c-1", "", 1, "", Deadline(9.0)) == []

    run(scenario())
