"""Nobody waits behind somebody who asks many times, and who asks many times gets every answer."""

import asyncio
from collections.abc import Sequence

import pytest

from decision_engine.turns import PATIENCE_S, Turns
from tests.simulation.kernel.loop import run

SEED = 7
BUSY = "busy"
OTHERS = [f"other-{number}" for number in range(8)]


class Desk:
    """Where requests are worked on for some virtual seconds, and who left it in which order."""

    def __init__(self) -> None:
        self.turns = Turns()
        self.left: list[str] = []
        self.present: dict[str, int] = {}
        self.together: dict[str, int] = {}

    async def ask(self, customer_id: str, seconds: float = 1.0) -> None:
        async with self.turns.turn(customer_id):
            self.present[customer_id] = self.present.get(customer_id, 0) + 1
            most = max(self.together.get(customer_id, 0), self.present[customer_id])
            self.together[customer_id] = most
            try:
                await asyncio.sleep(seconds)
            finally:
                self.present[customer_id] -= 1
        self.left.append(customer_id)


QUICK_S = 0.01
SLOW_S = 0.05


async def all_at_once(desk: Desk, customers: Sequence[str], seconds: float = QUICK_S) -> None:
    """The others are the slow ones, so that a busy customer could overtake them."""
    await asyncio.gather(
        *(desk.ask(each, seconds if each == BUSY else SLOW_S) for each in customers)
    )


@pytest.mark.parametrize("seed", range(20))
def test_one_customer_is_decided_one_after_the_other(seed: int) -> None:
    desk = Desk()

    run(seed, lambda: all_at_once(desk, [BUSY] * 16 + OTHERS))

    assert desk.together == dict.fromkeys([BUSY, *OTHERS], 1)
    assert desk.left.count(BUSY) == 16


@pytest.mark.parametrize("seed", range(20))
def test_the_others_are_answered_in_the_first_round(seed: int) -> None:
    desk = Desk()

    run(seed, lambda: all_at_once(desk, [BUSY] * 16 + OTHERS))

    last = max(desk.left.index(other) for other in OTHERS)
    assert desk.left[: last + 1].count(BUSY) <= 1


def test_who_let_others_pass_goes_on_as_soon_as_they_are_through() -> None:
    desk = Desk()

    async def program() -> float:
        await all_at_once(desk, [BUSY, BUSY, "other"])
        return await _now()

    began = run(SEED, _now)
    assert run(SEED, program) - began == pytest.approx(SLOW_S + QUICK_S)


def test_a_customer_that_asks_again_gets_one_decision_a_round() -> None:
    desk = Desk()

    async def others_without_end(stop: asyncio.Event) -> None:
        while not stop.is_set():
            await all_at_once(desk, OTHERS)

    async def program() -> None:
        stop = asyncio.Event()
        endless = [asyncio.create_task(others_without_end(stop)) for _ in range(3)]
        await all_at_once(desk, [BUSY] * 5)
        stop.set()
        await asyncio.gather(*endless)

    run(SEED, program)

    assert desk.left.count(BUSY) == 5


def test_who_is_alone_waits_for_nobody() -> None:
    desk = Desk()

    async def program() -> float:
        await all_at_once(desk, [BUSY] * 16, 0.0)
        return asyncio.get_running_loop().time()

    began = run(SEED, _now)
    assert run(SEED, program) == began


def test_a_request_that_never_ends_holds_up_a_follower_for_a_while_only() -> None:
    desk = Desk()

    async def program() -> float:
        stuck = asyncio.create_task(desk.ask("stuck", 3600.0))
        await asyncio.sleep(1)
        began = await _now()
        await all_at_once(desk, [BUSY] * 2, 0.0)
        took = await _now() - began
        stuck.cancel()
        return took

    assert run(SEED, program) == pytest.approx(PATIENCE_S)


def test_who_leaves_while_waiting_or_at_work_gives_the_turn_on() -> None:
    desk = Desk()

    async def program() -> None:
        asks = [asyncio.create_task(desk.ask(BUSY)) for _ in range(3)]
        other = asyncio.create_task(desk.ask("other"))
        await asyncio.sleep(0.5)
        for ask in asks[:2]:
            ask.cancel()
        await asyncio.gather(*asks, other, return_exceptions=True)

    run(SEED, program)

    assert sorted(desk.left) == [BUSY, "other"]


def test_nothing_is_kept_of_who_has_gone() -> None:
    desk = Desk()

    run(SEED, lambda: all_at_once(desk, [BUSY] * 4 + OTHERS))

    assert not desk.turns._lines
    assert not desk.turns._at_work


async def _now() -> float:
    return asyncio.get_running_loop().time()


@pytest.mark.parametrize("left_after", [0, 1, 2, 3])
def test_who_leaves_while_waiting_holds_up_nobody(left_after: int) -> None:
    """Cancelled in the line, or at the very moment when the turn is given."""
    desk = Desk()

    async def program() -> list[str]:
        first, second, third = (asyncio.create_task(desk.ask(BUSY, 0)) for _ in range(3))
        other = asyncio.create_task(desk.ask("other", 0))
        for _ in range(left_after):
            await asyncio.sleep(0)
        second.cancel()
        await asyncio.wait([first, second, third, other], timeout=SLOW_S)
        return desk.left

    assert run(SEED, program).count(BUSY) >= 2
    assert not desk.turns._lines
    assert not desk.turns._at_work


def test_who_leaves_while_letting_others_pass_gives_the_turn_on() -> None:
    desk = Desk()

    async def program() -> list[str]:
        async with desk.turns.turn("other"):
            async with desk.turns.turn(BUSY):
                second = asyncio.create_task(desk.ask(BUSY, 0))
                await asyncio.sleep(QUICK_S)
                third = asyncio.create_task(desk.ask(BUSY, 0))
                await asyncio.sleep(QUICK_S)
            await asyncio.sleep(QUICK_S)
            second.cancel()
            await asyncio.sleep(QUICK_S)
        await asyncio.wait([second, third], timeout=SLOW_S)
        return desk.left

    assert run(SEED, program) == [BUSY]
    assert not desk.turns._lines


def test_who_leaves_at_the_moment_the_turn_is_given_gives_it_on() -> None:
    desk = Desk()

    async def program() -> list[str]:
        async with desk.turns.turn(BUSY):
            second, third = (asyncio.create_task(desk.ask(BUSY, 0)) for _ in range(2))
            await asyncio.sleep(0)
        second.cancel()
        await asyncio.wait([second, third], timeout=SLOW_S)
        return desk.left

    assert run(SEED, program) == [BUSY]
    assert not desk.turns._lines
