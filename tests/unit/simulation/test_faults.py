"""Faults strike as often as they are told to, are counted, and end when healed."""

import asyncio

import pytest

from tests.simulation.kernel.faults import Crash, Faults, Process, Rates, TransientFaultError
from tests.simulation.kernel.loop import run


def test_a_seed_repeats_its_faults() -> None:
    async def program() -> list[tuple[float, str]]:
        faults = Faults(7, Rates(delay=0.5, transient=0.3))
        log = []
        for number in range(50):
            try:
                await faults.point("p")
            except TransientFaultError:
                log.append((asyncio.get_running_loop().time(), f"{number}"))
        return log

    first, second = run(1, program), run(1, program)
    assert first == second
    assert 5 < len(first) < 30


def test_points_and_faults_are_counted() -> None:
    async def program() -> Faults:
        faults = Faults(1, overrides={"bad": Rates(transient=1.0)})
        await faults.point("good")
        await faults.point("good")
        with pytest.raises(TransientFaultError):
            await faults.point("bad.one")
        return faults

    faults = run(0, program)
    assert faults.counts == {"good": 2, "bad.one": 1, "bad.one!transient": 1}
    assert "bad.one transient" in faults.report()


def test_the_longest_override_holds() -> None:
    faults = Faults(0, overrides={"db": Rates(lost=0.1), "db.commit": Rates(lost=0.2)})

    assert faults.rates_at("db.select").lost == 0.1
    assert faults.rates_at("db.commit.after").lost == 0.2
    assert faults.rates_at("stream.put").lost == 0


def test_points_let_others_run() -> None:
    async def count(seen: list[int]) -> None:
        for number in range(1000):
            seen.append(number)
            await asyncio.sleep(0)

    async def program() -> set[int]:
        faults, seen = Faults(3), list[int]()
        counting = asyncio.create_task(count(seen))
        positions = set()
        for _ in range(20):
            await faults.point("p")
            positions.add(len(seen))
        counting.cancel()
        return positions

    assert len(run(0, program)) > 5


def test_points_let_time_pass() -> None:
    async def program() -> float:
        faults = Faults(3, Rates(delay=0.5, delay_s_max=1.0))
        for _ in range(100):
            await faults.point("p")
        return asyncio.get_running_loop().time()

    assert 15 < run(0, program) < 35


def test_healed_faults_strike_no_more() -> None:
    async def program() -> None:
        faults = Faults(1, Rates(transient=1.0), {"db": Rates(transient=1.0)})
        with pytest.raises(TransientFaultError):
            await faults.point("db")
        faults.heal()
        await faults.point("db")
        await faults.point("p")

    run(0, program)


def test_a_crash_spares_code_outside_every_process() -> None:
    run(0, lambda: Faults(1, Rates(crash=1.0)).point("p"))


def test_no_handler_survives_a_crash() -> None:
    async def stubborn(faults: Faults, heard: list[str]) -> None:
        try:
            await faults.point("p")
        except Exception:  # noqa: BLE001 - the point of the test
            heard.append("survived")
        except Crash:
            heard.append("crashed")
            raise

    async def program() -> None:
        heard: list[str] = []
        Process("victim").spawn(stubborn(Faults(1, Rates(crash=1.0)), heard))
        await asyncio.sleep(1)
        assert heard == ["crashed"]

    run(0, program)


def test_a_crash_kills_the_process_that_meets_it() -> None:
    async def program() -> None:
        faults = Faults(1, Rates(crash=1.0))
        victim, bystander = Process("victim"), Process("bystander")
        victim.spawn(faults.point("p"))
        await asyncio.sleep(1)
        assert not victim.alive
        assert bystander.alive
        assert faults.counts["p!crash"] == 1

    run(0, program)
