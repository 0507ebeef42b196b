"""What stands in the table itself: times to live, timestamps, pages, races, and other schemas."""

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import pytest
from cassandra import ConsistencyLevel
from cassandra.cluster import EXEC_PROFILE_DEFAULT

from adapters.stores.keyspaces import schema
from adapters.stores.keyspaces.errors import (
    ForeignTableError,
    MissingKeyspaceError,
    MissingTableError,
    SettingsError,
    WrongDatacenterError,
)
from adapters.stores.keyspaces.probe import Capabilities, look
from adapters.stores.keyspaces.storage import KeyspacesStorage
from adapters.system import SystemClock
from domain.errors import PermanentError, TransientError
from domain.ports.storage import Applied, ProjectionRow
from tests.integration.shared.caches import Loop
from tests.integration.wide.stores import PATIENT, Server, profile, soon, store_on, transactions

APPLIED, SAME, STALE, CONFLICT = Applied.APPLIED, Applied.SAME, Applied.STALE, Applied.CONFLICT
OF_ONE = " FROM creditplatform.creditdata WHERE customer_id = 'c-1'"


@pytest.fixture
def store(server: Server, loop: Loop) -> Iterator[KeyspacesStorage]:
    with store_on(server.address, loop) as made:
        yield made


def put(store: KeyspacesStorage, loop: Loop, *rows: ProjectionRow) -> list[Applied]:
    return list(loop(store.put_if_newer(rows, soon())))


def now_s() -> int:
    return int(SystemClock().now().timestamp())


# --- times (C4, C5, C9) --------------------------------------------------------------------------


def test_a_row_lives_on_the_server_until_it_expires_and_a_profile_for_ever(
    store: KeyspacesStorage, server: Server, loop: Loop
) -> None:
    until = now_s() + 1_000
    rows = [profile(), *transactions([1, 2], expires_s=until)]
    put(store, loop, *rows)
    put(store, loop, profile(2, data_type="OTHER", expires_s=until))

    found = dict(server.rows(f"SELECT data_type, TTL(payload){OF_ONE}"))

    assert found["CUSTOMER_PROFILE"] is None
    for data_type in ("TRANSACTION#000001", "TRANSACTION#000002", "OTHER"):
        assert 900 < found[data_type] <= 1_000


def test_what_has_expired_is_not_written_and_hides_what_it_replaces(
    store: KeyspacesStorage, server: Server, loop: Loop
) -> None:
    put(store, loop, profile(1))
    past = now_s() - 5

    assert put(store, loop, *transactions([1, 2], expires_s=past), profile(2, expires_s=past)) == [
        APPLIED, APPLIED, APPLIED,
    ]  # fmt: skip

    assert store.metrics()["expired_unwritten"] == 2
    assert loop(store.read_item("c-1", "CUSTOMER_PROFILE", soon())) is None
    assert server.rows(f"SELECT data_type{OF_ONE} AND data_type >= 'TRANSACTION#'") == []


def test_a_row_that_outlives_what_servers_can_is_kept(
    store: KeyspacesStorage, server: Server, loop: Loop
) -> None:
    row = profile(expires_s=now_s() + 40 * 31_536_000)
    assert put(store, loop, row, *transactions([1], expires_s=row.expires_s)) == [APPLIED] * 2
    assert loop(store.read_item("c-1", "CUSTOMER_PROFILE", soon())) == row
    assert server.rows(f"SELECT TTL(payload){OF_ONE}") == [(None,), (None,)]


def test_the_server_gives_the_time_of_a_write(
    store: KeyspacesStorage, server: Server, loop: Loop
) -> None:
    put(store, loop, profile(), *transactions([1], event_id="e-1"))
    sessions = store._link._sessions
    assert sessions is not None
    session = sessions.next()
    chosen = session.execution_profile_clone_update(EXEC_PROFILE_DEFAULT)

    assert session.use_client_timestamp is False
    assert chosen.consistency_level == ConsistencyLevel.LOCAL_QUORUM
    for (micros,) in server.rows(f"SELECT WRITETIME(payload){OF_ONE}"):
        assert abs(micros / 1e6 - now_s()) < 60


