"""
What JSON Schema cannot say about this API, said to schemathesis.

Formats with their own strategies, and a few facts of HTTP, JSON and the contract, each with its
reason. No check, route, status or parameter is excluded.
"""

import re
import uuid
from datetime import date, datetime, timedelta
from typing import Any, Final

import schemathesis
from hypothesis import strategies as st

#: A first due date is 1 to 120 days after signature: any pair of these two is.
SIGNING_DAYS: Final = (date(2026, 6, 10), date(2026, 6, 20))
DUE_DAYS: Final = (date(2026, 6, 21), date(2026, 9, 30))
DAYS: Final = (date(1900, 1, 1), date(2300, 12, 31))
SECONDS_MAX: Final = 4_000_000_000
CURSOR_LENGTH_MAX: Final = 512
KEY_LENGTH_MAX: Final = 128
#: No machine of a test is so slow; what a deadline does has tests of its own.
PATIENCE_MS: Final = "10000"
#: schemathesis' codes: bad data was accepted, good data was rejected.
ACCEPTED: Final = "ST201"
REJECTED: Final = "ST202"
#: Fields that are good each, and not together or not here: no schema can say it.
EXPLAINED: Final = {
    "plan-not-payable",  # a loan whose instalments would be decided by the rounding of cents
    "product-unknown",  # which products there are, the published policies decide
    "policy-unknown",
    "attribute-unknown",  # which attributes there are, the policy decides
    "attribute-value",
    "first-due-range",  # counted from today
}
DAY_OR_INSTANT: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9:]{8}(\.[0-9]{1,6})?Z)?")
STANDARD_HEADERS: Final = {"authorization", "content-type"}


def days(first: date, last: date) -> st.SearchStrategy[str]:
    return st.dates(first, last).map(date.isoformat)


def instant(seconds: int) -> str:
    return f"{datetime(1970, 1, 1) + timedelta(seconds=seconds):%Y-%m-%dT%H:%M:%S}.000Z"


FORMATS: Final[dict[str, st.SearchStrategy[str]]] = {
    "signing-date": days(*SIGNING_DAYS),
    "due-date": days(*DUE_DAYS),
    "day-or-instant": days(*DAYS) | st.integers(0, SECONDS_MAX).map(instant),
    "money": st.integers(1, 10**14 - 1).map(lambda cents: f"{cents // 100}.{cents % 100:02d}"),
    "rate": st.integers(0, 10**6 - 1).map(lambda millionths: f"0.{millionths:06d}"),
    "cursor": st.just("taken-out-before-it-is-sent"),
}
Case = schemathesis.Case[Any]

for name, strategy in FORMATS.items():
    schemathesis.openapi.format(name, strategy)


@schemathesis.hook
def before_call(
    context: schemathesis.HookContext,  # noqa: ARG001 - named by the library
    case: Case,
    kwargs: dict[str, Any],  # noqa: ARG001 - named by the library
) -> None:
    """Make a case say what a caller can mean."""
    headers: Any = case.headers
    for name in list(headers or {}):
        headers[name] = _sent(name.lower(), headers[name])
    query: Any = case.query or {}
    if _is_text(query.get("cursor"), CURSOR_LENGTH_MAX):
        # A cursor comes from a page before; one that was made up is refused, as it must be.
        del query["cursor"]
    if isinstance(case.body, dict | list):
        case.body = _with_whole_numbers(case.body)


def _sent(name: str, value: Any) -> Any:
    if name == "idempotency-key" and _is_key(value):
        # The same key with another body is refused, as it must be; so each case gets its own.
        return str(uuid.uuid4())
    if name == "deadline-ms" and str(value).isdigit() and 50 <= int(value) <= int(PATIENCE_MS):
        return PATIENCE_MS
    return value


def _is_key(value: object) -> bool:
    return _is_text(value, KEY_LENGTH_MAX) and all("!" <= sign <= "~" for sign in str(value))


def _is_text(value: object, length_max: int) -> bool:
    return isinstance(value, str) and 1 <= len(value) <= length_max


def _with_whole_numbers(value: Any) -> Any:
    """To JSON Schema 36.0 is an integer; here a number with a point is refused, as it must be."""
    if isinstance(value, dict):
        return {name: _with_whole_numbers(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_with_whole_numbers(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


@schemathesis.hook
def filter_failure(
    context: schemathesis.HookContext,  # noqa: ARG001 - named by the library
    failure: Any,
    case: Case,
    response: schemathesis.Response,
) -> bool:
    """Keep every failure but those that are explained here."""
    if failure.code == ACCEPTED:
        # Anybody may send headers of their own (RFC 9110, 5.1).
        known = {parameter.name.lower() for parameter in case.operation.headers}
        return not {name.lower() for name in case.headers or {}} - known - STANDARD_HEADERS
    if failure.code == REJECTED:
        faults = response.json().get("errors", [{}])
        return not all(_is_explained(fault, case) for fault in faults)
    return True


def _is_explained(fault: dict[str, str], case: Case) -> bool:
    if fault.get("code") == "instant-format":
        # A format of our own is any text to schemathesis: what is none was rejected rightly.
        query: Any = case.query or {}
        name = fault["pointer"].rpartition("/")[2]
        return DAY_OR_INSTANT.fullmatch(str(query.get(name))) is None
    return fault.get("code") in EXPLAINED
