"""A connection that is lost under a program: its caller learns whether anything was committed."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest

from decision_engine.record.statements import InsertDecisions, ReadKeys
from domain.errors import AmbiguousError, CreditError, TransientError
from domain.ports.truth import Begin, Commit, Program, Truth
from tests.contracts.mysql import DRIVERS, LIMIT_S, LoopThread, Server
from tests.contracts.opened import NEVER, HandClock, Runner
from tests.contracts.rows import a_decision, committing
from tests.integration.ledger_faults.desk import DRIVERS as KINDS
from tests.services.proxy import NONE, FaultProxy, Faults, Verdict, Way, proxied

CLERK = "truth_clerk"
KEYS = ReadKeys((("app", "k-1"), ("app", "k-2")))


@dataclass(frozen=True, slots=True)
class Line:
    """A store of truth behind a proxy, for a user who may not write past `read_only`."""

    truth: Truth
    run: Runner
    proxy: FaultProxy
    server: Server

    def known(self) -> list[str]:
        (rows,) = self.run(self.truth.read([KEYS], NEVER))
        return sorted(row.idem_key for row in rows)

    def transact(self, program: Callable[[], Program[Any]]) -> Any:
        return self.run(self.truth.transact(program, NEVER))

    def told(self, program: Callable[[], Program[Any]]) -> type[CreditError]:
        with pytest.raises(CreditError) as caught:
            self.transact(program)
        self.proxy.faults = NONE
        return type(caught.value)


@pytest.fixture(params=DRIVERS)
def line(request: pytest.FixtureRequest, server: Server) -> Iterator[Line]:
    server.empty()
    name, host = server.address.database, server.address.host
    server.run(
        f"CREATE USER IF NOT EXISTS '{CLERK}'@'{host}' IDENTIFIED BY '{CLERK}'",
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON {name}.* TO '{CLERK}'@'{host}'",
    )
    loop = LoopThread()
    with proxied(server.address.port) as proxy:
        address = replace(server.address, port=proxy.port, user=CLERK, password=CLERK)
        truth = KINDS[request.param](address, HandClock(), connections=1)
        try:
            yield Line(truth, loop, proxy, server)
            loop(truth.close())
        finally:
            loop.close()


def losing(text: bytes, way: Way) -> Faults:
    """Cut the connection at a packet with this text: before it arrives, or at its answer."""
    seen = False

    def judge(found: Way, data: bytes) -> Verdict:
        nonlocal seen
        seen = seen or (found is Way.REQUEST and text in data)
        return Verdict.CUT if seen and found is way else Verdict.PASS

    return Faults(judge=judge)


def in_one_trip() -> Program[None]:
    yield (Begin(), InsertDecisions((a_decision(),)), Commit())


def in_two_trips() -> Program[None]:
    yield (Begin(), InsertDecisions((a_decision(),)))
    yield (KEYS,)
    yield (Commit(),)


@pytest.mark.parametrize("way", Way)
def test_a_commit_whose_answer_is_lost_is_ambiguous(line: Line, way: Way) -> None:
    line.proxy.faults = losing(b";COMMIT", way)

    assert line.told(in_one_trip) is AmbiguousError
    # What is read next is on a new connection; the old one ends before it, or with it.
    assert line.known() == ([] if way is Way.REQUEST else ["k-1"])


@pytest.mark.parametrize("way", Way)
def test_what_is_lost_before_a_commit_is_sent_was_not_committed(line: Line, way: Way) -> None:
    line.proxy.faults = losing(b"SELECT", way)

    assert line.told(in_two_trips) is TransientError
    assert line.known() == []


def test_where_nobody_listens_nothing_was_committed(line: Line) -> None:
    line.proxy.close()

    assert line.told(in_one_trip) is TransientError
    with pytest.raises(TransientError):
        line.known()
    line.proxy.open()
    line.transact(in_one_trip)
    assert line.known() == ["k-1"]


@pytest.mark.parametrize("program", [in_one_trip, in_two_trips])
def test_a_server_that_takes_no_writes_has_committed_nothing(
    line: Line, program: Callable[[], Program[None]]
) -> None:
    assert line.known() == []
    line.server.run("SET GLOBAL read_only = 1")
    try:
        assert line.told(program) is TransientError
        assert line.known() == []
    finally:
        line.server.run("SET GLOBAL read_only = 0")
    line.transact(program)
    assert line.known() == ["k-1"]


def test_a_caller_that_left_is_told_nothing_and_nobody_else_either(line: Line) -> None:
    heard: list[str] = []

    async def leave() -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: heard.append(context["message"]))
        # A program that the server does not let commit, since its row is there.
        task = asyncio.create_task(line.truth.transact(in_one_trip, NEVER))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        # One connection: whatever comes next has its turn after it.
        async with asyncio.timeout(LIMIT_S):
            await line.truth.transact(lambda: committing(KEYS), NEVER)

    line.transact(in_one_trip)
    line.run(leave())

    assert heard == []
