"""A failing or slow store is left alone, tried again, and let in again when it is well."""

import pytest

from adapters.resilience.breaker import (
    Breaker,
    BreakerOpenError,
    BreakerSettings,
)
from domain.ports.breakers import BreakerState
from tests.unit.decide.world import Counts
from tests.unit.record.ports import HandClock

CLOSED, OPEN, HALF_OPEN = BreakerState.CLOSED, BreakerState.OPEN, BreakerState.HALF_OPEN


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


def made(clock: HandClock, **settings: float) -> Breaker:
    return Breaker("redis", clock, Counts(), BreakerSettings(**settings))  # type: ignore[arg-type]


def fail(breaker: Breaker, times: int = 1) -> None:
    for _ in range(times):
        breaker.failed(breaker.enter())


def succeed(breaker: Breaker, clock: HandClock, times: int = 1, takes_s: float = 0.0) -> None:
    for _ in range(times):
        began = breaker.enter()
        clock.move(takes_s)
        breaker.succeeded(began)


def refuses(breaker: Breaker) -> bool:
    try:
        breaker.left(breaker.enter())
    except BreakerOpenError:
        return True
    return False


def test_the_defaults_are_those_of_the_brief() -> None:
    settings = BreakerSettings()

    assert (settings.failures_max, settings.successes_min, settings.pause_s) == (5, 2, 60.0)
    assert settings.error_rate == 0.5


def test_failures_in_a_row_open_it(clock: HandClock) -> None:
    breaker = made(clock)
    fail(breaker, 4)
    succeed(breaker, clock)
    fail(breaker, 4)
    assert breaker.state is CLOSED

    fail(breaker)
    assert (breaker.state, refuses(breaker)) == (OPEN, True)
    assert breaker.view().cause == "failures_in_a_row"


def test_a_share_of_failures_opens_it_from_some_calls_on(clock: HandClock) -> None:
    breaker = made(clock, calls_min=20)
    for _ in range(9):
        fail(breaker)
        succeed(breaker, clock)
    fail(breaker)
    assert breaker.state is CLOSED

    fail(breaker)
    assert (breaker.state, breaker.view().cause) == (OPEN, "error_rate")


def test_a_third_of_failures_leaves_it_closed(clock: HandClock) -> None:
    breaker = made(clock)
    for _ in range(500):
        fail(breaker)
        succeed(breaker, clock, 2)

    assert breaker.state is CLOSED


def test_only_the_last_calls_count(clock: HandClock) -> None:
    breaker = made(clock, window=30, failures_max=99)
    fail(breaker, 14)
    succeed(breaker, clock, 30)
    fail(breaker, 14)
    assert breaker.state is CLOSED

    fail(breaker)
    assert breaker.state is OPEN


def test_slow_answers_open_it(clock: HandClock) -> None:
    breaker = made(clock, slow_s=0.125)
    succeed(breaker, clock, 11)
    succeed(breaker, clock, 10, takes_s=0.125)
    assert breaker.state is CLOSED

    succeed(breaker, clock, takes_s=0.125)
    assert (breaker.state, breaker.view().cause) == (OPEN, "slow_rate")


def test_after_the_pause_one_call_at_a_time_tries_and_two_successes_close(clock: HandClock) -> None:
    breaker = made(clock, calls_min=6)
    fail(breaker, 5)
    clock.move(59.9)
    assert (breaker.state, refuses(breaker)) == (OPEN, True)

    clock.move(0.1)
    assert breaker.state is HALF_OPEN
    probe = breaker.enter()
    assert refuses(breaker)
    breaker.succeeded(probe)
    assert (breaker.state, breaker.view().successes) == (HALF_OPEN, 1)

    succeed(breaker, clock)
    assert breaker.state is CLOSED
    # What opened it before is forgotten.
    fail(breaker, 4)
    assert breaker.state is CLOSED


@pytest.mark.parametrize("way", ["failed", "slow", "expired", "left late"])
def test_a_probe_that_is_not_answered_well_opens_it_for_another_pause(
    clock: HandClock, way: str
) -> None:
    breaker = made(clock)
    fail(breaker, 5)
    clock.move(60)
    succeed(breaker, clock)
    probe = breaker.enter()
    clock.move(0.5)
    {
        "failed": breaker.failed,
        "slow": breaker.succeeded,
        "expired": breaker.expired,
        "left late": breaker.left,
    }[way](probe)
    assert (breaker.state, breaker.view().successes) == (OPEN, 0)

    clock.move(59.9)
    assert breaker.state is OPEN
    clock.move(0.2)
    assert breaker.state is HALF_OPEN