def test_what_a_transaction_lacks_is_not_written_as_null(
    store: KeyspacesStorage, server: Server, loop: Loop
) -> None:
    columns = {"transaction_id": "e", "amount": 1_999, "created_at": 1_000, "updated_at": 1_000}
    put(store, loop, *transactions([1], columns=columns, expires_s=now_s() + 100))
    sent: list[Any] = []
    sessions = store._link._sessions
    assert sessions is not None
    for shape, (plain, with_ttl) in sessions.prepared.append.items():
        if set(shape) == set(columns):
            sent += [plain.query_string, with_ttl.query_string]

    assert sent
    assert not [text for text in sent if "credit_score" in text or "existing_debts" in text]
    ((amount, created),) = server.rows(f"SELECT amount, created_at{OF_ONE}")
    assert (str(amount), created.microsecond) == ("19.99", 1_000)


# --- pages, several customers (C8) ---------------------------------------------------------------


def test_several_customers_come_in_one_question_whatever_the_pages(
    server: Server, loop: Loop
) -> None:
    rows = [profile(customer_id=f"c-{number}") for number in range(130)]
    with store_on(server.address, loop, limits=replace(PATIENT, page=7)) as store:
        put(store, loop, *rows)
        names = [f"c-{number}" for number in range(250)]

        found = loop(store.read_items([*names, *names], "CUSTOMER_PROFILE", soon()))

        assert found == {row.customer_id: row for row in rows}
        assert loop(store.read_items([], "CUSTOMER_PROFILE", soon())) == {}


def test_a_list_longer_than_a_page(server: Server, loop: Loop) -> None:
    with store_on(server.address, loop, limits=replace(PATIENT, page=3)) as store:
        rows = transactions(range(20))
        put(store, loop, *rows)

        found = loop(store.query("c-1", "TRANSACTION#", 17, "", soon()))

        assert found == rows[:2:-1]
        assert loop(store.query("c-1", "TRANSACTION#", 0, "", soon())) == []
        assert len(loop(store.query("c-1", "", 99, "", soon()))) == 20


@pytest.mark.parametrize("sign", ["#", "\x7e", "\x7f", "ü", "\ud7ff", "\U0010ffff"])
def test_a_prefix_ends_where_it_ends(store: KeyspacesStorage, loop: Loop, sign: str) -> None:
    names = [f"X{sign}", f"X{sign}\x00", f"X{sign}zz", f"X{sign}ü"]
    others = ["X", "W\U0010ffff", "Y"]
    put(store, loop, *(profile(data_type=name) for name in (*names, *others)))

    found = loop(store.query("c-1", f"X{sign}", 99, "", soon()))

    assert [row.data_type for row in found] == sorted(names, reverse=True)


# --- what cannot be written ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "row",
    [
        profile(payload=b"x" * 1_000_001),
        profile(payload=b"\xff"),
        profile(2**63),
        profile(columns={"amount": "1.99"}),
        profile(columns={"status": 5}),
        profile(data_type="DECISION#1", payload=b"\xc3"),
    ],
)
def test_a_row_that_no_attempt_can_write_is_told_as_such(
    store: KeyspacesStorage, loop: Loop, row: ProjectionRow
) -> None:
    with pytest.raises(PermanentError):
        put(store, loop, row)
    assert loop(store.read_item("c-1", row.data_type, soon())) is None


def test_the_largest_row_is_written(store: KeyspacesStorage, loop: Loop) -> None:
    row = profile(payload=b"x" * 1_000_000)
    others = [replace(each, payload=b"y" * 600_000) for each in transactions([1, 2])]
    assert put(store, loop, row, *others) == [APPLIED] * 3
    assert loop(store.read_item("c-1", "CUSTOMER_PROFILE", soon())) == row


