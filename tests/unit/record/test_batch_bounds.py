"""A batch ends: its tries, its recovery and its trips are bounded, and refusals take few."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from decision_engine.record.batch import MAX_TRIES, BatchProgram
from decision_engine.record.entry import Done, Entry, Failed, Known
from decision_engine.record.prepare import Lane
from decision_engine.record.statements import (
    InsertBatch,
    InsertDecisions,
    LockPersons,
    ReadKeys,
    ReadRecent,
    Reconnect,
    TakeLane,
)
from domain.errors import AmbiguousError, LedgerBusyError, PermanentError, TransientError
from domain.ports.truth import (
    Begin,
    Commit,
    DataError,
    DeadlockError,
    DuplicateKeyError,
    LockWaitError,
    LostConnectionError,
    ServerError,
    Statement,
    TruthError,
)
from tests.unit.record.memory_truth import Fault, MemoryTruth
from tests.unit.record.ports import CountingIds, FixedChance, HandClock
from tests.unit.record.test_batch import faults_of, outcomes, record
from tests.unit.record.toy import entry

LOST = LostConnectionError("x")


@pytest.fixture
def truth() -> MemoryTruth:
    made = MemoryTruth()
    made.add_customer("c-p1", "p1")
    return made


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def counted() -> list[str]:
    return []


@pytest.fixture
def program(truth: MemoryTruth, clock: HandClock, counted: list[str]) -> BatchProgram:
    made = BatchProgram(Lane("lane-1"), clock, CountingIds(), FixedChance(), counted.append)
    truth.run(made.open_lane("test"))
    truth.seen.clear()
    truth.log.clear()
    return made


# --- refusals


def test_refusals_read_their_marks_alone_and_write(
    truth: MemoryTruth, program: BatchProgram
) -> None:
    record(truth, program, [entry(f"k{n}", limit=0) for n in range(3)])

    assert truth.log[:3] == ["ReadRecent", "Begin", "InsertBatch"]
    assert truth.log[-1] == "Commit"
    assert outcomes(truth) == ["DECLINED"] * 3


def test_refusals_of_nobody_known_are_one_trip(truth: MemoryTruth, program: BatchProgram) -> None:
    record(truth, program, [entry("k1", person="", customer="c-x")])

    assert truth.log[:2] == ["Begin", "InsertBatch"]
    assert outcomes(truth) == ["REFERRED"]


def test_refusals_are_marked_as_duplicates_as_well(
    truth: MemoryTruth, program: BatchProgram
) -> None:
    record(truth, program, [entry("k1")])
    record(truth, program, [entry("k2", limit=0), entry("k3", limit=0, amount=310_00)])

    rows = {key: row for (_, key), row in truth.state.decisions.items()}
    first = rows["k1"].decision_id
    assert [rows[key].duplicate_of for key in ("k1", "k2", "k3")] == ["", first, first]


def test_a_refusal_whose_key_is_known_gets_the_stored_reply(
    truth: MemoryTruth, program: BatchProgram
) -> None:
    first = record(truth, program, [entry("k1", limit=0)])["client", "k1"]

    results = record(truth, program, [entry("k1", limit=0), entry("k2", limit=0)])

    assert isinstance(first, Done)
    assert results["client", "k1"] == Known(first.decision_id, "hash-k1", first.reply)
    assert isinstance(results["client", "k2"], Done)
    assert not faults_of(truth)


@pytest.mark.parametrize(
    "error",
    [
        DuplicateKeyError("x"), DeadlockError("x"), LockWaitError("x"), ServerError("x"), LOST,
    ],
    ids=lambda error: type(error).__name__,
)  # fmt: skip
@pytest.mark.parametrize("landed", [False, True])
@pytest.mark.parametrize("kind", [ReadRecent, Begin, InsertBatch, InsertDecisions, Commit])
def test_a_batch_of_refusals_survives_an_error_at_any_statement(
    truth: MemoryTruth, program: BatchProgram, kind: type, error: TruthError, *, landed: bool
) -> None:
    lands = landed and kind is Commit and error is LOST
    truth.faults.append(Fault(kind, 1, error, landed=lands))

    results = record(truth, program, [entry(f"k{n}", limit=0) for n in range(5)])

    for (_, key), row in truth.state.decisions.items():
        result = results["client", key]
        assert isinstance(result, Done)
        assert (result.decision_id, result.reply) == (row.decision_id, row.reply)
    assert outcomes(truth) == ["DECLINED"] * 5
    assert not faults_of(truth)


# --- bounds


@pytest.mark.parametrize("error", [DuplicateKeyError("x"), DeadlockError("x"), ServerError("x")])
def test_one_request_is_given_up_at_its_third_error(
    truth: MemoryTruth, program: BatchProgram, error: TruthError
) -> None:
    truth.faults.extend(Fault(InsertDecisions, n, error) for n in range(1, MAX_TRIES + 1))

    result = record(truth, program, [entry("k1")])["client", "k1"]

    assert isinstance(result, Failed)
    assert isinstance(result.error, TransientError)
    assert truth.seen[InsertDecisions] == MAX_TRIES
    assert isinstance(record(truth, program, [entry("k1")])["client", "k1"], Done)


def test_one_request_is_given_up_at_its_first_lock_wait(
    truth: MemoryTruth, program: BatchProgram
) -> None:
    truth.faults.append(Fault(InsertDecisions, 1, LockWaitError("x")))

    result = record(truth, program, [entry("k1")])["client", "k1"]

    assert isinstance(result, Failed)
    assert isinstance(result.error, LedgerBusyError)
    assert truth.seen[InsertDecisions] == 1


def test_recovery_is_bounded_by_time(
    truth: MemoryTruth, program: BatchProgram, clock: HandClock, counted: list[str]
) -> None:
    def slow(statement: Statement) -> None:
        if isinstance(statement, TakeLane):
            clock.move(0.4)

    truth.before = slow
    truth.faults.append(Fault(Commit, 1, LOST, landed=True))
    truth.faults.extend(Fault(TakeLane, n, LOST) for n in range(1, 9))

    result = record(truth, program, [entry("k1")])["client", "k1"]

    assert isinstance(result, Failed)
    assert isinstance(result.error, AmbiguousError)
    assert program.uncertain
    assert truth.seen[TakeLane] == 3
    assert counted[-1] == "unresolved"


def test_a_connection_that_stays_away_before_anything_is_written_leaves_the_lane_certain(
    truth: MemoryTruth, program: BatchProgram
) -> None:
    truth.faults.append(Fault(LockPersons, 1, LOST))
    truth.faults.extend(Fault(Reconnect, n, LOST) for n in range(1, 30))

    result = record(truth, program, [entry("k1")])["client", "k1"]

    assert isinstance(result, Failed)
    assert isinstance(result.error, TransientError)
    assert not program.uncertain


def test_what_is_left_of_a_batch_is_not_tried_on_a_lane_that_is_uncertain(
    truth: MemoryTruth, program: BatchProgram
) -> None:
    # The lock wait splits the batch; the first part's COMMIT is never answered for.
    truth.faults.append(Fault(InsertDecisions, 1, LockWaitError("x")))
    truth.faults.append(Fault(Commit, 1, LOST, landed=True))
    truth.faults.extend(Fault(Reconnect, n, LOST) for n in range(1, 30))

    results = record(truth, program, [entry("k1"), entry("k2")])

    first, second = (results["client", key] for key in ("k1", "k2"))
    assert isinstance(first, Failed)
    assert isinstance(first.error, AmbiguousError)
    assert isinstance(second, Failed)
    assert isinstance(second.error, LedgerBusyError)
    assert [key for _, key in truth.state.decisions] == ["k1"]
    # Once for both, once for the first alone.
    assert truth.seen[LockPersons] == 2


def test_what_was_settled_without_writing_keeps_its_answer_when_the_batch_landed(
    truth: MemoryTruth, program: BatchProgram
) -> None:
    truth.add_customer("c-p2", "p2")
    known = record(truth, program, [entry("k0")])["client", "k0"]
    truth.seen.clear()
    truth.faults.append(Fault(Commit, 1, LOST, landed=True))

    results = record(truth, program, [entry("k0"), entry("k1", person="p2")])

    assert isinstance(known, Done)
    assert results["client", "k0"] == Known(known.decision_id, "hash-k0", known.reply)
    assert isinstance(results["client", "k1"], Done)
    assert truth.seen[ReadKeys] == 1


# --- a value that cannot be written down


def no_text(key: str) -> Entry:
    """Return an entry whose language is half a character: it cannot be made into bytes."""
    return replace(entry(key), language="\ud800")


def no_number(key: str) -> Entry:
    """Return an entry with a score that has no canonical form."""
    made = entry(key)
    return replace(made, proposal=replace(made.proposal, score=1.5))  # type: ignore[arg-type]


def odd_key(key: str) -> Entry:
    return entry(f"{key}\udfff")


@pytest.mark.parametrize("poison", [no_text, no_number, odd_key])
@pytest.mark.parametrize("place", [0, 2, 4])
def test_what_cannot_be_written_down_fails_alone(
    truth: MemoryTruth, program: BatchProgram, poison: Callable[[str], Entry], place: int
) -> None:
    entries = [entry(f"k{number}", limit=0) for number in range(5)]
    entries[place] = poison(f"k{place}")

    results = record(truth, program, entries)

    failed = results.pop(entries[place].key)
    assert isinstance(failed, Failed)
    assert isinstance(failed.error, PermanentError)
    assert [type(result) for result in results.values()] == [Done] * 4
    assert len(truth.state.decisions) == 4
    assert not program.uncertain


def test_what_a_column_cannot_hold_fails_alone_and_is_not_tried_again(
    truth: MemoryTruth, program: BatchProgram
) -> None:
    def refuse(statement: Statement) -> None:
        if isinstance(statement, InsertDecisions) and any(
            row.idem_key == "k1" for row in statement.rows
        ):
            raise DataError("too long")

    truth.before = refuse

    results = record(truth, program, [entry(f"k{number}", limit=0) for number in range(3)])

    failed = results.pop(("client", "k1"))
    assert isinstance(failed, Failed)
    assert isinstance(failed.error, PermanentError)
    assert [type(result) for result in results.values()] == [Done] * 2
