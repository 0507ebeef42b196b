"""The board of breakers on DynamoDB Local: the port's suite, and what is in a table by itself."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

import pytest

from adapters.aws.retrying import Retrying
from adapters.resilience.board import BreakerNews
from adapters.resilience.breaker import Breaker
from adapters.stores.dynamodb import breaker_table
from adapters.stores.dynamodb.breaker_board import PAGES_MAX, DynamoBreakerBoard
from adapters.stores.dynamodb.errors import (
    AccessRefusedError,
    CapacityModeError,
    ExpiryDisabledError,
    HotTableError,
    KeySchemaError,
    TableMissingError,
)
from adapters.stores.dynamodb.table import expiry, key_schema
from domain.errors import TransientError
from domain.ports.breakers import ROWS_MAX, BreakerBoard
from tests.contracts import test_breaker_board
from tests.contracts.opened import FixedChance, HandClock, Opened
from tests.contracts.test_breaker_board import NOW_S, ROW
from tests.integration.hot.answering import Answer, answering, fails
from tests.integration.hot.stores import at_port, client_of, soon
from tests.integration.shared.caches import Loop
from tests.services.server import free_ports
from tests.unit.decide.world import Counts

SHARED = {name: test for name, test in vars(test_breaker_board).items() if name[:5] == "test_"}
globals().update(SHARED)
_NUMBERS = count()


@contextmanager
def board_on(
    url: str, loop: Loop, table: str, clock: HandClock | None = None, counts: Counts | None = None
) -> Iterator[DynamoBreakerBoard]:
    clock = clock or HandClock()
    with client_of(url, loop, clock=clock) as client:
        retrying = Retrying(client, clock=clock, chance=FixedChance(0.0))
        yield DynamoBreakerBoard(
            retrying, region="us-east-1", monitoring=counts or Counts(), table=table
        )


@pytest.fixture
def breakers(url: str, loop: Loop) -> str:
    """A table that is made and empty."""
    name = f"breakers-{next(_NUMBERS)}"
    with board_on(url, loop, name) as board:
        loop(board.create(soon()))
    return name


@pytest.fixture
def board(url: str, loop: Loop, breakers: str) -> Iterator[Opened[BreakerBoard]]:
    clock = HandClock()
    with board_on(url, loop, breakers, clock) as made:
        yield Opened(made, clock, loop)


def asked(url: str, loop: Loop, action: str, body: dict[str, Any]) -> Any:
    with client_of(url, loop) as client:
        payload = json.dumps(body).encode()
        return json.loads(loop(client.call(f"DynamoDB_20120810.{action}", payload, soon())))


def test_a_row_is_the_brief_s_and_expires(url: str, loop: Loop, breakers: str) -> None:
    with board_on(url, loop, breakers) as board:
        loop(board.publish([ROW], soon()))

    assert asked(url, loop, "Scan", {"TableName": breakers})["Items"] == [
        {
            "service_name": {"S": "redis/one"},
            "state": {"S": "open"},
            "failure_count": {"N": "5"},
            "success_count": {"N": "1"},
            "last_failure_time": {"N": str(NOW_S - 3)},
            "updated": {"N": str(NOW_S)},
            "ttl": {"N": str(NOW_S + 600)},
        }
    ]


def test_the_row_of_a_process_that_is_gone_is_not_read(url: str, loop: Loop, breakers: str) -> None:
    clock = HandClock()
    with board_on(url, loop, breakers, clock) as board:
        loop(board.publish([ROW], soon()))
        clock.advance(599)
        assert loop(board.read(soon())) == [ROW]
        clock.advance(1)
        assert loop(board.read(soon())) == []


GARBAGE: dict[str, dict[str, Any]] = {
    "no state": {"state": None},
    "an unknown state": {"state": {"S": "ajar"}},
    "a state of another type": {"state": {"N": "1"}},
    "a number that is a word": {"updated": {"S": "now"}},
    "a fraction": {"updated": {"N": "1.5"}},
    "no process": {"service_name": {"S": "redis"}},
    "a long name": {"service_name": {"S": "redis/" + "x" * 300}},
    "a list": {"failure_count": {"L": []}},
}


@pytest.mark.parametrize("kind", GARBAGE)
def test_what_nobody_can_read_takes_no_other_row_away(
    url: str, loop: Loop, breakers: str, kind: str
) -> None:
    item = {
        "service_name": {"S": "redis/bad"}, "state": {"S": "open"}, "failure_count": {"N": "5"},
        "success_count": {"N": "0"}, "last_failure_time": {"N": "0"},
        "updated": {"N": str(NOW_S)}, "ttl": {"N": str(NOW_S + 600)}, **GARBAGE[kind],
    }  # fmt: skip
    held = {name: value for name, value in item.items() if value is not None}
    asked(url, loop, "PutItem", {"TableName": breakers, "Item": held})
    counts = Counts()
    with board_on(url, loop, breakers, counts=counts) as board:
        loop(board.publish([ROW], soon()))
        assert loop(board.read(soon())) == [ROW]
    assert counts.counted == {"breaker_board_unreadable_total": 1}


def test_a_read_is_bounded_however_much_has_expired(loop: Loop) -> None:
    more = {"Items": [], "LastEvaluatedKey": {"service_name": {"S": "x"}}}
    counts = Counts()
    with (
        answering(lambda *_: Answer(200, more)) as server,
        board_on(at_port(server.port), loop, "b", counts=counts) as board,
    ):
        assert loop(board.read(soon())) == []
    assert server.actions() == ["Scan"] * PAGES_MAX
    assert {request["Limit"] for _, request in server.asked} == {ROWS_MAX}
    assert counts.counted == {"breaker_board_cut_total": 1}


@pytest.mark.parametrize(
    "answer",
    [
        fails("ResourceNotFoundException"),
        fails("AccessDeniedException"),
        fails("InternalServerError", 500),
        fails("ProvisionedThroughputExceededException"),
        Answer(200, {"Items": "honey-word"}),
        Answer(200, []),
    ],
)
def test_whatever_the_service_says_a_breaker_follows_what_it_has_seen_itself(
    loop: Loop, answer: Answer
) -> None:
    clock, counts = HandClock(), Counts()
    open_, closed = Breaker("redis", clock, counts), Breaker("dynamodb", clock, counts)
    for _ in range(5):
        open_.failed(open_.enter())
    with (
        answering(lambda *_: answer) as server,
        board_on(at_port(server.port), loop, "b", clock) as board,
    ):
        news = BreakerNews(board, [open_, closed], "one", clock, counts)
        closed.heed(others_open=True)
        loop(news.once())
        with pytest.raises(TransientError) as caught:
            loop(board.read(soon()))

    for _ in range(4):
        closed.failed(closed.enter())
    assert (open_.state.value, closed.state.value) == ("open", "closed")
    assert counts.counted["breaker_board_failed_total"] == 1
    assert "honey-word" not in str(caught.value)


def test_a_process_hears_of_another_s_open_breaker_and_of_its_end(
    url: str, loop: Loop, breakers: str
) -> None:
    clock = HandClock()
    here, there = (Breaker("redis", clock, Counts()) for _ in range(2))
    with board_on(url, loop, breakers, clock) as one, board_on(url, loop, breakers, clock) as two:
        news = BreakerNews(one, [here], "one", clock, Counts())
        other = BreakerNews(two, [there], "two", clock, Counts())

        def exchange() -> None:
            for each in (other, news):
                loop(each.once())

        for _ in range(5):
            there.failed(there.enter())
        exchange()
        assert here.view().opened == 0
        clock.advance(60)
        for _ in range(2):
            there.succeeded(there.enter())
        exchange()
        here.failed(here.enter())
        assert here.view().opened == 0

        for _ in range(5):
            there.failed(there.enter())
        clock.advance(1)
        exchange()
        here.failed(here.enter())
        assert here.view().opened == 1


def test_a_board_that_is_away_is_transient(loop: Loop) -> None:
    (port,) = free_ports(1)
    with board_on(at_port(port), loop, "b") as board:
        with pytest.raises(TransientError):
            loop(board.read(soon()))
        with pytest.raises(TransientError):
            loop(board.publish([ROW], soon()))
        with pytest.raises(TransientError):
            loop(board.check(soon()))


FAULTS: dict[str, tuple[dict[str, Any], type[HotTableError], str]] = {
    "keys": (
        {
            "KeySchema": key_schema(("service_name", "state")),
            "AttributeDefinitions": [
                {"AttributeName": name, "AttributeType": "S"} for name in ("service_name", "state")
            ],
        },
        KeySchemaError,
        "other keys than service_name:",
    ),
    "capacity": (
        {
            "BillingMode": "PROVISIONED",
            "ProvisionedThroughput": {"ReadCapacityUnits": 5, "WriteCapacityUnits": 5},
        },
        CapacityModeError,
        "on-demand",
    ),
    "expiry": ({}, ExpiryDisabledError, "attribute ttl"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_table_of_another_form_is_named(url: str, loop: Loop, fault: str) -> None:
    changes, kind, words = FAULTS[fault]
    name = f"breakers-fault-{fault}"
    asked(url, loop, "CreateTable", {**breaker_table.definition(name), **changes})
    if fault != "expiry":
        asked(url, loop, "UpdateTimeToLive", expiry(name))

    with board_on(url, loop, name) as board, pytest.raises(kind, match=words):
        loop(board.check(soon()))


def test_a_table_that_is_not_there_is_named_by_its_own_name(url: str, loop: Loop) -> None:
    with (
        board_on(url, loop, "no-breakers") as board,
        pytest.raises(TableMissingError, match=r"no table no-breakers in us-east-1.*prepare"),
    ):
        loop(board.check(soon()))


def test_a_right_that_is_missing_is_named(loop: Loop) -> None:
    with (
        answering(lambda *_: fails("AccessDeniedException")) as server,
        board_on(at_port(server.port), loop, "b") as board,
        pytest.raises(AccessRefusedError, match="PutItem, Scan"),
    ):
        loop(board.check(soon()))


def test_making_it_again_changes_nothing(url: str, loop: Loop, breakers: str) -> None:
    with board_on(url, loop, breakers) as board:
        loop(board.publish([ROW], soon()))
        loop(board.create(soon()))
        loop(board.check(soon()))
        assert loop(board.read(soon())) == [ROW]