def test_a_row_that_somebody_else_wrote_is_not_replaced(
    store: KeyspacesStorage, server: Server, loop: Loop
) -> None:
    server.rows(
        "INSERT INTO creditplatform.creditdata (customer_id, data_type, status)"
        " VALUES ('c-1', 'CUSTOMER_PROFILE', 'THEIRS')"
    )
    assert put(store, loop, profile(1), profile(5)) == [CONFLICT, CONFLICT]


def test_an_appended_row_of_a_later_version_goes_the_guarded_way(
    store: KeyspacesStorage, loop: Loop
) -> None:
    (row,) = transactions([1])
    put(store, loop, row)

    assert put(store, loop, replace(row, version=2, payload=b"two")) == [APPLIED]
    assert put(store, loop, row, *transactions([2])) == [STALE, APPLIED]
    assert loop(store.read_item("c-1", row.data_type, soon())) == replace(
        row, version=2, payload=b"two"
    )


# --- races between processes ---------------------------------------------------------------------


def test_of_racing_processes_each_version_is_applied_once_and_the_highest_stays(
    server: Server,
) -> None:
    with ExitStack() as stack:
        loops = [stack.enter_context(Loop()) for _ in range(3)]
        stores = [stack.enter_context(store_on(server.address, loop)) for loop in loops]

        async def write(store: KeyspacesStorage, number: int) -> list[Applied]:
            rows = [profile(version, b"%d by %d" % (version, number)) for version in range(1, 13)]
            calls = (store.put_if_newer([row], soon()) for row in rows)
            return [result for each in await asyncio.gather(*calls) for result in each]

        waiting = [
            asyncio.run_coroutine_threadsafe(write(store, number), loop._loop)
            for number, (store, loop) in enumerate(zip(stores, loops, strict=True))
        ]
        results = [each.result(60) for each in waiting]

        for version in range(12):
            assert [each[version] for each in results].count(APPLIED) <= 1
        (winner,) = [number for number, each in enumerate(results) if each[11] is APPLIED]
        row = loops[0](stores[0].read_item("c-1", "CUSTOMER_PROFILE", soon()))
        assert row == profile(12, b"12 by %d" % winner)


def test_writes_of_one_customer_keep_their_order_in_a_process(
    store: KeyspacesStorage, loop: Loop
) -> None:
    async def write() -> list[Applied]:
        rows = [profile(version) for version in range(1, 33)]
        calls = (store.put_if_newer([row], soon()) for row in rows)
        return [result for each in await asyncio.gather(*calls) for result in each]

    # A later one that overtakes would make those before it STALE.
    assert loop(write()) == [APPLIED] * 32


def test_racing_processes_append_the_same_rows_without_a_difference(server: Server) -> None:
    rows = transactions(range(60))
    with ExitStack() as stack:
        loops = [stack.enter_context(Loop()) for _ in range(2)]
        stores = [stack.enter_context(store_on(server.address, loop)) for loop in loops]
        waiting = [
            asyncio.run_coroutine_threadsafe(store.put_if_newer(rows, soon()), loop._loop)
            for store, loop in zip(stores, loops, strict=True)
        ]
        for each in waiting:
            assert set(each.result(60)) <= {APPLIED, SAME}

        assert loops[0](stores[0].query("c-1", "TRANSACTION#", 99, "", soon())) == rows[::-1]


# --- a start, and a schema that is not ours (C1, C10) --------------------------------------------


def test_a_start_tells_what_the_server_can(
    store: KeyspacesStorage, server: Server, loop: Loop
) -> None:
    assert loop(store.check(soon())) == Capabilities(conditional=True, ttl=True, logged_batch=True)
    assert {name: value for name, value in store.metrics().items() if name.startswith("can_")} == {
        "can_conditional": 1, "can_ttl": 1, "can_logged_batch": 1,
    }  # fmt: skip
    # The probe leaves nothing.
    assert server.rows("SELECT data_type FROM creditplatform.creditdata") == []


