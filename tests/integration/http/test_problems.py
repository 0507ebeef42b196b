"""What the core raises becomes one problem document; what nobody foresaw becomes a 500."""

import json

import pytest

from adapters.inbound.http import examples
from adapters.inbound.http.messages import to_json
from domain.errors import (
    AmbiguousError,
    ConflictError,
    CreditError,
    DeadlineExceededError,
    GoneError,
    InvalidInputError,
    LedgerBusyError,
    NotFoundError,
    PermanentError,
    Problem,
    ThrottledError,
    TransientError,
)
from domain.ports.truth import DuplicateKeyError
from tests.integration.http.live import Live

HONEY = "Maria Honeytoken 529.982.247-25"
DECIDE = "/v1/credit-decisions"
HEADERS = {"Content-Type": "application/json", "Idempotency-Key": "k-1"}


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (InvalidInputError(HONEY), 422, "invalid-input"),
        (InvalidInputError(HONEY, code="idempotency-key-reused"), 422, "idempotency-key-reused"),
        (InvalidInputError(HONEY, code="something-new"), 422, "invalid-input"),
        (InvalidInputError(HONEY, code="gone"), 422, "invalid-input"),
        (NotFoundError(HONEY), 404, "not-found"),
        (ConflictError(HONEY), 409, "conflict"),
        (ConflictError(HONEY, code="request-in-progress"), 409, "request-in-progress"),
        (ConflictError(HONEY, code="review-closed"), 409, "review-closed"),
        (ConflictError(HONEY, code="Honeytoken"), 409, "conflict"),
        (GoneError(HONEY), 410, "gone"),
        (TransientError(HONEY), 503, "unavailable"),
        (ThrottledError(HONEY), 503, "throttled"),
        (LedgerBusyError(HONEY), 503, "ledger-busy"),
        (DeadlineExceededError(HONEY), 503, "deadline-exceeded"),
        (AmbiguousError(HONEY), 503, "outcome-unknown"),
        (PermanentError(HONEY), 500, "permanent"),
        (DuplicateKeyError(HONEY), 500, "internal"),
        (CreditError(HONEY), 500, "internal"),
        (RuntimeError(HONEY), 500, "internal"),
        (ValueError(HONEY), 500, "internal"),
        (RecursionError(HONEY), 500, "internal"),
        (TimeoutError(HONEY), 500, "internal"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else str(value),
)
def test_an_error_becomes_its_problem(live: Live, error: Exception, status: int, code: str) -> None:
    live.fake.error = error

    answer = live.ask("POST", DECIDE, headers=HEADERS, data=to_json(examples.APPLICATION))

    assert (answer.status, answer.document["code"]) == (status, code)
    assert answer.document["type"] == f"/problems/{code}"
    assert ("Retry-After" in answer.headers) == (status == 503)
    told = answer.body.decode() + str(answer.headers) + "".join(live.lines.kept)
    assert "oneytoken" not in told + live.metrics.text()


def test_faults_of_the_core_are_shown_up_to_the_names_of_the_contract(live: Live) -> None:
    live.fake.error = InvalidInputError(
        HONEY,
        [
            Problem(pointer="/amount", code="amount-range", detail="too much"),
            Problem(pointer="/overrides/Honeytoken", code="attribute-value", detail="not one"),
            Problem(pointer="/events/3/data/Honeytoken", code="Honey Token", detail="not one"),
            Problem(pointer="Honeytoken", code="name-format", detail="not one"),
        ],
    )

    answer = live.ask("POST", DECIDE, headers=HEADERS, data=to_json(examples.APPLICATION))

    assert answer.document["errors"] == [
        {"pointer": "/amount", "code": "amount-range", "detail": "too much"},
        {"pointer": "/overrides", "code": "attribute-value", "detail": "not one"},
        {"pointer": "/events/3/data", "code": "invalid", "detail": "not one"},
        {"pointer": "", "code": "name-format", "detail": "not one"},
    ]


def test_a_long_list_of_faults_is_cut(live: Live) -> None:
    events = to_json({"events": ["text"] * 500})

    answer = live.ask("POST", "/v1/events", headers=HEADERS, data=events)

    assert len(answer.document["errors"]) == 20


def test_a_crash_is_logged_by_type_and_place(live: Live) -> None:
    live.fake.error = RuntimeError(HONEY)

    answer = live.ask("POST", DECIDE, headers=HEADERS, data=to_json(examples.APPLICATION))

    (line,) = [each for each in map(json.loads, live.lines.kept) if each["event"] == "http.failed"]
    assert line["error_type"] == "RuntimeError"
    assert line["place"].startswith("integration/http/fakes.py:")
    assert line["place"].endswith(":_see")
    assert line["route"] == DECIDE
    assert line["correlation_id"] == answer.headers["Correlation-Id"]


def test_the_server_goes_on_after_a_crash(live: Live) -> None:
    live.fake.error = RuntimeError(HONEY)
    live.ask("POST", DECIDE, headers=HEADERS, data=to_json(examples.APPLICATION))
    live.fake.error = None

    answer = live.ask("POST", DECIDE, headers=HEADERS, data=to_json(examples.APPLICATION))

    assert answer.status == 201


def test_refusals_are_counted_as_security_events(live: Live) -> None:
    labels = {"route": DECIDE, "code": "token-invalid"}
    before = live.metrics.value("http_auth_refusals_total", **labels)

    live.ask("POST", DECIDE, headers=HEADERS | {"Authorization": "Bearer x"}, data=b"{}")

    assert live.metrics.value("http_auth_refusals_total", **labels) == before + 1
    line = json.loads(live.lines.kept[-1])
    assert (line["event"], line["level"], line["code"]) == (
        "auth.refused",
        "warning",
        "token-invalid",
    )