@pytest.mark.parametrize("way", ["left", "expired"])
def test_a_probe_that_says_nothing_makes_room_for_the_next(clock: HandClock, way: str) -> None:
    breaker = made(clock)
    fail(breaker, 5)
    clock.move(60)
    probe = breaker.enter()
    getattr(breaker, way)(probe)
    assert breaker.state is HALF_OPEN

    succeed(breaker, clock, 2)
    assert breaker.state is CLOSED


def test_a_probe_that_never_comes_back_is_given_up(clock: HandClock) -> None:
    breaker = made(clock)
    fail(breaker, 5)
    clock.move(60)
    lost = breaker.enter()
    clock.move(59)
    assert refuses(breaker)

    clock.move(1)
    succeed(breaker, clock, 2)
    assert breaker.state is CLOSED
    breaker.failed(lost)
    assert breaker.view().failures == 0


def test_what_began_before_says_nothing_about_what_is(clock: HandClock) -> None:
    breaker = made(clock)
    early = [breaker.enter() for _ in range(9)]
    clock.move(1)
    fail(breaker, 5)
    breaker.succeeded(early[0])
    breaker.failed(early[1])
    breaker.left(early[2])
    assert breaker.view().opened == 1

    clock.move(60)
    breaker.failed(early[3])
    breaker.succeeded(early[4])
    assert (breaker.state, breaker.view().successes) == (HALF_OPEN, 0)
    succeed(breaker, clock, 2)

    for each in early[5:]:
        breaker.failed(each)
    breaker.left(early[0])
    assert (breaker.state, breaker.view().failures) == (CLOSED, 0)

    fail(breaker, 4)
    breaker.succeeded(early[0])
    fail(breaker)
    assert breaker.state is OPEN


def test_who_comes_with_next_to_no_time_says_nothing(clock: HandClock) -> None:
    breaker = made(clock)
    for _ in range(50):
        breaker.expired(breaker.enter())
    assert breaker.state is CLOSED

    for _ in range(5):
        began = breaker.enter()
        clock.move(0.01)
        breaker.expired(began)
    assert breaker.state is OPEN


def test_who_goes_away_says_nothing_unless_it_waited_long(clock: HandClock) -> None:
    breaker = made(clock, slow_s=0.125, calls_min=4)
    for _ in range(50):
        breaker.left(breaker.enter())
    assert breaker.state is CLOSED

    for _ in range(4):
        began = breaker.enter()
        clock.move(0.125)
        breaker.left(began)
    assert (breaker.state, breaker.view().cause) == (OPEN, "slow_rate")


def test_while_others_left_the_store_one_failure_is_enough(clock: HandClock) -> None:
    breaker = made(clock)
    breaker.heed(others_open=True)
    succeed(breaker, clock)
    assert breaker.state is CLOSED

    fail(breaker)
    assert breaker.state is OPEN
    breaker.heed(others_open=False)
    clock.move(60)
    succeed(breaker, clock, 2)
    fail(breaker)
    assert breaker.state is CLOSED


def test_transitions_are_counted_and_told(clock: HandClock) -> None:
    told: list[tuple[str, object]] = []

    class Heard(Counts):
        def event(self, name: str, *, level: str = "info", **fields: str | float | bool) -> None:
            told.append((level, fields["state"]))

    counts = Heard()
    breaker = Breaker("redis", clock, counts)
    fail(breaker, 5)
    assert refuses(breaker)
    clock.move(60)
    succeed(breaker, clock, 2)

    assert told == [("warning", "open"), ("info", "closed")]
    assert counts.counted == {"breaker_transitions_total": 2, "breaker_refused_total": 1}


def test_a_view_says_when_it_tries_again(clock: HandClock) -> None:
    breaker = made(clock)
    assert breaker.view().retry_in_s == 0.0
    fail(breaker, 5)
    clock.move(20)

    assert (breaker.view().retry_in_s, breaker.view().failures) == (40.0, 5)
