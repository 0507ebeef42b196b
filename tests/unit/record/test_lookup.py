"""Looking up a key: nobody waits longer than it may, nor fails for the key of another."""

import asyncio
import gc
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pytest

from decision_engine.record.lookup import LOOKUP_SECONDS, KeyLookup
from decision_engine.record.statements import ReplyRow
from domain.errors import DeadlineExceededError, InvalidInputError, TransientError
from domain.ports.time import Deadline
from domain.ports.truth import Program, Statement
from tests.simulation.kernel.loop import run
from tests.unit.record.toy import NOW

KEY = ("client", "k1")


class LoopClock:
    """The clock of the virtual loop."""

    def now(self) -> datetime:
        return NOW

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()


@dataclass(slots=True)
class HangingTruth:
    """A truth that keeps what is read to itself for so long, whatever the deadline."""

    seconds: float = 0.0
    error: Exception | None = None
    deadlines: list[float] = field(default_factory=list)

    async def transact(self, program: Callable[[], Program[Any]], deadline: Deadline) -> Any:
        raise NotImplementedError

    async def read(self, statements: Sequence[Statement], deadline: Deadline) -> list[list[Any]]:
        self.deadlines.append(deadline.at)
        await asyncio.sleep(self.seconds)
        if self.error is not None:
            raise self.error
        (asked,) = statements
        return [[ReplyRow(app, key, "h", f"d-{key}", b"{}") for app, key in asked.keys]]


def looked_up(truth: HangingTruth, work: Callable[[KeyLookup], Coroutine[Any, Any, Any]]) -> Any:
    async def main() -> Any:
        return await work(KeyLookup(truth, LoopClock()))

    return run(1, main, order="fifo")


def test_a_server_that_hangs_holds_nobody_beyond_its_deadline() -> None:
    async def work(lookup: KeyLookup) -> list[float]:
        loop = asyncio.get_running_loop()

        async def ask(key: str, seconds: float) -> float:
            began = loop.time()
            with pytest.raises(DeadlineExceededError):
                await lookup.find(("client", key), Deadline(began + seconds))
            return loop.time() - began

        # Two of one key, one that joins the statement, and one that comes while it hangs.
        first = [asyncio.create_task(ask(*each)) for each in (("a", 0.5), ("a", 2.0), ("b", 1.0))]
        await asyncio.sleep(0.25)
        return [*await asyncio.gather(*first), await ask("c", 0.125)]

    assert looked_up(HangingTruth(60.0), work) == [0.5, 2.0, 1.0, 0.125]


def test_the_statement_has_as_long_as_the_most_patient_and_no_longer_than_allowed() -> None:
    truth = HangingTruth()

    async def work(lookup: KeyLookup) -> None:
        await asyncio.gather(*(lookup.find(("client", f"{s}"), Deadline(s)) for s in (1, 3, 2)))
        await lookup.find(KEY, Deadline(2))
        await lookup.find(KEY, Deadline(LOOKUP_SECONDS + 9))

    looked_up(truth, work)

    assert truth.deadlines == [3, 2, LOOKUP_SECONDS]


def test_who_has_time_is_answered_though_another_left() -> None:
    async def work(lookup: KeyLookup) -> Any:
        patient = asyncio.create_task(lookup.find(KEY, Deadline(4.0)))
        with pytest.raises(DeadlineExceededError):
            await lookup.find(KEY, Deadline(0.5))
        return await patient

    assert looked_up(HangingTruth(1.0), work).decision_id == "d-k1"


@pytest.mark.parametrize("key", [("client", "k\ud800"), ("\udfff", "k1")])
def test_a_key_that_is_no_text_fails_alone(key: tuple[str, str]) -> None:
    async def work(lookup: KeyLookup) -> Any:
        return await asyncio.gather(
            *(lookup.find(each, Deadline(9.0)) for each in (KEY, key, ("client", "chave-ção"))),
            return_exceptions=True,
        )

    first, bad, last = looked_up(HangingTruth(), work)

    assert (first.decision_id, last.decision_id) == ("d-k1", "d-chave-ção")
    assert isinstance(bad, InvalidInputError)


@pytest.mark.parametrize("error", [TransientError("away"), ZeroDivisionError()])
def test_after_a_failure_the_next_are_looked_up(error: Exception) -> None:
    truth = HangingTruth(error=error)

    async def work(lookup: KeyLookup) -> Any:
        with pytest.raises(type(error)):
            await lookup.find(KEY, Deadline(9.0))
        truth.error = None
        return await lookup.find(KEY, Deadline(9.0))

    assert looked_up(truth, work).decision_id == "d-k1"


def test_a_failure_for_which_nobody_waits_any_more_is_no_news() -> None:
    heard: list[str] = []

    async def main() -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: heard.append(context["message"]))
        lookup = KeyLookup(HangingTruth(0.01, TransientError("away")), LoopClock())
        leaving = asyncio.create_task(lookup.find(KEY, Deadline(loop.time() + 9)))
        await asyncio.sleep(0)
        leaving.cancel()
        await asyncio.gather(leaving, return_exceptions=True)
        while lookup._task is not None:  # noqa: ASYNC110
            await asyncio.sleep(0.01)

    asyncio.run(main())
    # What failed holds on to who looked it up until both are gone.
    gc.collect()

    assert heard == []
