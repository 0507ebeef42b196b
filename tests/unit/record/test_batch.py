"""What a ledger batch promises, whatever goes wrong between its statements."""

import copy
from collections.abc import Sequence
from dataclasses import replace

import pytest

from decision_engine.record.batch import BatchProgram
from decision_engine.record.entry import (
    Again,
    Done,
    Entry,
    Failed,
    HumanVerdict,
    Known,
    ReviewClosing,
)
from decision_engine.record.prepare import Lane, Results
from decision_engine.record.statements import (
    BatchRow,
    ExposureRow,
    InsertBatch,
    InsertDecisions,
    InsertOutbox,
    LockPersons,
    ReadKeys,
    Reconnect,
    ReviewRow,
    TakeLane,
)
from decision_engine.record.verify import verify_lane
from domain.customer import CreditData
from domain.errors import AmbiguousError, ConflictError, LedgerBusyError, TransientError
from domain.ports.truth import (
    Begin,
    Commit,
    DeadlockError,
    DuplicateKeyError,
    LockWaitError,
    LostConnectionError,
    Rollback,
    ServerError,
    TruthError,
)
from domain.profile_bytes import profile_to_bytes
from tests.unit.record.memory_truth import Fault, MemoryTruth
from tests.unit.record.ports import CountingIds, FixedChance, HandClock
from tests.unit.record.toy import entry


@pytest.fixture
def truth() -> MemoryTruth:
    made = MemoryTruth()
    made.add_customer("c-p1", "p1")
    made.add_customer("c-p2", "p2")
    return made


@pytest.fixture
def program(truth: MemoryTruth) -> BatchProgram:
    made = BatchProgram(Lane("lane-1"), HandClock(), CountingIds(), FixedChance())
    truth.run(made.open_lane("test"))
    truth.seen.clear()
    return made


def record(truth: MemoryTruth, program: BatchProgram, entries: Sequence[Entry]) -> Results:
    results: Results = truth.run(program.record(entries))
    assert set(results) == {each.key for each in entries}
    return results


def outcomes(truth: MemoryTruth) -> list[str]:
    return sorted(row.outcome for row in truth.state.decisions.values())


def faults_of(truth: MemoryTruth) -> list[object]:
    by_lane: dict[str, list[BatchRow]] = {}
    for (lane, _), row in sorted(truth.state.batches.items()):
        by_lane.setdefault(lane, []).append(row)
    found: list[object] = []
    for lane, batches in by_lane.items():
        made = [row for row in truth.state.decisions.values() if row.lane == lane]
        made.sort(key=lambda row: (row.lane_seq, row.decision_id))
        found.extend(verify_lane(lane, batches, made))
    return found


def test_a_batch_approves_while_the_limit_of_the_person_lasts(
    truth: MemoryTruth, program: BatchProgram
) -> None:
    results = record(truth, program, [entry(f"k{n:02}") for n in range(64)])

    assert outcomes(truth) == ["APPROVED"] * 3 + ["DECLINED"] * 61
    assert sum(row.principal for row in truth.state.reservations) == 900_00
    assert all(isinstance(result, Done) for result in results.values())
    assert len(truth.state.outbox) == 64
    assert not faults_of(truth)


def test_the_rest_of_the_limit_becomes_a_counter_offer(
    truth: MemoryTruth, program: BatchProgram
) -> None:
    record(truth, program, [entry(f"k{n:02}", least=50_00) for n in range(8)])

    assert outcomes(truth) == ["APPROVED"] * 3 + ["COUNTER_OFFER"] + ["DECLINED"] * 4
    assert sum(row.principal for row in truth.state.reservations) == 1_000_00


def test_exposure_counts_for_all_customers_of_a_person_and_across_batches(
    truth: MemoryTruth, program: BatchProgram
) -> None:
    truth.add_customer("c-other", "p1")

    for n in range(8):
        customer = "c-other" if n % 2 else "c-p1"
        record(truth, program, [entry(f"k{n}", customer=customer)])

    assert outcomes(truth) == ["APPROVED"] * 3 + ["DECLINED"] * 5


