"""What is kept of a reading is what a fresh reading gives: nothing passes between customers."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from decision_engine.snapshot import Gathered, _attributes, _Reading, take_snapshot
from domain.customer import CreditData
from domain.errors import PermanentError
from domain.instants import business_day
from domain.profile_bytes import profile_from_bytes, profile_to_bytes
from tests.unit.decide.world import AS_OF, good_profile, grey_profile, rulebook

PROFILES = st.one_of(
    st.builds(
        good_profile,
        st.sampled_from(["c-1", "c-2"]),
        limit=st.sampled_from([100_00, 16_000_00]),
        income_age=st.sampled_from([100, 400]),
    ),
    st.just(grey_profile()),
    st.none(),
)
DAYS = st.integers(min_value=0, max_value=60).map(timedelta)


@given(st.lists(st.tuples(PROFILES, DAYS), min_size=2, max_size=6))
def test_a_kept_reading_is_what_a_fresh_one_gives(
    asked: list[tuple[CreditData | None, timedelta]],
) -> None:
    fields = rulebook().fields
    for profile, later in [*asked, *reversed(asked)]:
        as_of = AS_OF + later
        held = None if profile is None else profile_from_bytes(profile_to_bytes(profile))
        fresh = None if profile is None else replace(profile)

        kept = take_snapshot(Gathered(held, "redis"), fields, as_of)
        plain = _attributes.__wrapped__(_Reading(fresh, tuple(fields), business_day(as_of)))

        assert held == profile
        assert kept.attributes == plain
        assert kept.attributes.texts == plain.texts
        assert kept.attributes.canonical == plain.canonical
        assert kept.attributes.usable == plain.usable


def test_the_same_bytes_are_read_once() -> None:
    stored = profile_to_bytes(good_profile())
    first, again = profile_from_bytes(stored), profile_from_bytes(bytearray(stored))
    one, other = (
        take_snapshot(Gathered(held, "redis"), rulebook().fields, AS_OF) for held in (first, again)
    )

    assert again is first
    assert other.attributes is one.attributes


def test_another_day_or_version_is_read_anew() -> None:
    profile = good_profile()
    day = take_snapshot(Gathered(profile, "redis"), rulebook().fields, AS_OF)
    late = take_snapshot(Gathered(profile, "redis"), rulebook().fields, AS_OF + timedelta(days=90))
    newer = good_profile(profile_version=13, late=3)
    read = take_snapshot(Gathered(newer, "redis"), rulebook().fields, AS_OF)

    assert late.states() != day.states()
    assert read.profile_version == 13
    assert read.attributes != day.attributes


def test_what_is_no_profile_is_refused_each_time() -> None:
    for _ in range(2):
        with pytest.raises(PermanentError):
            profile_from_bytes(b"{}")


def test_readings_are_compared_with_readings() -> None:
    reading = _Reading(None, (), business_day(AS_OF))
    assert reading != "a reading"
