"""
Functions of instants: whole seconds since 1970 in UTC, read from strict ISO texts.

No function asks a clock or a table of time zones. The years are 1 to 9999.
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Final, Literal

from decision_engine.policy.functions.signature import Function, NoResultError, either, form
from decision_engine.policy.limits import WHOLE_DIGITS

Instant = Decimal | str

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND: Final = timedelta(seconds=1)
_DATE: Final = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})"
    r"(?:[ T]([0-9]{2}):([0-9]{2}):([0-9]{2})(Z|[+-][0-9]{2}:[0-9]{2})?)?",
    re.ASCII,
)
_TIME: Final = re.compile(r"([0-9]{2}):([0-9]{2})(?::([0-9]{2}))?", re.ASCII)
_SPANS: Final = re.compile(r"(?:[0-9]{1,12} ?[a-zA-Z]+ ?)+", re.ASCII)
_SPAN: Final = re.compile(r"([0-9]+) ?([a-zA-Z]+)", re.ASCII)
_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400
#: As in ZEN: a month is 30.44 days, a year 365.25 days.
_SECONDS: Final[Mapping[str, int]] = {
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), 1),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), _MINUTE),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), _HOUR),
    **dict.fromkeys(("d", "day", "days"), _DAY),
    **dict.fromkeys(("w", "wk", "wks", "week", "weeks"), 7 * _DAY),
    **dict.fromkeys(("M", "month", "months"), 2_630_016),
    **dict.fromkeys(("y", "yr", "yrs", "year", "years"), 31_557_600),
}
Unit = Literal["second", "minute", "hour", "day", "week", "month", "year"]
UNITS: Final[Mapping[str, Unit]] = {
    **dict.fromkeys(("s", "second", "seconds"), "second"),
    **dict.fromkeys(("m", "minute", "minutes"), "minute"),
    **dict.fromkeys(("h", "hour", "hours"), "hour"),
    **dict.fromkeys(("d", "day", "days"), "day"),
    **dict.fromkeys(("w", "week", "weeks"), "week"),
    **dict.fromkeys(("M", "month", "months"), "month"),
    **dict.fromkeys(("y", "year", "years"), "year"),
}
_MONTHS: Final = [
    "Jan",
    "Feb",
    "Mar",
    "Apr",
    "May",
    "Jun",
    "Jul",
    "Aug",
    "Sep",
    "Oct",
    "Nov",
    "Dec",
]
_WEEKDAYS: Final = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
_DECEMBER: Final = 12


def instant(value: Instant) -> datetime:
    """
    Return the instant of a text or of a number of seconds.

    Raises:
        ArithmeticError: the text is none of the three ISO forms, or no day of the calendar; the
            number is not whole, or outside the years 1 to 9999.
    """
    if isinstance(value, str):
        return _read(value)
    return _EPOCH + _SECOND * _whole(value)


def seconds(moment: datetime) -> Decimal:
    """Return the seconds since 1970 of an instant."""
    return Decimal((moment - _EPOCH) // _SECOND)


def time_of(value: Instant) -> Decimal:
    """
    Return the seconds since midnight of a time, `10:30` or `10:30:15`, or of an instant's text.

    Raises:
        ArithmeticError: the text is neither, or a number is not whole or is negative.
    """
    if not isinstance(value, str):
        return _span(value)
    found = _TIME.fullmatch(value)
    if found is None:
        if len(value) == len("2026-01-31"):
            raise NoResultError
        moment = _read(value)
        return Decimal(moment.hour * _HOUR + moment.minute * _MINUTE + moment.second)
    hours, minutes, rest = (int(part or 0) for part in found.groups())
    if hours > 23 or minutes > 59 or rest > 59:  # noqa: PLR2004 - a clock face
        raise NoResultError
    return Decimal(hours * _HOUR + minutes * _MINUTE + rest)


def duration(value: Instant) -> Decimal:
    """
    Return the seconds of a duration such as `2d` or `1 week 2 days`.

    Raises:
        ArithmeticError: the text is not whole numbers with units; a number is not whole, or is
            negative.
    """
    if not isinstance(value, str):
        return _span(value)
    if _SPANS.fullmatch(value) is None:
        raise NoResultError
    total = 0
    for count, unit in _SPAN.findall(value):
        if unit not in _SECONDS:
            raise NoResultError
        total += int(count) * _SECONDS[unit]
    return Decimal(total)


def date_string(value: Instant) -> str:
    """Return an instant as `2026-01-31 10:20:30`."""
    return instant(value).replace(tzinfo=None).isoformat(" ")


def start_of(value: Instant, unit: str) -> Decimal:
    """
    Return the first second of the unit that an instant lies in; a week begins on Monday.

    Raises:
        ArithmeticError: the instant cannot be read, or the unit is unknown.
    """
    return seconds(_start(instant(value), _unit(unit)))


def end_of(value: Instant, unit: str) -> Decimal:
    """
    Return the last second of the unit that an instant lies in.

    Raises:
        ArithmeticError: the instant cannot be read, or the unit is unknown.
    """
    name = _unit(unit)
    start = _start(instant(value), name)
    return Decimal(int(seconds(start)) + _length(start, name) - 1)


def _read(text: str) -> datetime:
    found = _DATE.fullmatch(text)
    if found is None:
        raise NoResultError
    *parts, zone = found.groups()
    if (zone is not None) != ("T" in text):
        raise NoResultError
    try:
        moment = datetime(*(int(part or 0) for part in parts), tzinfo=_zone(zone))  # type: ignore[arg-type,misc]
    except ValueError as error:
        raise NoResultError from error
    return moment.astimezone(UTC)


def _zone(text: str | None) -> timezone:
    if text is None or text == "Z":
        return UTC
    hours, minutes = int(text[1:3]), int(text[4:])
    if minutes >= _MINUTE:
        raise NoResultError
    offset = timedelta(hours=hours, minutes=minutes)
    return timezone(-offset if text[0] == "-" else offset)


def _whole(value: Decimal) -> int:
    count = int(value)
    if count != value or abs(count) >= 10**WHOLE_DIGITS:
        raise NoResultError
    return count


def _span(value: Decimal) -> Decimal:
    count = _whole(value)
    if count < 0:
        raise NoResultError
    return Decimal(count)


def _unit(name: str) -> Unit:
    if name not in UNITS:
        raise NoResultError
    return UNITS[name]


def _start(moment: datetime, unit: Unit) -> datetime:
    if unit == "week":
        monday = moment - timedelta(days=moment.weekday())
        return _start(monday, "day")
    first = {"month": 1, "day": 1, "hour": 0, "minute": 0, "second": 0}
    order = ("year", *first)
    kept = order.index(unit)
    return moment.replace(**{name: first[name] for name in order[kept + 1 :]})  # type: ignore[arg-type]


def _length(start: datetime, unit: Unit) -> int:
    if unit == "year":
        leap = start.year % 4 == 0 and (start.year % 100 != 0 or start.year % 400 == 0)
        return (366 if leap else 365) * _DAY
    if unit == "month":
        if start.month == _DECEMBER:
            return 31 * _DAY
        return (start.replace(month=start.month + 1) - start) // _SECOND
    return _SECONDS[unit]


def _about(part: Callable[[datetime], int]) -> Callable[[Instant], Decimal]:
    return lambda value: Decimal(part(instant(value)))


_TAKES: Final = "an ISO text or a number of seconds"
_NUMBER: Final = either(form("string", gives="number"), form("number", gives="number"))
_TEXT: Final = either(form("string", gives="string"), form("number", gives="string"))
_EDGE: Final = either(
    form("string", "string", gives="number"), form("number", "string", gives="number")
)
ENTRIES: Final = (
    Function("date", _TAKES, _NUMBER, lambda value: seconds(instant(value))),
    Function("time", "a text or a number of seconds", _NUMBER, time_of),
    Function("duration", "a text or a number of seconds", _NUMBER, duration),
    Function("year", _TAKES, _NUMBER, _about(lambda moment: moment.year)),
    Function("monthOfYear", _TAKES, _NUMBER, _about(lambda moment: moment.month)),
    Function("dayOfMonth", _TAKES, _NUMBER, _about(lambda moment: moment.day)),
    Function("dayOfWeek", _TAKES, _NUMBER, _about(datetime.isoweekday)),
    Function("dayOfYear", _TAKES, _NUMBER, _about(lambda moment: moment.timetuple().tm_yday)),
    Function("weekOfYear", _TAKES, _NUMBER, _about(lambda moment: moment.isocalendar().week)),
    Function("monthString", _TAKES, _TEXT, lambda value: _MONTHS[instant(value).month - 1]),
    Function("weekdayString", _TAKES, _TEXT, lambda value: _WEEKDAYS[instant(value).weekday()]),
    Function("dateString", _TAKES, _TEXT, date_string),
    Function("startOf", "an instant and a unit", _EDGE, start_of),
    Function("endOf", "an instant and a unit", _EDGE, end_of),
)
