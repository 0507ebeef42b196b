"""The recorded proof of a trace is the one of its plain entries, whatever was proved before."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from decision_engine.assess_again import assess_again
from decision_engine.case import CreditCase
from decision_engine.exposure import NO_EXPOSURE, Commitment, Exposure
from decision_engine.record.entry import HumanVerdict
from decision_engine.snapshot import Attribute, Attributes, attribute_text
from decision_engine.trace_marks import table_entries, trail_of
from decision_engine.trace_proof import TraceProof
from domain.money import EXACT, Money
from tests.unit.decide.world import application, case, good_profile, grey_profile, rulebook

NUMBERS = st.decimals(min_value=0, max_value=20000, places=2)
STATES = st.sampled_from(["ok", "ok", "ok", "missing", "stale", "invalid"])
NAMES = [
    field.name
    for field in rulebook().fields
    if not field.name.startswith(("application.", "exposure."))
]
EXPOSURES = st.lists(
    st.builds(
        Commitment,
        st.just("earlier"),
        st.integers(min_value=0, max_value=3_000_000),
        st.integers(min_value=0, max_value=200_000),
    ),
    max_size=2,
).map(lambda held: Exposure(tuple(held)))
HUMANS = st.sampled_from(
    [None, HumanVerdict("APPROVED", ()), HumanVerdict("DECLINED", ("R40", "R05"))]
)


@st.composite
def cases(draw: st.DrawFn) -> CreditCase:
    profile = draw(st.sampled_from([good_profile(), grey_profile(), good_profile(late=3), None]))
    asked = application(
        amount=Money(draw(st.integers(min_value=500, max_value=60_000)) * 100),
        term_months=draw(st.integers(min_value=3, max_value=72)),
    )
    made = case(profile, asked)
    attributes = dict(made.snapshot.attributes)
    for name in draw(st.sets(st.sampled_from(NAMES), max_size=3)):
        state = draw(STATES)
        held = attributes[name]
        value = None if state == "missing" else draw(NUMBERS)
        attributes[name] = Attribute(value, state, held.observed_us)  # type: ignore[arg-type]
    made = replace(made, snapshot=replace(made.snapshot, attributes=Attributes(attributes)))
    return replace(made, human=draw(HUMANS))


@settings(max_examples=200, deadline=None)
@given(cases(), EXPOSURES)
def test_the_recorded_proof_is_that_of_the_plain_trail(made: CreditCase, held: Exposure) -> None:
    assessor = made.assessor(held)
    assessment = assess_again(assessor)
    plain, proof = trail_of(assessor, assessment), TraceProof(assessor, assessment)
    assert (proof.digest, proof.marks) == (plain.digest, plain.marks)
    assert made.examine(held)[0].canonical() == made.assess(held).canonical()


def test_other_results_leave_another_proof() -> None:
    one = case(good_profile()).assess(NO_EXPOSURE).trace
    other = case(good_profile(late=3)).assess(NO_EXPOSURE).trace
    assert one.digest != other.digest
    assert one.marks != other.marks
    assert one != other


def test_equal_assessments_have_equal_proofs() -> None:
    one, other = (case(good_profile()) for _ in range(2))
    assert one.assess(NO_EXPOSURE) == other.assess(NO_EXPOSURE)
    assert repr(one.assess(NO_EXPOSURE).trace) == repr(other.assess(NO_EXPOSURE).trace)


@pytest.mark.parametrize("value", ["0.00", "-0.00", "-1.50", "1E+3", "0E-7", "1" * 40, "12.345"])
def test_a_number_has_one_text(value: str) -> None:
    assert attribute_text(Decimal(value)) == format(EXACT.plus(Decimal(value)), "f")


def test_a_day_before_every_table_is_said_to_have_no_row() -> None:
    assert list(table_entries(rulebook(), date(1900, 1, 1))) == [("tables", "no row")]
    assert len(list(table_entries(rulebook(), date(2026, 6, 10)))) == 2
