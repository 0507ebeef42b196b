"""The hot store when the network or the server fails: nothing lost, nothing doubled, soon told."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import pytest

from adapters.aws.pool import Limits
from adapters.aws.retrying import RetryPolicy
from adapters.stores.dynamodb.errors import HotStoreRefusedError
from adapters.stores.dynamodb.storage import DynamoStorage
from domain.errors import DeadlineExceededError, ThrottledError, TransientError
from domain.ports.storage import Applied, ProjectionRow
from tests.integration.hot.answering import Answer, Answering, answering, fails
from tests.integration.hot.stores import PATIENT, at_port, client_of, soon, store_on
from tests.integration.shared.caches import Loop
from tests.services.provided import provided_lasting
from tests.services.proxy import NONE, SILENCE, FaultProxy, Faults, Part, Verdict, Way, proxied

PROFILE = "CUSTOMER_PROFILE"
ATTEMPTS = RetryPolicy().attempts
THROTTLES = (
    "ProvisionedThroughputExceededException", "ThrottlingException", "RequestLimitExceeded",
)  # fmt: skip
WRITTEN = {Applied.APPLIED, Applied.SAME}


def row(number: int, version: int = 1) -> ProjectionRow:
    return ProjectionRow(f"c-{number}", PROFILE, version, b"%d at %d" % (number, version))


def some_rows(count: int, version: int = 1) -> list[ProjectionRow]:
    return [row(number, version) for number in range(count)]


def port_of(url: str) -> int:
    port = urlsplit(url).port
    assert port is not None
    return port


class Once:
    """Cuts what goes one way at the given packet (and byte), once; counts the packets."""

    def __init__(self, way: Way, packet: int, first: int | None, verdict: Verdict) -> None:
        self.way, self.packet, self.first, self.verdict = way, packet, first, verdict
        self.seen = 0

    def __call__(self, way: Way, data: bytes) -> Verdict | Part:
        if way is not self.way:
            return Verdict.PASS
        self.seen += 1
        if self.seen != self.packet + 1:
            return Verdict.PASS
        if self.first is None:
            return self.verdict
        return Part(min(self.first, len(data)), self.verdict)


@pytest.fixture
def proxy(url: str) -> Iterator[FaultProxy]:
    with proxied(port_of(url)) as made:
        yield made


@pytest.fixture
def through(proxy: FaultProxy, loop: Loop, table: str) -> Iterator[DynamoStorage]:
    with client_of(at_port(proxy.port), loop) as client, store_on(client, loop, table) as made:
        yield made


@pytest.mark.parametrize("count", [1, 7], ids=["one row", "some rows"])
@pytest.mark.parametrize(
    "fate",
    [(way, verdict) for way in Way for verdict in (Verdict.CUT, Verdict.RESET)],
    ids=lambda fate: f"{fate[0].name} {fate[1].name}",
)
def test_a_write_cut_at_any_packet_is_done_once(
    through: DynamoStorage, proxy: FaultProxy, loop: Loop, fate: tuple[Way, Verdict], count: int
) -> None:
    version = 0
    for packet in range(3):
        for first in (None, 0, 1, 60, 10_000):
            version += 1
            fault = Once(fate[0], packet, first, fate[1])
            proxy.faults = Faults(judge=fault)
            before = through.metrics()["attempts"]
            written = some_rows(count, version)

            results = loop(through.put_if_newer(written, soon()))

            assert set(results) <= WRITTEN
            assert through.metrics()["attempts"] - before <= ATTEMPTS
            keys = [each.key for each in written]
            proxy.faults = NONE
            found = loop(through.read_many(keys, soon(), consistent=True))
            assert found == {each.key: each for each in written}
            if fault.seen <= packet:
                break


def test_reads_cut_at_any_packet_come_all_the_same(
    through: DynamoStorage, proxy: FaultProxy, loop: Loop
) -> None:
    rows = some_rows(20)
    loop(through.put_if_newer(rows, soon()))

    async def read() -> list[Any]:
        single = (through.read_item(*each.key, soon()) for each in rows)
        return [
            await asyncio.gather(*single),
            list(await through.query("c-3", "", 9, "", soon())),
            dict(await through.read_many([each.key for each in rows], soon())),
        ]

    expected = [rows, [row(3)], {each.key: each for each in rows}]
    for way in Way:
        for packet in range(8):
            proxy.faults = Faults(judge=Once(way, packet, 100, Verdict.RESET))
            assert loop(read()) == expected
    assert all(isinstance(each, float | int) for each in through.metrics().values())


def test_a_request_that_arrives_late_undoes_nothing(
    loop: Loop, proxy: FaultProxy, through: DynamoStorage
) -> None:
    """The first attempt at version 1 lands after version 2 was written."""
    late = Faults(judge=Once(Way.REQUEST, 0, None, Verdict.LATE), late_s=0.2)
    proxy.faults = late
    assert set(loop(through.put_if_newer([row(1)], soon()))) <= WRITTEN
    proxy.faults = NONE
    assert loop(through.put_if_newer([row(1, 2)], soon())) == [Applied.APPLIED]
    while proxy.connections > 1:
        loop(asyncio.sleep(0.01))
    assert loop(through.read_now(*row(1).key, soon())) == row(1, 2)


def test_a_silent_network_ends_each_call_at_its_deadline_and_heals(
    through: DynamoStorage, proxy: FaultProxy, loop: Loop
) -> None:
    loop(through.put_if_newer([row(1)], soon()))
    proxy.faults = SILENCE
    calls: list[Callable[[], Any]] = [
        lambda: through.read_item(*row(1).key, soon(0.05)),
        lambda: through.read_now(*row(1).key, soon(0.05)),
        lambda: through.query("c-1", "", 9, "", soon(0.05)),
        lambda: through.put_if_newer(some_rows(3), soon(0.05)),
    ]
    for call in calls:
        with pytest.raises(DeadlineExceededError):
            loop(call())

    async def gathered() -> list[object]:
        reads = (through.read_item("c-1", PROFILE, soon(n / 200)) for n in range(1, 31))
        found = await asyncio.gather(*reads, return_exceptions=True)
        return [type(each) for each in found]

    assert loop(gathered()) == [DeadlineExceededError] * 30

    proxy.faults = NONE
    assert loop(through.read_item(*row(1).key, soon())) == row(1)
    assert loop(tasks_left()) == 0


async def tasks_left() -> int:
    # Some turns for tasks that have just finished.
    for _ in range(5):
        await asyncio.sleep(0)
    return len(asyncio.all_tasks()) - 1


def test_an_attempt_that_hangs_is_given_up_for_another(url: str, loop: Loop, table: str) -> None:
    limits = replace(PATIENT, attempt_s=0.3)
    with (
        proxied(port_of(url)) as proxy,
        client_of(at_port(proxy.port), loop, limits=limits) as client,
        store_on(client, loop, table) as store,
    ):
        proxy.faults = Faults(judge=Once(Way.REPLY, 0, None, Verdict.DROP))
        # A slow machine may need more than one attempt; the deadline is far.
        assert loop(store.put_if_newer([row(1)], soon())) == [Applied.SAME]
        assert loop(store.read_item(*row(1).key, soon())) == row(1)


def served(url: str, say: Any) -> Any:
    return answering(say, port_of(url))


class Failing:
    """Answers the first `times` calls of these actions with `answer`; the rest are passed on."""

    def __init__(self, answer: Answer, times: int, *actions: str, after: bool = False) -> None:
        self.answer, self.times, self.actions, self.after = answer, times, actions, after
        self.server: Answering | None = None

    def __call__(self, action: str, request: Any) -> Answer | None:
        if action not in self.actions or self.times <= 0:
            return None
        self.times -= 1
        if self.after:
            assert self.server is not None
            self.server.passed_on(action, request)
        return self.answer


WRITES = ("PutItem", "TransactWriteItems")
READS = ("GetItem", "BatchGetItem", "Query")


@pytest.mark.parametrize("code", THROTTLES)
@pytest.mark.parametrize("count", [1, 5])
def test_throttling_passes_or_is_told(
    url: str, loop: Loop, table: str, code: str, count: int
) -> None:
    failing = Failing(fails(code), 0, *WRITES, *READS)
    with (
        served(url, failing) as server,
        client_of(at_port(server.port), loop) as client,
        store_on(client, loop, table) as store,
    ):
        failing.times = ATTEMPTS - 1
        assert loop(store.put_if_newer(some_rows(count), soon())) == [Applied.APPLIED] * count
        failing.times = ATTEMPTS - 1
        assert loop(store.read_item(*row(0).key, soon())) == row(0)

        failing.times = 10_000
        for call in (
            lambda: store.put_if_newer(some_rows(count, 2), soon()),
            lambda: store.read_item(*row(0).key, soon()),
            lambda: store.query("c-0", "", 9, "", soon()),
        ):
            asked = len(server.asked)
            with pytest.raises(ThrottledError):
                loop(call())
            assert len(server.asked) - asked == ATTEMPTS
        failing.times = 0
        assert loop(store.read_item(*row(0).key, soon())) == row(0)


def test_a_storm_stays_within_the_budget(url: str, loop: Loop, table: str) -> None:
    failing = Failing(fails("ThrottlingException"), 10**6, *WRITES, *READS)
    policy = RetryPolicy(tokens=20)
    with (
        served(url, failing) as server,
        client_of(at_port(server.port), loop) as client,
        store_on(client, loop, table, policy=policy) as store,
    ):

        async def storm() -> list[object]:
            reads = (store.read_now(*row(n).key, soon()) for n in range(100))
            return list(await asyncio.gather(*reads, return_exceptions=True))

        assert all(isinstance(each, ThrottledError) for each in loop(storm()))
        assert len(server.asked) == 120


@pytest.mark.parametrize("after", [True, False], ids=["after the effect", "before it"])
@pytest.mark.parametrize("count", [1, 5])
def test_a_server_error_leaves_each_row_written_once(
    url: str, loop: Loop, table: str, count: int, *, after: bool
) -> None:
    """After a lost effect the row that is found is equal: SAME tells what is stored."""
    failing = Failing(fails("InternalServerError", 500), 1, *WRITES, after=after)
    with (
        served(url, failing) as server,
        client_of(at_port(server.port), loop) as client,
        store_on(client, loop, table) as store,
    ):
        failing.server = server
        expected = Applied.SAME if after else Applied.APPLIED
        assert loop(store.put_if_newer(some_rows(count), soon())) == [expected] * count
        found = loop(store.read_many([each.key for each in some_rows(count)], soon()))
        assert list(found.values()) == some_rows(count) or len(found) == count


def test_keys_left_unprocessed_are_asked_again(url: str, loop: Loop, table: str) -> None:
    """The server answers half of the keys each time, then none."""
    rows = some_rows(60)

    def say(action: str, request: Any) -> Answer | None:
        if action != "BatchGetItem":
            return None
        keys = request["RequestItems"][table]["Keys"]
        now = keys[: len(keys) // 2] if generous else []
        left = {table: {"Keys": keys[len(now) :]}}
        if len(keys) <= 8 and generous:
            return None
        if not now:
            return Answer(200, {"Responses": {}, "UnprocessedKeys": left})
        part = {**request, "RequestItems": {table: {"Keys": now}}}
        return Answer(200, {**server.passed_on(action, part).body, "UnprocessedKeys": left})

    generous = True
    with (
        served(url, say) as server,
        client_of(at_port(server.port), loop) as client,
        store_on(client, loop, table) as store,
    ):
        loop(store.put_if_newer(rows, soon()))

        async def read() -> list[object]:
            reads = (store.read_item(*each.key, soon()) for each in rows)
            return list(await asyncio.gather(*reads, return_exceptions=True))

        assert loop(read()) == rows
        assert store.metrics()["unprocessed_keys"] > 0

        generous = False
        server.asked.clear()
        found = loop(read())
        assert found[:4] == rows[:4]
        assert all(type(each) is ThrottledError for each in found[4:])
        assert server.actions().count("BatchGetItem") == ATTEMPTS


def cancelled(*codes: str) -> Answer:
    reasons = [{"Code": code} for code in codes]
    return fails("TransactionCanceledException", CancellationReasons=reasons)


@pytest.mark.parametrize("code", ["TransactionConflict", "ThrottlingError"])
def test_a_transaction_that_meets_another_is_tried_again_then_each_row_alone(
    url: str, loop: Loop, table: str, code: str
) -> None:
    failing = Failing(cancelled("None", code, "None"), 2, "TransactWriteItems")
    with (
        served(url, failing) as server,
        client_of(at_port(server.port), loop) as client,
        store_on(client, loop, table) as store,
    ):
        assert loop(store.put_if_newer(some_rows(3), soon())) == [Applied.APPLIED] * 3
        assert server.actions() == ["TransactWriteItems"] * 3

        failing.times = 1_000
        server.asked.clear()
        assert loop(store.put_if_newer(some_rows(3, 2), soon())) == [Applied.APPLIED] * 3
        assert server.actions() == ["TransactWriteItems"] * 3 + ["PutItem"] * 3


def test_rows_that_the_service_does_not_take_are_told(url: str, loop: Loop, table: str) -> None:
    failing = Failing(cancelled("ValidationError", "None"), 1, "TransactWriteItems")
    with (
        served(url, failing) as server,
        client_of(at_port(server.port), loop) as client,
        store_on(client, loop, table) as store,
        pytest.raises(HotStoreRefusedError, match="ValidationError"),
    ):
        loop(store.put_if_newer(some_rows(2), soon()))


def test_a_server_that_is_killed_hung_and_restarted_is_served_again(loop: Loop) -> None:
    limits = Limits(connect_s=20, attempt_s=20)
    with provided_lasting("dynamodb") as server:
        url = server.settings["DYNAMODB_ENDPOINT"]
        with client_of(url, loop, limits=limits) as client, store_on(client, loop) as store:
            loop(store.create(soon()))
            loop(store.put_if_newer([row(1)], soon()))

            server.freeze()
            for call in (
                lambda: store.read_item(*row(1).key, soon(0.2)),
                lambda: store.put_if_newer(some_rows(3, 2), soon(0.2)),
            ):
                with pytest.raises(DeadlineExceededError):
                    loop(call())
            server.thaw()
            assert loop(store.read_item(*row(1).key, soon())) in (row(1), row(1, 2))

            server.kill()
            for _ in range(3):
                with pytest.raises(TransientError):
                    loop(store.read_item(*row(1).key, soon()))
                with pytest.raises(TransientError):
                    loop(store.put_if_newer([row(1, 2)], soon()))

            server.revive()
            # It lives in memory: the table is gone, and who made it makes it again.
            with pytest.raises(HotStoreRefusedError, match="no such table"):
                loop(store.read_item(*row(1).key, soon()))
            loop(store.create(soon()))
            assert loop(store.put_if_newer(some_rows(3, 3), soon())) == [Applied.APPLIED] * 3
            assert loop(store.read_item(*row(1).key, soon())) == row(1, 3)
