"""What only the driver in threads promises: connections, threads, and time."""

import asyncio
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest

from adapters.stores.sql.pymysql_truth import PymysqlTruth
from adapters.stores.sql.rendering import Plan, Renderers
from domain.errors import DeadlineExceededError, TransientError
from domain.ports.time import Deadline
from domain.ports.truth import Begin, Commit, Program
from tests.contracts.mysql import Server
from tests.contracts.opened import NEVER, HandClock
from tests.services.proxy import SILENCE, FaultProxy, Faults, proxied

SLOW_DRIP = Faults(latency_s=0.05, drip=1)
SOON = Deadline(0.5)


@dataclass(frozen=True, slots=True)
class ReadSession:
    """-> list[int], the number of the server's session."""


KNOWN: Renderers = {
    ReadSession: lambda _: Plan((("SELECT CONNECTION_ID()", ()),), lambda results: [*results[0][0]])
}


@pytest.fixture
def proxy(server: Server) -> Iterator[FaultProxy]:
    with proxied(server.address.port) as opened:
        yield opened


@pytest.fixture
def truth(server: Server, proxy: FaultProxy) -> Iterator[PymysqlTruth]:
    """A store with one thread, whose clock stands at 0."""
    address = replace(server.address, port=proxy.port)
    opened = PymysqlTruth(address, HandClock(), connections=1, known=KNOWN)
    yield opened
    asyncio.run(opened.close())


def session(truth: PymysqlTruth, deadline: Deadline = NEVER) -> int:
    ((number,),) = asyncio.run(truth.read([ReadSession()], deadline))
    assert isinstance(number, int)
    return number


def test_a_connection_is_kept_from_one_loop_to_the_next(truth: PymysqlTruth) -> None:
    assert session(truth) == session(truth)


def test_all_results_of_a_packet_come_in_order(truth: PymysqlTruth) -> None:
    def program() -> Program[list[list[int]]]:
        _, *numbers, _ = yield (Begin(), ReadSession(), ReadSession(), Commit())
        return numbers

    first, second = asyncio.run(truth.transact(program, NEVER))

    assert first == second == [session(truth)]


@pytest.mark.parametrize("faults", [SLOW_DRIP, SILENCE], ids=["drip", "silence"])
def test_a_read_ends_at_its_deadline(
    truth: PymysqlTruth, proxy: FaultProxy, faults: Faults
) -> None:
    before = session(truth)
    proxy.faults = faults

    with pytest.raises(TransientError):
        session(truth, SOON)

    proxy.faults = Faults()
    assert session(truth) != before


def test_an_answer_in_drops_breaks_a_connection(server: Server, proxy: FaultProxy) -> None:
    address = replace(server.address, port=proxy.port)
    truth = PymysqlTruth(address, HandClock(), known=KNOWN, trip_seconds=0.5)
    before = session(truth)
    proxy.faults = SLOW_DRIP

    with pytest.raises(TransientError):
        session(truth)

    proxy.faults = Faults()
    assert session(truth) != before
    asyncio.run(truth.close())


def test_what_waits_for_a_thread_until_its_deadline_never_begins(truth: PymysqlTruth) -> None:
    begun, go_on = threading.Event(), threading.Event()
    late = []

    def slow() -> Program[None]:
        begun.set()
        go_on.wait()
        yield (Begin(), Commit())

    def program() -> Program[None]:
        late.append("begun")
        yield (Begin(), Commit())

    async def queue_up() -> None:
        first = asyncio.create_task(truth.transact(slow, NEVER))
        await asyncio.to_thread(begun.wait)
        with pytest.raises(DeadlineExceededError):
            await truth.transact(program, SOON)
        go_on.set()
        await first

    asyncio.run(queue_up())
    asyncio.run(truth.transact(slow, NEVER))

    assert late == []


def test_a_cancelled_caller_does_not_stop_its_program(truth: PymysqlTruth) -> None:
    begun, go_on, ended = threading.Event(), threading.Event(), threading.Event()

    def program() -> Program[None]:
        begun.set()
        go_on.wait()
        yield (Begin(), Commit())
        ended.set()

    async def give_up() -> None:
        caller = asyncio.create_task(truth.transact(program, NEVER))
        await asyncio.to_thread(begun.wait)
        caller.cancel()
        with pytest.raises(asyncio.CancelledError):
            await caller
        go_on.set()

    asyncio.run(give_up())
    session(truth)

    assert ended.is_set()


def test_a_closed_store_says_so_and_leaves_no_thread(server: Server) -> None:
    before = threading.active_count()
    truth = PymysqlTruth(server.address, HandClock(), known=KNOWN)
    session(truth)
    asyncio.run(truth.close())
    asyncio.run(truth.close())

    with pytest.raises(TransientError):
        session(truth)
    assert threading.active_count() == before