def test_contracts_count_and_expired_reservations_do_not(
    truth: MemoryTruth, program: BatchProgram
) -> None:
    truth.state.contracts.append(ExposureRow("p1", "contract", 700_00, 70_00))
    record(truth, program, [entry("k1"), entry("k2")])
    assert outcomes(truth) == ["APPROVED", "DECLINED"]

    assert isinstance(program.clock, HandClock)
    program.clock.move(2 * 86_400 + 301)
    record(truth, program, [entry("k3")])

    assert outcomes(truth) == ["APPROVED", "APPROVED", "DECLINED"]


def test_different_persons_do_not_share_a_limit(truth: MemoryTruth, program: BatchProgram) -> None:
    record(truth, program, [entry(f"{p}{n}", person=p) for p in ("p1", "p2") for n in range(3)])

    assert outcomes(truth) == ["APPROVED"] * 6


def test_a_known_key_gets_its_stored_reply(truth: MemoryTruth, program: BatchProgram) -> None:
    first = record(truth, program, [entry("k1")])[("client", "k1")]
    second = record(truth, program, [entry("k1"), entry("k2")])[("client", "k1")]

    assert isinstance(first, Done)
    assert isinstance(second, Known)
    assert second.reply == first.reply
    assert len(truth.state.decisions) == 2


def test_an_absent_person_is_referred(truth: MemoryTruth, program: BatchProgram) -> None:
    del truth.state.customers["c-p1"]

    record(truth, program, [entry("k1")])

    assert outcomes(truth) == ["REFERRED"]
    assert [row.cause for row in truth.state.reviews.values()] == ["REFERRED"]


def test_a_person_locked_elsewhere_is_offered_again_and_the_others_go_on(
    truth: MemoryTruth, program: BatchProgram
) -> None:
    truth.locked.add("p1")

    results = record(truth, program, [entry("k1"), entry("k2", person="p2")])

    assert results["client", "k1"] == Again("locked")
    assert isinstance(results["client", "k2"], Done)


def test_a_customer_that_moved_to_another_person_gathers_again(
    truth: MemoryTruth, program: BatchProgram
) -> None:
    truth.add_customer("c-p1", "p9")

    assert record(truth, program, [entry("k1")])["client", "k1"] == Again("person")
    assert not truth.state.decisions


def test_a_newer_profile_is_evaluated_again(truth: MemoryTruth, program: BatchProgram) -> None:
    truth.add_customer("c-p1", "p1", version=2)
    newer = CreditData(customer_id="c-p1", person_id="p1", profile_version=2)
    truth.state.profiles["c-p1"] = profile_to_bytes(newer)

    record(truth, program, [entry("k1")])

    (row,) = truth.state.decisions.values()
    assert b'"profile_version":2' in row.evidence


def test_a_repeated_request_is_marked_and_not_merged(
    truth: MemoryTruth, program: BatchProgram
) -> None:
    record(truth, program, [entry("k1", amount=100_00), entry("k2", amount=109_00)])
    record(truth, program, [entry("k3", amount=90_00), entry("k4", amount=300_00)])

    rows = {key: row for (_, key), row in truth.state.decisions.items()}
    first = rows["k1"].decision_id
    assert [rows[k].duplicate_of for k in ("k1", "k2", "k3", "k4")] == ["", first, first, ""]


@pytest.mark.parametrize("error", [DuplicateKeyError("uq_decision_key"), DeadlockError("x")])
@pytest.mark.parametrize("kind", [LockPersons, ReadKeys, InsertBatch, InsertDecisions, Commit])
def test_after_a_duplicate_or_deadlock_the_batch_begins_again(
    truth: MemoryTruth, program: BatchProgram, kind: type, error: DeadlockError
) -> None:
    truth.faults.append(Fault(kind, 1, error))

    record(truth, program, [entry(f"k{n}") for n in range(5)])

    assert outcomes(truth) == ["APPROVED"] * 3 + ["DECLINED"] * 2
    assert not faults_of(truth)


