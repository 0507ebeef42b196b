"""A person who is locked elsewhere holds nobody else up, and is not starved."""

import asyncio
import json
from collections.abc import Awaitable
from functools import partial

import pytest

from adapters.stores.model.hooks import LANDED, LOST, REFUSED, RUN, Fate, FateKind, Operation
from decision_engine.record.entry import Done, Known
from domain.errors import AmbiguousError, LedgerBusyError, TransientError
from tests.simulation.kernel.faults import Faults, Rates
from tests.simulation.kernel.store_faults import StoreFaults
from tests.unit.record.two_lanes import Office, ask, live, now


def test_six_locked_and_five_freed() -> None:
    async def work(office: Office) -> None:
        await office.add_persons(7)
        writer = await office.add_writer()
        held = [await office.lock(f"p{n}") for n in range(6)]
        tasks = [asyncio.create_task(ask(writer, f"k{n}", f"p{n}")) for n in range(6)]
        await asyncio.sleep(0.1)
        # Neither a refusal of a locked person nor another person waits for them.
        assert isinstance((await ask(writer, "free", "p6"))[1], Done)
        assert isinstance((await ask(writer, "refused", "p0", limit=0))[1], Done)
        assert now() == pytest.approx(0.1)
        for connection in held[:5]:
            await connection.close()
        results = await asyncio.gather(*tasks)
        await held[5].close()
        assert all(isinstance(result, Done) and at <= 0.12 for at, result in results[:5])
        at, error = results[5]
        assert isinstance(error, LedgerBusyError)
        assert 1.0 <= at <= 1.02
        assert office.tally.counts["ledger_busy_total"] == 1
        assert office.tally.counts["ledger_moved_total"] == 6

    live(work)


def test_a_hot_person_of_two_processes_starves_nobody() -> None:
    async def work(office: Office) -> None:
        await office.add_persons(1)
        writers = [await office.add_writer() for _ in range(2)]

        async def busy(process: int, caller: int) -> list[float]:
            asked = partial(ask, writers[process], person="p0", limit=10**9)
            return [await _timed(asked(f"{process}-{caller}-{n}")) for n in range(8)]

        answers = await asyncio.gather(*(busy(p, c) for p in range(2) for c in range(32)))
        assert len(office.decisions()) == 2 * 32 * 8
        # Far from the second after which a request is given up.
        assert max(max(each) for each in answers) < 0.5
        assert office.tally.counts["ledger_moved_total"] > 0

    for seed in range(3):
        # A batch of 32 takes some ten milliseconds, as on a server.
        slow = Faults(seed, Rates(delay=0.5, delay_s_max=0.0004))
        live(work, partial(Office, StoreFaults(slow, "db")), seed, "shuffled")


async def _timed(asked: Awaitable[tuple[float, object]]) -> float:
    begun = now()
    at, result = await asked
    assert isinstance(result, Done)
    return at - begun


def test_the_second_lane_has_a_chain_of_its_own_and_is_opened_when_needed() -> None:
    async def work(office: Office) -> None:
        await office.add_persons(2)
        writer = await office.add_writer()
        await ask(writer, "k0", "p1")
        assert len(office.batches()) == 1
        held = await office.lock("p0")
        tasks = [asyncio.create_task(ask(writer, "k1", "p0"))]
        await asyncio.sleep(0.05)
        # Another request of the person joins it, without a try on the first lane.
        tasks.append(asyncio.create_task(ask(writer, "k2", "p0")))
        await asyncio.sleep(0.05)
        assert office.tally.counts["ledger_parked_total"] == 2
        await held.close()
        assert all(isinstance(result, Done) for _, result in await asyncio.gather(*tasks))
        await ask(writer, "k3", "p0")
        (first, rows), (second, _) = sorted(
            office.batches().items(), key=lambda lane: lane[1][0].written_us
        )
        assert [row.lane for row in sorted(office.decisions(), key=lambda row: row.idem_key)] == [
            first, second, second, first,
        ]  # fmt: skip
        note = json.loads(office.batches()[second][0].note)
        assert note["writer"] == "writer 0"
        assert note["heads"][first][0] == 1
        assert note["heads"][first][1] == rows[2].previous_hash.hex()

    live(work)


def test_without_a_second_connection_a_locked_person_is_asked_for_again() -> None:
    async def work(office: Office) -> None:
        await office.add_persons(1)
        writer = await office.add_writer()
        held = await office.lock("p0")
        task = asyncio.create_task(ask(writer, "k0", "p0"))
        await asyncio.sleep(0.3)
        await held.close()
        at, result = await task
        assert isinstance(result, Done)
        assert at <= 0.306
        assert len(office.batches()) == 1

    live(work, partial(Office, has_second=False))


# --- a fault at every statement


class OneFault:
    """Gives the call of one number its fate; without one it only counts."""

    def __init__(self, number: int, fate: Fate) -> None:
        self.left = number
        self.armed = False
        self._fate = fate

    def opened(self, abort: object) -> None:
        pass

    async def before(self, operation: Operation) -> Fate:
        self.left -= self.armed
        return self._fate if self.armed and self.left == 0 else RUN

    async def pause(self, operation: Operation) -> None:
        pass

    async def after(self, operation: Operation) -> None:
        pass

    def abandoned(self, operation: Operation) -> Fate:
        return LOST


def locked_for_a_while(hooks: OneFault) -> int:
    """Let two requests meet a locked person, the fault, and each other; return the calls made."""

    async def work(office: Office) -> None:
        await office.add_persons(2)
        writer = await office.add_writer()
        held = await office.lock("p0")
        hooks.armed, begun = True, hooks.left
        asks = {
            "k0": ("p0", 900_00), "k1": ("p0", 900_00), "k2": ("p1", 900_00), "k3": ("p1", 0),
        }  # fmt: skip
        tasks = [
            asyncio.create_task(ask(writer, key, person, amount=300_00, limit=limit))
            for key, (person, limit) in asks.items()
        ]
        await asyncio.sleep(0.02)
        await held.close()
        heard = dict(zip(asks, [result for _, result in await asyncio.gather(*tasks)], strict=True))
        calls.append(begun - hooks.left)
        hooks.armed = False
        await asyncio.sleep(1.0)
        for key, result in heard.items():
            person, limit = asks[key]
            _, again = await ask(writer, key, person, amount=300_00, limit=limit)
            assert isinstance(again, Known | Done)
            if isinstance(result, Exception):
                assert isinstance(result, TransientError | AmbiguousError)
            elif isinstance(result, Done):
                assert again == Known(result.decision_id, f"hash-{key}", result.reply)
        assert sorted((row.idem_key, row.outcome) for row in office.decisions()) == [
            (key, "APPROVED" if limit else "DECLINED") for key, (_, limit) in asks.items()
        ]
        assert sum(row["principal"] for row in office.database.rows("reservations")) == 900_00

    calls: list[int] = []
    live(work, partial(Office, hooks))
    return calls[0]


CALLS = locked_for_a_while(OneFault(0, RUN))


@pytest.mark.parametrize(
    "fate",
    [
        LOST,
        LANDED,
        REFUSED,
        Fate(FateKind.LATE, 0.03),
        Fate(FateKind.HALF_OPEN, 0.5),
    ],
    ids=lambda fate: fate.kind.name.lower(),
)
def test_a_fault_at_any_statement_of_both_lanes_is_settled(fate: Fate) -> None:
    assert CALLS > 60
    for number in range(1, CALLS + 1):
        locked_for_a_while(OneFault(number, fate))
