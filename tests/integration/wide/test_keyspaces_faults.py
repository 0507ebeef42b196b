"""What the wide store does when the network fails: a typed error, no lost write, and it heals."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest
import uvloop

from adapters.stores.keyspaces.retrying import Retries
from adapters.stores.keyspaces.storage import KeyspacesStorage
from domain.errors import DeadlineExceededError, ThrottledError, TransientError
from domain.ports.storage import Applied, ProjectionRow
from tests.contracts.opened import HandClock
from tests.integration.shared.caches import Loop
from tests.integration.wide.stores import (
    BRISK,
    PATIENT,
    Server,
    profile,
    soon,
    store_on,
    transactions,
)
from tests.services.proxy import NONE, SILENCE, FaultProxy, Faults, Part, Verdict, Way, proxied
from tests.services.server import free_ports

APPLIED, SAME, STALE = Applied.APPLIED, Applied.SAME, Applied.STALE
NEW, OLD = profile(3), profile(2)
BATCH = transactions(range(40))


@pytest.fixture
def loop() -> Iterator[Loop]:
    """As the service runs; the contract's suite has the other loop, as a Lambda does."""
    with Loop(uvloop.new_event_loop) as running:
        yield running


@pytest.fixture
def proxy(server: Server) -> Iterator[FaultProxy]:
    with proxied(server.address.port) as made:
        yield made


@pytest.fixture
def store(server: Server, proxy: FaultProxy, loop: Loop) -> Iterator[KeyspacesStorage]:
    with store_on(server.behind(proxy.port), loop, limits=BRISK, chance=1.0) as made:
        loop(made.check(soon()))
        loop(made.put_if_newer([OLD], soon()))
        yield made


def nth(way: Way, number: int, verdict: Verdict | Part, late_s: float = 0.0) -> Faults:
    """Return faults that judge one packet a way, and pass all others."""
    seen = 0

    def judge(found: Way, _data: bytes) -> Verdict | Part:
        nonlocal seen
        if found is not way:
            return Verdict.PASS
        seen += 1
        return verdict if seen == number else Verdict.PASS

    return Faults(judge=judge, late_s=late_s)