def test_a_rival_that_recorded_the_key_first_is_answered_with_its_reply(
    truth: MemoryTruth, program: BatchProgram
) -> None:
    rival = BatchProgram(Lane("lane-2"), program.clock, CountingIds(), FixedChance())

    def overtake(statement: object) -> None:
        if isinstance(statement, InsertBatch) and truth.before is not None:
            truth.before = lambda _: None
            saved, truth._saved = truth._saved, None
            assert saved is not None
            truth.state = saved
            truth.run(rival.open_lane("rival"))
            truth.run(rival.record([entry("k1")]))
            truth._saved = copy.deepcopy(truth.state)

    truth.before = overtake
    results = record(truth, program, [entry("k1"), entry("k2", person="p2")])

    assert isinstance(results["client", "k1"], Known)
    assert isinstance(results["client", "k2"], Done)


def test_endless_deadlocks_end_in_an_error(truth: MemoryTruth, program: BatchProgram) -> None:
    truth.faults.extend(Fault(LockPersons, n, DeadlockError("x")) for n in range(1, 30))

    result = record(truth, program, [entry("k1")])["client", "k1"]

    assert isinstance(result, Failed)
    assert isinstance(result.error, LedgerBusyError)


def test_a_lock_wait_goes_on_one_request_at_a_time(
    truth: MemoryTruth, program: BatchProgram
) -> None:
    truth.faults.extend([Fault(InsertDecisions, n, LockWaitError("x")) for n in (1, 3)])

    results = record(truth, program, [entry(f"k{n}") for n in range(3)])

    kinds = [type(results["client", f"k{n}"]) for n in range(3)]
    assert kinds == [Done, Failed, Done]


def test_one_poison_row_fails_alone(truth: MemoryTruth, program: BatchProgram) -> None:
    def poison(statement: object) -> None:
        rows = statement.rows if isinstance(statement, InsertDecisions) else ()
        if any(row.idem_key == "k5" for row in rows):
            raise ServerError("refused")

    truth.before = poison
    results = record(truth, program, [entry(f"k{n}", person="p2") for n in range(8)])

    failed = results["client", "k5"]
    assert isinstance(failed, Failed)
    assert isinstance(failed.error, TransientError)
    assert sum(isinstance(result, Done) for result in results.values()) == 7
    assert not faults_of(truth)


@pytest.mark.parametrize("kind", [Begin, LockPersons, ReadKeys])
def test_a_connection_lost_before_the_write_begins_again(
    truth: MemoryTruth, program: BatchProgram, kind: type
) -> None:
    truth.faults.append(Fault(kind, 1, LostConnectionError("x")))

    record(truth, program, [entry(f"k{n}") for n in range(5)])

    assert outcomes(truth) == ["APPROVED"] * 3 + ["DECLINED"] * 2
    assert not faults_of(truth)


@pytest.mark.parametrize("landed", [False, True])
@pytest.mark.parametrize("kind", [InsertBatch, InsertOutbox, Commit])
def test_an_unknown_commit_is_arbitrated(
    truth: MemoryTruth, program: BatchProgram, kind: type, *, landed: bool
) -> None:
    truth.faults.append(Fault(kind, 1, LostConnectionError("x"), landed=landed and kind is Commit))

    results = record(truth, program, [entry(f"k{n}") for n in range(5)])

    assert outcomes(truth) == ["APPROVED"] * 3 + ["DECLINED"] * 2
    for (_, key), row in truth.state.decisions.items():
        result = results["client", key]
        assert isinstance(result, Done)
        assert (result.decision_id, result.reply) == (row.decision_id, row.reply)
    voids = [row for row in truth.state.batches.values() if row.note == "void"]
    assert len(voids) == (0 if landed and kind is Commit else 1)
    assert not faults_of(truth)


def test_recovery_survives_losing_the_connection_again(
    truth: MemoryTruth, program: BatchProgram
) -> None:
    truth.faults.append(Fault(Commit, 1, LostConnectionError("x")))
    truth.faults.append(Fault(Reconnect, 1, LostConnectionError("x")))
    # The arbitration itself lands, and its reply is lost.
    truth.faults.append(Fault(Commit, 2, LostConnectionError("x"), landed=True))

    record(truth, program, [entry(f"k{n}") for n in range(5)])

    assert outcomes(truth) == ["APPROVED"] * 3 + ["DECLINED"] * 2
    assert not faults_of(truth)


