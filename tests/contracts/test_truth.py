"""Transactions of the store of truth: what `domain.ports.truth` promises of programs."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from decision_engine.record.statements import (
    InsertBatch,
    InsertDecisions,
    ReadBatch,
    ReadKeys,
    Reconnect,
    TakeLane,
)
from domain.errors import DeadlineExceededError
from domain.ports.time import Deadline
from domain.ports.truth import (
    Begin,
    Commit,
    DuplicateKeyError,
    Program,
    Rollback,
    ServerError,
    Statement,
    TruthError,
)
from ingestion.statements import InsertInbox, LockProfiles, WriteProfiles
from tests.contracts.rows import a_batch, a_decision, a_profile, an_inbox_row
from tests.contracts.truth_adapters import Store

KEYS = ReadKeys((("app", "k-1"), ("app", "k-2")))


def known(store: Store) -> list[str]:
    return sorted(row.idem_key for row in store.read(KEYS))


def test_a_committed_row_is_read(store: Store) -> None:
    store.commit(InsertDecisions((a_decision(),)))

    assert known(store) == ["k-1"]


def test_a_statement_sees_what_its_transaction_wrote(store: Store) -> None:
    _, rows = store.commit(InsertDecisions((a_decision(),)), KEYS)

    assert [row.decision_id for row in rows] == ["d-0001"]


def test_what_a_program_leaves_open_is_rolled_back(store: Store) -> None:
    def program() -> Program[str]:
        yield (Begin(), InsertDecisions((a_decision(),)))
        return "left open"

    assert store.transact(program) == "left open"
    assert known(store) == []


def test_a_program_that_fails_is_rolled_back(store: Store) -> None:
    def program() -> Program[None]:
        yield (Begin(), InsertDecisions((a_decision(),)))
        raise LookupError("a fault of the program")

    with pytest.raises(LookupError):
        store.transact(program)
    assert known(store) == []


def test_rollback_undoes_and_is_allowed_when_nothing_is_open(store: Store) -> None:
    def program() -> Program[None]:
        yield (Rollback(),)
        yield (Begin(), InsertDecisions((a_decision(),)), Rollback())
        yield (Rollback(),)
        yield (Begin(), InsertDecisions((a_decision(2),)), Commit())

    store.transact(program)

    assert known(store) == ["k-2"]


def test_a_program_may_commit_several_transactions(store: Store) -> None:
    def program() -> Program[None]:
        for number in (1, 2):
            yield (Begin(), InsertDecisions((a_decision(number),)), Commit())

    store.transact(program)

    assert known(store) == ["k-1", "k-2"]


def test_a_second_begin_is_refused(store: Store) -> None:
    def program() -> Program[str]:
        try:
            yield (Begin(), Begin())
        except ServerError:
            return "refused"
        return "taken"

    assert store.transact(program) == "refused"


@pytest.mark.parametrize(
    ("key", "statement"),
    [
        ("uq_decision_key", InsertDecisions((a_decision(2, idem_key="k-1"),))),
        ("PRIMARY", InsertDecisions((a_decision(1, idem_key="k-9"),))),
        ("PRIMARY", InsertBatch(a_batch())),
        ("uq_inbox_stream", InsertInbox((an_inbox_row(2, source_version=1),))),
        ("PRIMARY", InsertInbox((an_inbox_row(1, source_version=9),))),
    ],
)
def test_a_taken_key_is_named_and_the_transaction_goes_on(
    store: Store, key: str, statement: Statement
) -> None:
    store.commit(
        InsertDecisions((a_decision(),)), InsertBatch(a_batch()), InsertInbox((an_inbox_row(),))
    )

    def program() -> Program[str]:
        try:
            yield (Begin(), InsertBatch(a_batch(2)), statement)
        except DuplicateKeyError as error:
            yield (Commit(),)
            return error.key
        return "not noticed"

    assert store.transact(program) == key
    assert len(store.read(ReadBatch("l-1", 2))) == 1


def test_a_statement_with_one_taken_key_writes_none_of_its_rows(store: Store) -> None:
    store.commit(InsertDecisions((a_decision(1),)))

    def program() -> Program[None]:
        try:
            yield (Begin(), InsertDecisions((a_decision(2), a_decision(1))))
        except DuplicateKeyError:
            yield (Commit(),)

    store.transact(program)

    assert known(store) == ["k-1"]


def test_an_error_that_the_program_does_not_handle_reaches_the_caller(store: Store) -> None:
    store.commit(InsertDecisions((a_decision(),)))

    with pytest.raises(DuplicateKeyError):
        store.commit(InsertDecisions((a_decision(2),)), InsertDecisions((a_decision(),)))
    assert known(store) == ["k-1"]


def test_an_error_names_no_value(store: Store) -> None:
    secret = "honeytoken-529.982.247-25"
    store.commit(InsertDecisions((a_decision(idem_key=secret),)))
    broken = a_decision(3, idem_key=secret + "3", salt=None)

    for row in (a_decision(2, idem_key=secret), broken):
        with pytest.raises(TruthError) as caught:
            store.commit(InsertDecisions((row,)))
        assert "honeytoken" not in f"{caught.value!r} {caught.value.__cause__!r}"


@pytest.mark.parametrize("poison", [{"amount": 1 << 70}, {"band": object()}, {"band": "\ud800"}])
def test_a_value_that_cannot_be_stored_is_an_error_of_the_server(
    store: Store, poison: dict[str, object]
) -> None:
    with pytest.raises(ServerError):
        store.commit(InsertDecisions((a_decision(1), a_decision(2, **poison))))

    assert known(store) == []


def test_after_reconnect_and_lane_the_program_goes_on(store: Store) -> None:
    def program() -> Program[None]:
        yield (Begin(), InsertDecisions((a_decision(1),)))
        yield (Reconnect(),)
        yield (TakeLane("l-1"),)
        yield (Begin(), InsertDecisions((a_decision(2),)), Commit())

    store.transact(program)

    assert known(store) == ["k-2"]


def test_a_program_whose_deadline_passed_never_begins(store: Store) -> None:
    begun = []

    def program() -> Program[None]:
        begun.append(True)
        yield (Begin(), InsertDecisions((a_decision(),)), Commit())

    deadline = Deadline(store.clock.monotonic() + 1)
    store.clock.advance(1)

    with pytest.raises(DeadlineExceededError):
        store.run(store.port.transact(program, deadline))
    assert (begun, known(store)) == ([], [])


def test_a_program_whose_deadline_passes_while_it_runs_is_finished(store: Store) -> None:
    deadline = Deadline(store.clock.monotonic() + 1)

    def program() -> Program[None]:
        store.clock.advance(2)
        yield (Begin(), InsertDecisions((a_decision(),)), Commit())

    store.run(store.port.transact(program, deadline))

    assert known(store) == ["k-1"]


def adding_one() -> Program[None]:
    """Raise a profile's version by one: loses updates unless the row is held."""
    _, ((_, payload),) = yield (Begin(), LockProfiles(("c-1",)))
    version = int(payload or b"0") + 1
    yield (WriteProfiles((a_profile(version, str(version).encode()),)), Commit())


