"""A batch honours a loss window that is open when its transaction reads."""

from dataclasses import replace

from decision_engine.loss_statements import StoredWindow
from decision_engine.record.batch import BatchProgram
from decision_engine.record.entry import Again, Done
from decision_engine.record.loss import LossLook
from decision_engine.record.prepare import Lane
from tests.unit.record.memory_truth import MemoryTruth
from tests.unit.record.ports import CountingIds, FixedChance, HandClock
from tests.unit.record.toy import entry


def opened() -> tuple[MemoryTruth, BatchProgram]:
    truth = MemoryTruth()
    for person in ("p1", "p2", "p3"):
        truth.add_customer(f"c-{person}", person)
    program = BatchProgram(Lane("lane-1"), HandClock(), CountingIds(), FixedChance())
    truth.run(program.open_lane("test"))
    truth.state.windows["w"] = StoredWindow("w", 1, "ana", "", "RESTORE")
    return truth, program


def test_who_has_not_looked_must_gather_again_and_nothing_is_written() -> None:
    truth, program = opened()

    results = truth.run(program.record((entry("a"),)))

    assert results == {("client", "a"): Again("window")}
    assert truth.state.decisions == {}


def test_each_entry_of_a_batch_is_held_by_its_own_look() -> None:
    truth, program = opened()
    first = replace(entry("a"), loss=LossLook(("w",), ()))
    results = truth.run(program.record((first,)))
    (known,) = truth.state.decisions.values()

    looks = {"b": (known.decision_id,), "c": (known.decision_id, "lost"), "d": ()}
    people = {"b": "p1", "c": "p2", "d": "p3"}
    results |= truth.run(
        program.record(
            [
                replace(entry(k, person=people[k]), loss=LossLook(("w",), ids))
                for k, ids in looks.items()
            ]
        )
    )

    assert {type(result) for result in results.values()} == {Done}
    outcomes = {row.idem_key: row.outcome for row in truth.state.decisions.values()}
    assert outcomes == {"a": "APPROVED", "b": "APPROVED", "c": "REFERRED", "d": "APPROVED"}
    assert {row.person_id for row in truth.state.reservations} == {"p1", "p3"}


def test_what_is_declined_under_the_lock_needs_no_look() -> None:
    truth, program = opened()
    first = replace(entry("a", amount=900_00), loss=LossLook(("w",), ()))
    truth.run(program.record((first,)))

    truth.run(program.record((entry("b", amount=900_00),)))

    outcomes = {row.idem_key: row.outcome for row in truth.state.decisions.values()}
    assert outcomes == {"a": "APPROVED", "b": "DECLINED"}