def test_what_cannot_be_resolved_is_said_to_be_unknown(
    truth: MemoryTruth, program: BatchProgram
) -> None:
    truth.faults.append(Fault(Commit, 1, LostConnectionError("x")))
    truth.faults.extend(Fault(Reconnect, n, LostConnectionError("x")) for n in range(1, 30))

    result = record(truth, program, [entry("k1")])["client", "k1"]

    assert isinstance(result, Failed)
    assert isinstance(result.error, AmbiguousError)
    assert program.uncertain


def closing(key: str, outcome: str) -> Entry:
    made = entry(key)
    review = ReviewClosing("r1", "d1", "reviewer", "seen", HumanVerdict(outcome, ()))
    return replace(made, review=review)


def test_a_review_is_closed_once(truth: MemoryTruth, program: BatchProgram) -> None:
    truth.state.reviews["r1"] = ReviewRow("r1", "d1", "c-p1", "OPEN", "REFERRED", 0)

    first = record(truth, program, [closing("k1", "APPROVED")])["client", "k1"]
    second = record(truth, program, [closing("k2", "APPROVED")])["client", "k2"]

    assert isinstance(first, Done)
    assert isinstance(second, Failed)
    assert isinstance(second.error, ConflictError)
    (row,) = truth.state.decisions.values()
    assert row.reviewed_decision == "d1"


def test_a_review_that_stays_referred_is_refused(truth: MemoryTruth, program: BatchProgram) -> None:
    truth.state.reviews["r1"] = ReviewRow("r1", "d1", "c-p1", "OPEN", "REFERRED", 0)
    del truth.state.customers["c-p1"]

    result = record(truth, program, [closing("k1", "APPROVED")])["client", "k1"]

    assert isinstance(result, Failed)
    assert not truth.state.decisions


def test_nothing_to_record_records_nothing(truth: MemoryTruth, program: BatchProgram) -> None:
    assert record(truth, program, []) == {}


def test_nothing_is_offered_to_a_person_who_is_not_locked(
    truth: MemoryTruth, program: BatchProgram
) -> None:
    refused = entry("k1", limit=0)
    # Evaluated again because of the contract, the case would now be approved.
    odd = replace(refused, case=entry("k1", limit=10_000_00).case)
    truth.state.contracts.append(ExposureRow("p1", "contract", 1, 1))
    truth.locked.add("p1")

    results = record(truth, program, [odd, entry("k2", limit=10_000_00)])

    assert results == {("client", "k1"): Again("person"), ("client", "k2"): Again("locked")}


@pytest.mark.parametrize("kind", [Rollback, ReadKeys])
@pytest.mark.parametrize("first", [DuplicateKeyError("x"), ServerError("x"), LockWaitError("x")])
def test_a_connection_lost_while_cleaning_up_is_settled_as_well(
    truth: MemoryTruth, program: BatchProgram, first: TruthError, kind: type
) -> None:
    truth.faults.append(Fault(InsertDecisions, 1, first))
    # The first read of keys belongs to the attempt, the second to the recovery.
    nth = 1 if kind is Rollback else 2
    truth.faults.append(Fault(kind, nth, LostConnectionError("x")))

    record(truth, program, [entry(f"k{n}") for n in range(5)])

    assert outcomes(truth) == ["APPROVED"] * 3 + ["DECLINED"] * 2
    assert not faults_of(truth)


def test_a_lane_that_cannot_be_taken_at_once_is_asked_for_again(
    truth: MemoryTruth, program: BatchProgram
) -> None:
    truth.faults.append(Fault(Commit, 1, LostConnectionError("x"), landed=True))
    truth.faults.append(Fault(TakeLane, 1, LockWaitError("x")))

    record(truth, program, [entry(f"k{n}") for n in range(5)])

    assert outcomes(truth) == ["APPROVED"] * 3 + ["DECLINED"] * 2
    assert not faults_of(truth)
