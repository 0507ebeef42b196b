"""Instants in UTC and business days in São Paulo: two kinds of time that never mix silently."""

import re
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo, reset_tzpath

from domain.errors import InvalidInputError

# Only the pinned tzdata package: the host's own zones would make replays differ between machines.
reset_tzpath(())

#: The IANA name, never a fixed offset: rules changed before and may again.
SAO_PAULO: Final = ZoneInfo("America/Sao_Paulo")
INSTANT_TEXT: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?Z", re.ASCII
)
DATE_TEXT: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
DAY_SECONDS: Final = 86_400
SECOND_MICROS: Final = 1_000_000
#: `+00:00`, how the standard library ends an instant in UTC.
OFFSET_SIZE: Final = 6
#: Facts of one customer mostly share a few instants.
DAYS_KEPT: Final = 4096


def parse_instant(text: object, pointer: str = "") -> datetime:
    """
    Read an RFC 3339 instant in UTC with `Z`.

    Raises:
        InvalidInputError: `instant-format`.
    """
    if isinstance(text, str) and INSTANT_TEXT.fullmatch(text) is not None:
        try:
            return datetime.fromisoformat(text)
        except ValueError:
            pass
    raise InvalidInputError.at(
        pointer, "instant-format", 'an instant is RFC 3339 text in UTC, "2026-06-10T12:00:00.000Z"'
    )


def parse_date(text: object, pointer: str = "") -> date:
    """
    Read a calendar day `YYYY-MM-DD`.

    Raises:
        InvalidInputError: `date-format`.
    """
    if isinstance(text, str) and DATE_TEXT.fullmatch(text) is not None:
        try:
            return date.fromisoformat(text)
        except ValueError:
            pass
    raise InvalidInputError.at(pointer, "date-format", 'a date is text like "2027-01-10"')


def instant_millis(instant: datetime) -> str:
    """Return the public text of an instant: UTC, milliseconds (cut, not rounded), `Z`."""
    return _in_utc(instant).isoformat(timespec="milliseconds")[:-OFFSET_SIZE] + "Z"


def instant_micros(instant: datetime) -> str:
    """Return fixed-width text with microseconds, which sorts as the instants do."""
    return _in_utc(instant).isoformat(timespec="microseconds")[:-OFFSET_SIZE] + "Z"


def _in_utc(instant: datetime) -> datetime:
    return instant if instant.tzinfo is UTC else instant.astimezone(UTC)


def epoch_micros(instant: datetime) -> int:
    """Return whole microseconds since 1970 in UTC, exactly."""
    since = instant - EPOCH
    return (since.days * DAY_SECONDS + since.seconds) * SECOND_MICROS + since.microseconds


def from_epoch_micros(micros: int) -> datetime:
    """Return the instant of `epoch_micros`."""
    return EPOCH + timedelta(microseconds=micros)


def business_day(instant: datetime) -> date:
    """Return the day in São Paulo: 01:30Z is still yesterday there."""
    return instant.astimezone(SAO_PAULO).date()


@lru_cache(maxsize=DAYS_KEPT)
def business_day_of(micros: int) -> date:
    """Return the day in São Paulo of an instant in whole microseconds since 1970."""
    return business_day(from_epoch_micros(micros))


def add_months(day: date, months: int) -> date:
    """Return the same day `months` later, clamped to the end of a shorter month."""
    year, month0 = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month0 + 1, min(day.day, _days_in_month(year, month0 + 1)))


def month_of(day: date) -> int:
    """Return the month as one number (year * 12 + month - 1), so that differences are months."""
    return day.year * 12 + day.month - 1


def _days_in_month(year: int, month: int) -> int:
    if month == 2:  # noqa: PLR2004
        leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
        return 29 if leap else 28
    return 30 if month in (4, 6, 9, 11) else 31
