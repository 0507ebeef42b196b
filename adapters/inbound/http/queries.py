"""Query parameters: each known, each at most once, each parsed by its own type."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final
from urllib.parse import parse_qsl

from adapters.inbound.http.cursors import CURSOR_LENGTH_MAX
from adapters.inbound.http.fields import NAME_SCHEMA
from adapters.inbound.http.operation import Parameter
from adapters.inbound.http.refusals import ProblemError, refused
from domain.decision import Outcome
from domain.errors import InvalidInputError, NotFoundError, Problem
from domain.identifiers import NAME, parse_name
from domain.instants import DATE_TEXT, SAO_PAULO, epoch_micros, parse_date, parse_instant

Parser = Callable[[str, str], Any]

LIMIT_MAX: Final = 200
LIMIT_DEFAULT: Final = 50
PARAMETERS_MAX: Final = 20
LANGUAGES: Final = ("pt-BR", "en")
REVIEW_STATES: Final = ("OPEN", "CLOSED")
LIMIT_TEXT: Final = re.compile(r"[1-9][0-9]{0,2}", re.ASCII)
VERSION_MAX: Final = 1_000_000_000
VERSION_TEXT: Final = re.compile(r"[1-9][0-9]{0,9}", re.ASCII)
YEARS: Final = range(1900, 2301)


def read_query(raw: bytes, known: Sequence[Parameter]) -> dict[str, Any]:
    """
    Return the parsed parameters by name; those not given are left out.

    Raises:
        ProblemError: `invalid-input` with every fault found.
    """
    if not raw:
        return {}
    parsers: dict[str, Parser] = {parameter.name: parameter.parse for parameter in known}
    values: dict[str, Any] = {}
    faults: list[Problem] = []
    for name, text in _pairs(raw):
        try:
            values[name] = _parsed(name, text, parsers, values)
        except InvalidInputError as error:
            faults.extend(error.problems)
    if faults:
        raise ProblemError("invalid-input", faults)
    return values


def path_id(path: Mapping[str, str]) -> str:
    """
    Return the id in a path.

    Raises:
        NotFoundError: nothing can have an id of this shape.
    """
    text = path["id"]
    if NAME.fullmatch(text) is None:
        raise NotFoundError("nothing has an id of this shape")
    return text


def purpose_of(route: str, query: Mapping[str, Any]) -> str:
    """Return what a cursor is bound to: the list and its filters, not the size of its pages."""
    filters = sorted(
        f"{name}={value}" for name, value in query.items() if name not in ("cursor", "limit")
    )
    return "&".join((route, *filters))


def _pairs(raw: bytes) -> Iterable[tuple[str, str]]:
    try:
        return parse_qsl(
            raw.decode("ascii"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=PARAMETERS_MAX,
        )
    except ValueError:
        raise refused("/query", "query-format", "the query string cannot be read") from None


def _parsed(name: str, text: str, parsers: Mapping[str, Parser], values: Mapping[str, Any]) -> Any:
    if name not in parsers:
        raise InvalidInputError.at("/query", "parameter-unknown", "a parameter is not known here")
    if name in values:
        raise InvalidInputError.at(f"/query/{name}", "parameter-repeated", "send it once")
    return parsers[name](text, f"/query/{name}")


def _limit(text: str, pointer: str) -> int:
    if LIMIT_TEXT.fullmatch(text) and int(text) <= LIMIT_MAX:
        return int(text)
    raise InvalidInputError.at(pointer, "limit-range", f"a whole number from 1 to {LIMIT_MAX}")


def _version(text: str, pointer: str) -> int:
    if VERSION_TEXT.fullmatch(text) and int(text) <= VERSION_MAX:
        return int(text)
    raise InvalidInputError.at(pointer, "version-format", "the number of a version")


def _one_of(*allowed: str) -> Callable[[str, str], str]:
    def parse(text: str, pointer: str) -> str:
        if text not in allowed:
            raise InvalidInputError.at(pointer, "choice-unknown", f"one of {', '.join(allowed)}")
        return text

    return parse


def _begin(text: str, pointer: str) -> int:
    """Return the microseconds at which a range begins: an instant, or a day in São Paulo."""
    day = _day(text, pointer)
    return epoch_micros(parse_instant(text, pointer) if day is None else _midnight(day))


def _end(text: str, pointer: str) -> int:
    """Return where a range ends, exclusive: an instant, or the end of a day in São Paulo."""
    day = _day(text, pointer)
    instant = parse_instant(text, pointer) if day is None else _midnight(day + timedelta(days=1))
    return epoch_micros(instant)


def _day(text: str, pointer: str) -> date | None:
    if DATE_TEXT.fullmatch(text) is None:
        return None
    day = parse_date(text, pointer)
    if day.year not in YEARS:
        raise InvalidInputError.at(pointer, "date-range", "a day from 1900 to 2300")
    return day


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=SAO_PAULO)


def _cursor(text: str, _: str) -> str:
    return text


LIMIT: Final = Parameter(
    name="limit",
    parse=_limit,
    schema={"type": "integer", "minimum": 1, "maximum": LIMIT_MAX, "default": LIMIT_DEFAULT},
    description="How many items a page holds.",
)
CURSOR: Final = Parameter(
    name="cursor",
    parse=_cursor,
    schema={"type": "string", "format": "cursor", "maxLength": CURSOR_LENGTH_MAX},
    description="`next_cursor` of the page before, of this very list.",
)
_INSTANT_SCHEMA: Final = {"type": "string", "format": "day-or-instant"}
FROM: Final = Parameter(
    name="from",
    parse=_begin,
    schema=_INSTANT_SCHEMA,
    description="Not before this: a day (São Paulo) or an RFC 3339 instant with Z.",
)
TO: Final = Parameter(
    name="to",
    parse=_end,
    schema=_INSTANT_SCHEMA,
    description="Up to the end of this day (São Paulo), or before this instant.",
)
CUSTOMER_ID: Final = Parameter(
    name="customer_id",
    parse=parse_name,
    schema=NAME_SCHEMA,
    description="Only of this customer.",
)
OUTCOME: Final = Parameter(
    name="outcome",
    parse=_one_of(*Outcome),
    schema={"type": "string", "enum": [outcome.value for outcome in Outcome]},
    description="Only with this outcome.",
)
POLICY: Final = Parameter(
    name="policy", parse=parse_name, schema=NAME_SCHEMA, description="Only by this policy."
)
STATE: Final = Parameter(
    name="state",
    parse=_one_of(*REVIEW_STATES),
    schema={"type": "string", "enum": list(REVIEW_STATES)},
    description="Only cases in this state.",
)
LANGUAGE: Final = Parameter(
    name="language",
    parse=_one_of(*LANGUAGES),
    schema={"type": "string", "enum": list(LANGUAGES)},
    description="The language of texts; without it, Accept-Language decides.",
)
_VERSION_SCHEMA: Final = {"type": "integer", "minimum": 1, "maximum": VERSION_MAX}
FROM_VERSION: Final = Parameter(
    name="from",
    parse=_version,
    schema=_VERSION_SCHEMA,
    description="The older version; without it, the one before `to`.",
)
TO_VERSION: Final = Parameter(
    name="to",
    parse=_version,
    schema=_VERSION_SCHEMA,
    description="The newer version; without it, the active one.",
)
