"""Work beside the requests: it comes back, is refused, or is stopped; requests never wait."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from adapters.bootstrap.elsewhere import Elsewhere
from domain.errors import (
    DeadlineExceededError,
    InvalidInputError,
    PermanentError,
    Problem,
)
from domain.ports.time import Deadline


def double(number: int) -> dict[str, Any]:
    return {"twice": number * 2}


def refuse(code: str) -> dict[str, Any]:
    raise InvalidInputError("no", (Problem(pointer="/a", code="b", detail="c"),), code=code)


def fail(number: int) -> dict[str, Any]:
    raise RuntimeError(number)


def hang(folder: str) -> dict[str, Any]:
    Path(folder, "begun").touch()
    while True:
        Path(folder, "alive").write_text(str(time.time_ns()))


def call(work: Callable[..., Any], *arguments: Any, seconds: float = 30.0) -> Any:
    async def main() -> Any:
        deadline = Deadline(asyncio.get_running_loop().time() + seconds)
        return await Elsewhere()(work, *arguments, deadline=deadline)

    return asyncio.run(main())


def test_the_result_comes_back_wherever_the_platform_was_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    assert call(double, 21) == {"twice": 42}


def test_a_refusal_keeps_its_code_and_place() -> None:
    with pytest.raises(InvalidInputError) as refused:
        call(refuse, "policy-invalid")

    assert (refused.value.code, refused.value.problems[0].pointer) == ("policy-invalid", "/a")


def test_work_that_fails_is_a_fault_of_ours() -> None:
    with pytest.raises(PermanentError):
        call(fail, 3)


@pytest.mark.parametrize("seconds", [3.0, 0.0])
def test_work_that_does_not_end_is_stopped(tmp_path: Path, seconds: float) -> None:
    with pytest.raises(DeadlineExceededError):
        call(hang, str(tmp_path), seconds=seconds)

    alive = tmp_path / "alive"
    last = alive.read_text() if alive.exists() else ""
    call(double, 1)
    assert (alive.read_text() if alive.exists() else "") == last


def test_the_loop_goes_on_while_work_is_done_and_turns_are_taken() -> None:
    async def main() -> tuple[int, list[Any]]:
        elsewhere = Elsewhere()
        deadline = Deadline(asyncio.get_running_loop().time() + 60)
        works = [asyncio.create_task(elsewhere(double, n, deadline=deadline)) for n in range(3)]
        turns = 0
        while not all(work.done() for work in works):
            await asyncio.sleep(0)
            turns += 1
        return turns, [work.result() for work in works]

    turns, results = asyncio.run(main())

    assert turns > 100
    assert results == [{"twice": 0}, {"twice": 2}, {"twice": 4}]