def test_looking_tells_the_server_and_the_version(server: Server) -> None:
    seen = look(server.address, SystemClock())
    assert (seen.version[:2], seen.datacenter) == ("5.", "datacenter1")
    assert seen.schema_version == schema.LATEST.number


@pytest.fixture
def foreign(cassandra: Server) -> Iterator[Server]:
    """A keyspace of somebody else's."""
    cassandra.rows(
        "CREATE KEYSPACE foreign_one WITH REPLICATION ="
        " {'class': 'SimpleStrategy', 'replication_factor': 1}"
    )
    yield replace(cassandra, address=replace(cassandra.address, keyspace="foreign_one"))
    cassandra.rows("DROP KEYSPACE foreign_one")


def refused(address: Any, loop: Loop, kind: type[SettingsError], sentence: str) -> None:
    """Look, start and call: each is told, and a call only as transient."""
    with pytest.raises(kind, match=sentence):
        look(address, SystemClock())
    with store_on(address, loop) as store:
        with pytest.raises(kind, match=sentence):
            loop(store.check(soon()))
        with pytest.raises(TransientError, match=sentence):
            loop(store.read_item("c-1", "x", soon()))


def test_a_keyspace_that_is_not_there(cassandra: Server, loop: Loop) -> None:
    missing = replace(cassandra.address, keyspace="nowhere")
    refused(missing, loop, MissingKeyspaceError, "no keyspace nowhere: run")


def test_a_table_that_is_not_there(foreign: Server, loop: Loop) -> None:
    refused(foreign.address, loop, MissingTableError, "no table creditdata: run")


def test_a_table_of_somebody_else(foreign: Server, loop: Loop) -> None:
    foreign.rows("CREATE TABLE foreign_one.creditdata (id int PRIMARY KEY, payload blob)")
    refused(foreign.address, loop, ForeignTableError, "lacks customer_id")


def test_a_datacentre_that_is_not_there(cassandra: Server, loop: Loop) -> None:
    elsewhere = replace(cassandra.address, datacenter="us-west-9")
    refused(elsewhere, loop, WrongDatacenterError, "it has datacenter1")


def test_once_the_table_is_made_the_store_finds_it_by_itself(foreign: Server, loop: Loop) -> None:
    limits = replace(PATIENT, reconnect_s=0.0)
    with store_on(foreign.address, loop, limits=limits) as store:
        with pytest.raises(TransientError):
            loop(store.read_item("c-1", "x", soon()))

        for text in schema.table_statements(foreign.address.flavour, "foreign_one"):
            foreign.rows(text)

        assert put(store, loop, profile()) == [APPLIED]


def test_a_server_that_forgot_our_statements_learns_them_again(foreign: Server, loop: Loop) -> None:
    (create,) = schema.table_statements(foreign.address.flavour, "foreign_one")
    foreign.rows(create)
    with store_on(foreign.address, loop) as store:
        put(store, loop, profile())
        foreign.rows("DROP TABLE foreign_one.creditdata")
        foreign.rows(create)

        assert loop(store.read_item("c-1", "CUSTOMER_PROFILE", soon())) is None
        assert put(store, loop, profile(), *transactions(range(3))) == [APPLIED] * 4


def test_a_table_that_went_away_is_told(foreign: Server, loop: Loop) -> None:
    foreign.rows(schema.table_statements(foreign.address.flavour, "foreign_one")[0])
    with store_on(foreign.address, loop) as store:
        put(store, loop, profile())
        foreign.rows("DROP TABLE foreign_one.creditdata")

        with pytest.raises(TransientError, match="refuses"):
            loop(store.read_item("c-1", "CUSTOMER_PROFILE", soon()))
        with pytest.raises(MissingTableError):
            loop(store.check(soon()))