def healed(loop: Loop, call: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    """Call until it is answered, as callers do; the loop's own limit ends it."""

    async def until() -> Any:
        while True:
            try:
                return await call()
            except TransientError:
                await asyncio.sleep(0.02)

    return loop(until())


def attempt(
    store: KeyspacesStorage, loop: Loop, rows: Sequence[ProjectionRow]
) -> list[Applied] | None:
    try:
        return list(loop(store.put_if_newer(rows, soon())))
    except TransientError:
        return None


def stored(server: Server) -> dict[str, tuple[int, str]]:
    found = server.rows(
        "SELECT data_type, version, payload FROM creditplatform.creditdata WHERE customer_id='c-1'"
    )
    return {data_type: (version, payload) for data_type, version, payload in found}


def kept(*rows: ProjectionRow) -> dict[str, tuple[int, str]]:
    return {row.data_type: (row.version, row.payload.decode()) for row in rows}


@dataclass(frozen=True, slots=True)
class Case:
    """What is written, beside what is there, and the packet that is cut on its way."""

    rows: Sequence[ProjectionRow]
    others: Sequence[ProjectionRow]
    way: Way
    number: int
    verdict: Verdict | Part


CASES = [
    pytest.param(Case(rows, others, way, number, verdict), id=f"{name} {way.name} {number} {how}")
    for name, rows, others in (
        ("newer", [NEW], []),
        ("first", [profile(1, data_type="OTHER")], [OLD]),
        ("batch", BATCH, [OLD]),
    )
    for way in Way
    for number in (1, 2, 3)
    for how, verdict in (
        ("cut", Verdict.CUT),
        ("reset", Verdict.RESET),
        ("inside", Part(5, Verdict.RESET)),
    )
]


@pytest.mark.parametrize("case", CASES)
def test_cut_at_any_packet_nothing_is_lost_or_doubled(
    store: KeyspacesStorage, server: Server, proxy: FaultProxy, loop: Loop, case: Case
) -> None:
    rows, left = case.rows, kept(*case.rows, *case.others)
    proxy.faults = nth(case.way, case.number, case.verdict)

    told = attempt(store, loop, rows)

    # A row found at its version after a doubt may be said to be the same.
    assert told is None or set(told) <= {APPLIED, SAME}
    if told is not None:
        assert stored(server) == left
    # Two parts at most (a batch is a read and two writes), each with two retries.
    assert store.metrics()["retries"] <= 6
    proxy.faults = NONE
    again = healed(loop, lambda: store.put_if_newer(rows, soon()))
    assert set(again) <= {APPLIED, SAME}
    assert stored(server) == left
    assert healed(loop, lambda: store.put_if_newer(rows, soon())) == [SAME] * len(rows)


@pytest.mark.parametrize("way", Way)
def test_a_half_open_connection_is_left_for_a_fresh_one(
    store: KeyspacesStorage, server: Server, proxy: FaultProxy, loop: Loop, way: Way
) -> None:
    proxy.faults = nth(way, 1, Verdict.DROP)

    told = attempt(store, loop, [NEW])

    assert told in (None, [APPLIED])
    # The proxy would pass everything now, on any connection but that one.
    assert healed(loop, lambda: store.read_item("c-1", NEW.data_type, soon())) in (NEW, OLD)
    assert store.metrics()["openings"] == 2
    assert set(healed(loop, lambda: store.put_if_newer([NEW], soon()))) <= {APPLIED, SAME}
    assert stored(server) == kept(NEW)


def test_a_write_that_lands_late_does_not_undo_a_newer_one(
    store: KeyspacesStorage, server: Server, proxy: FaultProxy, loop: Loop
) -> None:
    proxy.faults = nth(Way.REQUEST, 1, Verdict.LATE, late_s=0.5)
    told = attempt(store, loop, [NEW])
    proxy.faults = NONE
    newer = profile(4)

    healed(loop, lambda: store.put_if_newer([newer], soon()))
    healed(loop, lambda: asyncio.sleep(1.0))

    assert told in (None, [APPLIED])
    assert stored(server) == kept(newer)
    assert healed(loop, lambda: store.put_if_newer([NEW], soon())) == [STALE]


def test_a_silent_server_ends_every_wait_at_its_own_deadline(
    server: Server, proxy: FaultProxy, loop: Loop
) -> None:
    # Only the deadlines can end these waits within the limit of the loop.
    limits = replace(PATIENT, request_s=600.0)
    with store_on(server.behind(proxy.port), loop, limits=limits) as store:
        loop(store.check(soon()))
        proxy.faults = SILENCE
        calls: list[Callable[[float], Coroutine[Any, Any, object]]] = [
            lambda left: store.read_item("c-1", NEW.data_type, soon(left)),
            lambda left: store.query("c-1", "TRANSACTION#", 9, "", soon(left)),
            lambda left: store.put_if_newer([NEW], soon(left)),
            lambda left: store.put_if_newer(BATCH, soon(left)),
            lambda left: store.read_items(["c-1", "c-2"], NEW.data_type, soon(left)),
        ]

        async def all_at_once() -> list[type]:
            waits = (call(number / 50) for number in range(1, 5) for call in calls)
            found = await asyncio.gather(*waits, return_exceptions=True)
            return [type(each) for each in found]

        assert loop(all_at_once()) == [DeadlineExceededError] * 20

        proxy.faults = NONE
        proxy.cut()
        assert healed(loop, lambda: store.read_item("c-1", NEW.data_type, soon())) is None


def test_a_slow_network_is_no_fault(store: KeyspacesStorage, proxy: FaultProxy, loop: Loop) -> None:
    proxy.faults = Faults(latency_s=0.05, drip=64)
    assert loop(store.read_item("c-1", OLD.data_type, soon())) == OLD


def test_while_the_server_is_away_calls_fail_at_once_and_it_is_found_again(
    store: KeyspacesStorage, proxy: FaultProxy, loop: Loop
) -> None:
    proxy.close()
    proxy.cut()
    for _ in range(3):
        with pytest.raises(TransientError):
            loop(store.read_item("c-1", OLD.data_type, soon()))

    proxy.open()

    assert healed(loop, lambda: store.read_item("c-1", OLD.data_type, soon())) == OLD
    assert loop(store.put_if_newer([NEW], soon())) == [APPLIED]


def test_a_start_without_the_server_finds_it_later(server: Server, loop: Loop) -> None:
    (nobody,) = free_ports(1)
    limits = replace(BRISK, reconnect_s=0.05)
    with store_on(server.behind(nobody), loop, limits=limits) as store:
        with pytest.raises(TransientError, match="away"):
            loop(store.check(soon()))
        with pytest.raises(TransientError):
            loop(store.read_item("c-1", OLD.data_type, soon()))
        assert store.metrics()["openings_failed"] >= 1

        with proxied(server.address.port) as proxy:
            proxy.close()
            proxy.port = nobody
            proxy.open()
            assert healed(loop, lambda: store.put_if_newer([NEW], soon())) == [APPLIED]


def test_callers_beyond_the_line_are_refused_and_the_others_answered(
    server: Server, proxy: FaultProxy, loop: Loop
) -> None:
    limits = replace(PATIENT, in_flight=2, waiting=3, retries=Retries(attempts=1))
    with store_on(server.behind(proxy.port), loop, limits=limits) as store:
        loop(store.check(soon()))

        async def many() -> list[object]:
            reads = (store.read_item("c-1", OLD.data_type, soon()) for _ in range(9))
            return list(await asyncio.gather(*reads, return_exceptions=True))

        found = loop(many())
        refused = [each for each in found if isinstance(each, ThrottledError)]
        assert len(refused) == 4
        assert [each for each in found if each is None] == [None] * 5
        # The places came back.
        assert [type(each) for each in loop(many())].count(ThrottledError) == 4


def test_a_wait_for_a_place_ends_at_the_deadline(
    server: Server, proxy: FaultProxy, loop: Loop
) -> None:
    limits = replace(BRISK, in_flight=1, request_s=1.0, retries=Retries(attempts=1))
    with store_on(server.behind(proxy.port), loop, limits=limits) as store:
        loop(store.check(soon()))
        proxy.faults = SILENCE

        async def two() -> list[type]:
            reads = (store.read_item("c-1", "x", soon(left)) for left in (20, 0.1))
            found = await asyncio.gather(*reads, return_exceptions=True)
            return [type(each) for each in found]

        assert loop(two()) == [TransientError, DeadlineExceededError]
        proxy.faults = NONE
        proxy.cut()
        assert healed(loop, lambda: store.read_item("c-1", "x", soon())) is None


def test_a_cancelled_caller_gives_its_place_back(
    server: Server, proxy: FaultProxy, loop: Loop
) -> None:
    limits = replace(PATIENT, in_flight=1, waiting=1)
    with store_on(server.behind(proxy.port), loop, limits=limits) as store:
        loop(store.check(soon()))

        async def cancelled() -> None:
            tasks = [asyncio.create_task(store.read_item("c-1", "x", soon())) for _ in range(2)]
            await asyncio.sleep(0)
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
            assert all(task.cancelled() for task in tasks)

        for _ in range(5):
            loop(cancelled())
            assert loop(store.read_item("c-1", "x", soon())) is None


def test_sessions_that_rested_too_long_are_opened_afresh(
    server: Server, proxy: FaultProxy, loop: Loop
) -> None:
    clock = HandClock()
    limits = replace(PATIENT, heartbeat_s=0.0, idle_s=60.0)
    with store_on(server.behind(proxy.port), loop, clock=clock, limits=limits) as store:
        deadline = replace(soon(), at=float("inf"))
        loop(store.put_if_newer([OLD], deadline))
        clock.advance(59)
        assert loop(store.read_item("c-1", OLD.data_type, deadline)) == OLD
        assert store.metrics()["openings"] == 1

        # A frozen process: what it had is cut, and nobody told it.
        clock.advance(61)
        proxy.faults = SILENCE
        proxy.cut()
        proxy.faults = NONE
        assert loop(store.read_item("c-1", OLD.data_type, deadline)) == OLD
        assert store.metrics()["openings"] == 2
        assert store.metrics()["retries"] == 0


def test_more_sessions_are_more_connections_taken_in_turn(
    server: Server, proxy: FaultProxy, loop: Loop
) -> None:
    with store_on(server.behind(proxy.port), loop, limits=replace(PATIENT, sessions=3)) as store:
        loop(store.check(soon()))
        # One of them is the cluster's own.
        assert proxy.connections == 4
        sessions = store._link._sessions
        assert sessions is not None
        taken = [sessions.next() for _ in range(6)]
        assert len(set(map(id, taken))) == 3
        assert taken[:3] == taken[3:]


def test_closing_ends_every_connection_and_later_calls(
    server: Server, proxy: FaultProxy, loop: Loop
) -> None:
    with store_on(server.behind(proxy.port), loop) as store:
        loop(store.check(soon()))
        loop(store.aclose())
        with pytest.raises(TransientError, match="closed"):
            loop(store.read_item("c-1", "x", soon()))
        healed(loop, lambda: _none_open(proxy))


async def _none_open(proxy: FaultProxy) -> None:
    if proxy.connections:
        raise TransientError("still open")