def the_sum(store: Store) -> bytes:
    (((_, payload),),) = store.commit(LockProfiles(("c-1",)))
    assert isinstance(payload, bytes)
    return payload


def test_tasks_that_read_and_write_the_same_row_lose_nothing(store: Store) -> None:
    async def all_of_them() -> None:
        await asyncio.gather(*(store.transacting(adding_one) for _ in range(20)))

    store.run(all_of_them())

    assert the_sum(store) == b"20"


def test_threads_with_loops_of_their_own_share_the_store(store: Store) -> None:
    async def ten() -> None:
        await asyncio.gather(*(store.transacting(adding_one) for _ in range(10)))

    def loop(_: int) -> None:
        store.run(ten())

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(loop, range(3)))

    assert the_sum(store) == b"30"


def test_one_of_many_racing_for_a_key_wins(store: Store) -> None:
    def claim(number: int) -> Callable[[], Program[bool]]:
        def program() -> Program[bool]:
            try:
                yield (Begin(), InsertDecisions((a_decision(number, idem_key="k-1"),)), Commit())
            except DuplicateKeyError:
                return False
            return True

        return program

    async def race() -> list[bool]:
        return await asyncio.gather(*(store.transacting(claim(n)) for n in range(1, 9)))

    won = store.run(race())

    assert won.count(True) == 1
    assert [row.decision_id for row in store.read(KEYS)] == [f"d-{won.index(True) + 1:04d}"]
