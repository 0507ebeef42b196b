from datetime import date

import pytest

from decision_engine.pricing.schedule import (
    default_first_due_on,
    first_period_thirtieths,
    schedule_of,
)
from tests.unit.pricing.cases import ORACLES


def test_days_are_counted_by_the_calendar() -> None:
    schedule = schedule_of(date(2026, 12, 10), date(2027, 1, 10), 24)
    oracle = ORACLES["iof_price_10000_24"]

    assert schedule.days[0] == oracle["days_first"]
    assert schedule.days[11] == oracle["days_12"]
    assert schedule.days[-1] == oracle["days_last"]
    assert schedule.due_on[-1].isoformat() == oracle["last_due"]


def test_iof_counts_a_year_at_most() -> None:
    schedule = schedule_of(date(2026, 12, 10), date(2027, 1, 10), 24)

    assert schedule.iof_days[:12] == schedule.days[:12]
    assert set(schedule.iof_days[12:]) == {365}


def test_the_day_is_kept_and_clamped_to_the_end_of_a_month() -> None:
    schedule = schedule_of(date(2026, 12, 31), date(2027, 1, 31), 4)

    assert [day.isoformat() for day in schedule.due_on] == [
        "2027-01-31",
        "2027-02-28",
        "2027-03-31",
        "2027-04-30",
    ]


def test_later_dates_follow_the_day_of_the_first() -> None:
    first = default_first_due_on(date(2027, 1, 31))

    assert first == date(2027, 2, 28)
    assert schedule_of(date(2027, 1, 31), first, 2).due_on[1] == date(2027, 3, 28)


def test_a_due_date_on_a_sunday_stays() -> None:
    assert schedule_of(date(2026, 12, 10), date(2027, 1, 10), 1).due_on[0].isoweekday() == 7


@pytest.mark.parametrize(
    ("first_due_on", "thirtieths"),
    [
        (date(2027, 1, 10), 30),
        (date(2027, 1, 11), 31),
        (date(2027, 2, 9), 60),
        (date(2027, 1, 9), 30),
        (date(2026, 12, 11), 1),
    ],
)
def test_the_first_period_is_a_month_and_its_extra_days(
    first_due_on: date, thirtieths: int
) -> None:
    assert first_period_thirtieths(date(2026, 12, 10), first_due_on) == thirtieths


def test_the_first_period_never_gets_shorter_when_it_begins_later() -> None:
    signed_on = date(2027, 1, 31)
    lengths = [
        first_period_thirtieths(signed_on, date.fromordinal(signed_on.toordinal() + days))
        for days in range(1, 121)
    ]

    assert lengths == sorted(lengths)
    assert lengths[26:28] == [27, 30]


def test_schedules_are_kept() -> None:
    arguments = (date(2026, 12, 10), date(2027, 1, 10), 24)

    assert schedule_of(*arguments) is schedule_of(*arguments)
    assert schedule_of.cache_info().maxsize == 1024
