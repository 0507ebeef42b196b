"""What only the hot store on DynamoDB promises: what it stores, asks, bounds and counts."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import count
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.stores.dynamodb import reads
from adapters.stores.dynamodb.errors import ItemTooLargeError
from adapters.stores.dynamodb.storage import DynamoStorage
from adapters.stores.dynamodb.writes import WriteLimits
from domain.errors import DeadlineExceededError, ThrottledError, TransientError
from domain.ports.storage import Applied, ProjectionRow
from tests.integration.hot.answering import Answering, Say, answering
from tests.integration.hot.stores import at_port, client_of, soon, store_on
from tests.integration.shared.caches import Loop

NUMBERS = count()
PROFILE = "CUSTOMER_PROFILE"
TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)


def row(
    number: int, version: int = 1, payload: bytes = b"p", **columns: str | int
) -> ProjectionRow:
    return ProjectionRow(f"c-{number}", PROFILE, version, payload, columns=columns or None)


def raw(url: str, loop: Loop, action: str, body: dict[str, Any]) -> Any:
    with client_of(url, loop) as client:
        call = client.call(f"DynamoDB_20120810.{action}", json.dumps(body).encode(), soon())
        return json.loads(loop(call))


@contextmanager
def watched(
    url: str, loop: Loop, table: str, say: Say = lambda *_: None
) -> Iterator[tuple[Answering, DynamoStorage]]:
    """A store whose calls can be seen, on the real server."""
    port = urlsplit(url).port
    assert port is not None
    with (
        answering(say, port) as server,
        client_of(at_port(server.port), loop) as client,
        store_on(client, loop, table) as store,
    ):
        yield server, store


def test_the_item_has_binary_payload_readable_columns_and_index_keys(
    url: str, loop: Loop, table: str, store: DynamoStorage
) -> None:
    columns: dict[str, str | int] = {
        "status": "ACTIVE", "createdAt": 1, "lastUpdated": 2, "monthly_income": 3,
    }  # fmt: skip
    made = ProjectionRow("c-1", "DECISION#x#y", 7, b"\0\xff", "e-1", columns, 2_000_000_000)
    loop(store.put_if_newer([made], soon()))

    items = raw(url, loop, "Scan", {"TableName": table})["Items"]

    assert items == [{
        "customerId": {"S": "c-1"}, "dataType": {"S": "DECISION#x#y"}, "version": {"N": "7"},
        "payload": {"B": "AP8="}, "ttl": {"N": "2000000000"}, "status": {"S": "ACTIVE"},
        "createdAt": {"N": "1"}, "lastUpdated": {"N": "2"},
        "gsi1pk": {"S": "DECISION#14"}, "gsi2pk": {"S": "ACTIVE#14"},
    }]  # fmt: skip


@st.composite
def rows(draw: st.DrawFn) -> ProjectionRow:
    return ProjectionRow(
        draw(TEXT), draw(TEXT), draw(st.integers(0, 2**63)), draw(st.binary()),
        columns={"status": draw(TEXT)},
    )  # fmt: skip


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(drawn=rows())
def test_any_text_and_bytes_come_back(
    store: DynamoStorage, loop: Loop, drawn: ProjectionRow
) -> None:
    made = replace(drawn, customer_id=f"{next(NUMBERS)} {drawn.customer_id}")
    loop(store.put_if_newer([made], soon()))

    assert loop(store.read_item(*made.key, soon())) == made
    assert loop(store.query(*made.key, 9, "", soon())) == [made]


def test_a_row_that_is_too_large_is_refused_and_takes_nobody_along(
    store: DynamoStorage, loop: Loop
) -> None:
    rows = [row(1), row(2, 1, bytes(400 * 1024)), row(3)]

    with pytest.raises(ItemTooLargeError, match="400 KiB") as caught:
        loop(store.put_if_newer(rows, soon()))

    assert "c-2" not in str(caught.value)
    found = [loop(store.read_item(each.customer_id, PROFILE, soon())) for each in rows]
    assert found == [rows[0], None, rows[2]]
    with pytest.raises(ItemTooLargeError):
        loop(store.put_if_newer(rows[1:2], soon()))


def test_large_rows_go_in_as_many_transactions_as_their_bytes_need(
    url: str, loop: Loop, table: str
) -> None:
    rows = [row(number, 1, bytes(390_000)) for number in range(12)]
    with watched(url, loop, table) as (server, store):
        assert loop(store.put_if_newer(rows, soon())) == [Applied.APPLIED] * 12
        assert loop(store.put_if_newer(rows, soon())) == [Applied.SAME] * 12
        assert len(server.asked) >= 4
    counted = raw(url, loop, "Query", {
        "TableName": table, "IndexName": "GSI1", "Select": "COUNT",
        "KeyConditionExpression": "gsi1pk = :p",
        "ExpressionAttributeValues": {":p": {"S": "CUSTOMER_PROFILE#00"}},
    })["Count"]  # fmt: skip
    # Without an instant a row is in no index.
    assert counted == 0


def test_rows_go_in_transactions_and_the_refused_ones_are_dropped(
    url: str, loop: Loop, table: str
) -> None:
    with watched(url, loop, table) as (server, store):
        loop(store.put_if_newer([row(3, 9), row(5, 1), row(7, 1, b"other")], soon()))
        server.asked.clear()

        results = loop(store.put_if_newer([row(number) for number in range(10)], soon()))

    expected = [Applied.APPLIED] * 10
    expected[3], expected[5], expected[7] = Applied.STALE, Applied.SAME, Applied.CONFLICT
    assert results == expected
    sizes = [len(request["TransactItems"]) for _, request in server.asked]
    assert sizes == [10, 7]


def test_reads_at_once_are_few_calls_and_equal_ones_are_one(
    url: str, loop: Loop, table: str
) -> None:
    rows = [row(number, 1, b"%d" % number) for number in range(40)]
    with watched(url, loop, table) as (server, store):
        loop(store.put_if_newer(rows, soon()))
        server.asked.clear()

        async def read() -> list[ProjectionRow | None]:
            numbers = (number % 50 for number in range(200))
            calls = (store.read_item(f"c-{number}", PROFILE, soon()) for number in numbers)
            return list(await asyncio.gather(*calls))

        found = loop(read())

    assert found == [rows[n % 50] if n % 50 < 40 else None for n in range(200)]
    # The calls travel side by side, so the server may see the last one before the others.
    assert sorted(server.actions()) == ["BatchGetItem"] + ["GetItem"] * reads.LANES
    (asked,) = [body for _, body in server.asked if "RequestItems" in body]
    keys = asked["RequestItems"][table]["Keys"]
    assert len(keys) == len({key["customerId"]["S"] for key in keys})


def test_reads_are_consistent_only_where_asked(url: str, loop: Loop, table: str) -> None:
    keys = [("c-1", PROFILE), ("c-2", PROFILE)]
    with watched(url, loop, table) as (server, store):
        loop(store.put_if_newer([row(1), row(2)], soon()))
        server.asked.clear()
        loop(store.read_item(*keys[0], soon()))
        loop(store.read_many(keys, soon()))
        loop(store.query("c-1", "", 9, "", soon()))
        assert not any('"ConsistentRead": true' in json.dumps(each) for each in server.asked)
        server.asked.clear()
        assert loop(store.read_now(*keys[0], soon())) == row(1)
        found = loop(store.read_many(keys, soon(), consistent=True))
        assert all('"ConsistentRead": true' in json.dumps(each) for each in server.asked)
    assert found == {each.key: each for each in (row(1), row(2))}


def test_many_customers_are_read_a_hundred_at_a_time(url: str, loop: Loop, table: str) -> None:
    rows = [row(number) for number in range(230)]
    keys = [each.key for each in rows]
    with watched(url, loop, table) as (server, store):
        loop(store.put_if_newer(rows, soon()))
        server.asked.clear()
        found = loop(store.read_many([*keys, ("c-none", PROFILE), *keys], soon()))
        assert server.actions() == ["BatchGetItem"] * 3
    assert found == {each.key: each for each in rows}


def test_used_capacity_is_counted(store: DynamoStorage, loop: Loop) -> None:
    loop(store.put_if_newer([row(1, status="ACTIVE", createdAt=1, lastUpdated=1)], soon()))
    loop(store.read_item("c-1", PROFILE, soon()))
    one = store.metrics()
    # The table and both indices take a unit each; an eventually consistent read takes half of one.
    assert (one["write_units"], one["read_units"]) == (3.0, 0.5)

    loop(store.put_if_newer([row(2), row(3)], soon()))
    loop(store.read_now("c-1", PROFILE, soon()))
    two = store.metrics()
    # A transaction takes twice the units of the table; a consistent read takes a whole one.
    assert two["write_units"] - one["write_units"] >= 4
    assert two["read_units"] - one["read_units"] == 1.0


def test_what_others_wrote_in_another_form_is_transient_and_not_quoted(
    url: str, loop: Loop, table: str, store: DynamoStorage
) -> None:
    item = {"customerId": {"S": "c-1"}, "dataType": {"S": PROFILE}, "version": {"S": "honey"}}
    raw(url, loop, "PutItem", {"TableName": table, "Item": item})

    for call in (
        lambda: store.read_item("c-1", PROFILE, soon()),
        lambda: store.query("c-1", "", 9, "", soon()),
    ):
        with pytest.raises(TransientError, match="another form") as caught:
            loop(call())
        assert "honey" not in repr(caught.value)


def test_waiting_reads_are_bounded_and_the_bound_is_lifted(
    store: DynamoStorage, loop: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reads, "WAITING_MAX", 10)

    async def read() -> list[object]:
        calls = (store.read_item(f"c-{number}", PROFILE, soon()) for number in range(30))
        return list(await asyncio.gather(*calls, return_exceptions=True))

    for _ in range(3):
        found = loop(read())
        refused = [each for each in found if each is not None]
        assert len(refused) == 30 - 10 - reads.LANES
        assert all(type(each) is ThrottledError for each in refused)


def test_a_reader_that_leaves_takes_nobody_along(store: DynamoStorage, loop: Loop) -> None:
    loop(store.put_if_newer([row(1)], soon()))

    async def read() -> list[object]:
        tasks = [asyncio.create_task(store.read_item("c-1", PROFILE, soon())) for _ in range(12)]
        await asyncio.sleep(0)
        for each in tasks[::2]:
            each.cancel()
        return list(await asyncio.gather(*tasks, return_exceptions=True))

    for _ in range(5):
        found = loop(read())
        assert found[1::2] == [row(1)] * 6
        assert all(isinstance(each, asyncio.CancelledError) for each in found[::2])


def test_after_closing_nothing_is_begun(store: DynamoStorage, loop: Loop) -> None:
    async def close_while_reading() -> list[object]:
        tasks = [asyncio.create_task(store.read_item(f"c-{n}", PROFILE, soon())) for n in range(20)]
        await asyncio.sleep(0)
        await store.close()
        return list(await asyncio.gather(*tasks, return_exceptions=True))

    found = loop(close_while_reading())
    assert all(isinstance(each, TransientError) for each in found)
    for call in (
        lambda: store.read_item("c-1", PROFILE, soon()),
        lambda: store.put_if_newer([row(1)], soon()),
        lambda: store.query("c-1", "", 9, "", soon()),
    ):
        with pytest.raises(TransientError, match="closed"):
            loop(call())


def test_past_its_deadline_nothing_is_sent(url: str, loop: Loop, table: str) -> None:
    with watched(url, loop, table) as (server, store):
        for call in (
            lambda: store.read_item("c-1", PROFILE, soon(0)),
            lambda: store.read_now("c-1", PROFILE, soon(0)),
            lambda: store.put_if_newer([row(1), row(2)], soon(0)),
            lambda: store.query("c-1", "", 9, "", soon(0)),
        ):
            with pytest.raises(DeadlineExceededError):
                loop(call())
        assert server.asked == []


def test_two_stores_that_write_the_same_rows_in_other_orders_end_at_the_highest(
    url: str, loop: Loop, table: str
) -> None:
    """Rows of both meet in transactions: whoever is refused tries again, and nothing is lost."""
    many = 60
    with (
        client_of(url, loop) as client,
        store_on(client, loop, table, writes=WriteLimits(chunk=20)) as one,
        client_of(url, loop) as other_client,
        store_on(other_client, loop, table, writes=WriteLimits(chunk=25)) as other,
    ):

        async def write(store: DynamoStorage, step: int, version: int) -> list[Applied]:
            numbers = list(range(many))[::step]
            rows = [row(n, version + n % 2, b"%d" % (version + n % 2)) for n in numbers]
            for _ in range(30):
                try:
                    return list(await store.put_if_newer(rows, soon()))
                except TransientError:
                    continue
            raise AssertionError("never written")

        async def both() -> list[list[Applied]]:
            calls = [
                write(store, step, version)
                for version in range(1, 8, 2)
                for store, step in ((one, 1), (other, -1))
            ]
            return list(await asyncio.gather(*calls))

        results = loop(both())
        found = loop(one.read_many([row(n).key for n in range(many)], soon()))

    assert Applied.CONFLICT not in {each for result in results for each in result}
    assert {key: value.version for key, value in found.items()} == {
        row(n).key: 7 + n % 2 for n in range(many)
    }
    assert all(each.payload == b"%d" % each.version for each in found.values())
