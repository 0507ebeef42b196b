"""When instalments fall due, and how many days after signing."""

from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Final

from domain.instants import add_months

#: IOF counts at most 365 days on each principal part (Decreto 6.306/2007, art. 7, § 1).
IOF_DAYS_MAX: Final = 365
#: A month of interest is thirty thirtieths, whatever the calendar says.
MONTH_THIRTIETHS: Final = 30
#: How late the first instalment may fall due.
FIRST_DUE_MAX: Final = timedelta(days=120)


@dataclass(frozen=True, slots=True)
class Schedule:
    """
    The due dates of a loan, in order.

    Attributes:
        due_on: contract dates; a day without banking stays as it is, for the charge is counted by
            contract date (paying on the next working day costs nothing more).
        days: days from signing to each due date.
        iof_days: the same, at most 365.
        first_thirtieths: length of the first period in thirtieths of a month, see
            `first_period_thirtieths`.
    """

    due_on: tuple[date, ...]
    days: tuple[int, ...]
    iof_days: tuple[int, ...]
    first_thirtieths: int


def default_first_due_on(signed_on: date) -> date:
    """Return the first due date when none is asked for: one month after signing."""
    return add_months(signed_on, 1)


def first_period_thirtieths(signed_on: date, first_due_on: date) -> int:
    """
    Return how much of a month's interest the first period bears, in thirtieths.

    Due one month after signing: exactly 30, as every later period. Later: 30 plus one for each
    real day beyond that date. Earlier: one for each real day. The rule never falls when the date
    moves on, and 30 days of grace cost one month of simple interest.
    """
    one_month = default_first_due_on(signed_on)
    if first_due_on >= one_month:
        return MONTH_THIRTIETHS + (first_due_on - one_month).days
    return (first_due_on - signed_on).days


@lru_cache(maxsize=1024)
def schedule_of(signed_on: date, first_due_on: date, term_months: int) -> Schedule:
    """
    Return the schedule; the last 1,024 are kept, since most requests of a day share theirs.

    Every due date has the day of the first one, clamped to the end of a shorter month: 31 January
    is followed by 28 February and 31 March.
    """
    due_on = tuple(add_months(first_due_on, months) for months in range(term_months))
    days = tuple((due - signed_on) // timedelta(days=1) for due in due_on)
    return Schedule(
        due_on=due_on,
        days=days,
        iof_days=tuple(min(count, IOF_DAYS_MAX) for count in days),
        first_thirtieths=first_period_thirtieths(signed_on, first_due_on),
    )
