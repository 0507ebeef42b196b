"""The hot path as a caller sees it: one key, one answer; what reaches the use case."""

import json
import time
from datetime import date

import pytest

from adapters.inbound.http import examples
from adapters.inbound.http.messages import to_json
from decision_engine.commands import DecideCommand
from domain.application import Amortization, IofPayment
from domain.money import Money
from tests.integration.http.live import Live

DECIDE = "/v1/credit-decisions"
JSON = {"Content-Type": "application/json"}
FULL = to_json(examples.APPLICATION)
SHORT = to_json({
    name: examples.APPLICATION[name]
    for name in ("customer_id", "product", "amount", "term_months")
})  # fmt: skip


def keyed(key: str, **headers: str) -> dict[str, str]:
    return JSON | {"Idempotency-Key": key} | headers


def command(live: Live) -> DecideCommand:
    (seen,) = live.fake.seen
    assert isinstance(seen, DecideCommand)
    return seen


def test_a_decision_is_created(live: Live) -> None:
    answer = live.ask("POST", DECIDE, headers=keyed("k-1"), data=FULL)

    assert answer.status == 201
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Location"] == f"{DECIDE}/{examples.DECISION_ID}"
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Idempotency-Replayed" not in answer.headers
    assert answer.document["decision_id"] == examples.DECISION_ID
    seen = command(live)
    assert (seen.client_id, seen.idem_key, seen.language) == ("tester", "k-1", "pt-BR")
    assert seen.application.amount == Money(2_000_000)
    assert seen.application.first_due_on == date(2027, 1, 10)
    assert seen.application.external_reference == "app-77"


def test_defaults_are_those_of_the_contract(live: Live) -> None:
    live.ask("POST", DECIDE, headers=keyed("k-1"), data=SHORT)

    asked = command(live).application
    assert asked.amortization is Amortization.PRICE
    assert asked.iof is IofPayment.FINANCED
    assert (asked.first_due_on, asked.channel, asked.external_reference) == (None, "api", None)


@pytest.mark.parametrize(
    "again",
    [
        FULL,
        json.dumps(examples.APPLICATION, indent=3).encode(),
        to_json(dict(reversed(examples.APPLICATION.items()))),
        FULL.replace(b"c-000123", b"c-\\u0030\\u00300123"),
    ],
    ids=["same bytes", "blanks", "key order", "escapes"],
)
def test_the_same_command_gets_the_same_bytes(live: Live, again: bytes) -> None:
    first, second = live.ask_all(
        [
            ("POST", DECIDE, {"headers": keyed("k-1"), "data": FULL}),
            ("POST", DECIDE, {"headers": keyed("k-1"), "data": again}),
        ]
    )

    assert (second.status, second.body) == (first.status, first.body)
    assert second.headers["Location"] == first.headers["Location"]
    assert second.headers["Idempotency-Replayed"] == "true"


def test_a_default_that_is_sent_is_the_same_command(live: Live) -> None:
    spelled = json.loads(SHORT) | {"amortization": "price", "iof": "financed", "channel": "api"}
    first, second = live.ask_all(
        [
            ("POST", DECIDE, {"headers": keyed("k-1"), "data": SHORT}),
            ("POST", DECIDE, {"headers": keyed("k-1"), "data": to_json(spelled)}),
        ]
    )

    assert second.body == first.body


@pytest.mark.parametrize("field", ["customer_id", "amount", "term_months", "external_reference"])
def test_another_command_under_the_key_is_refused(live: Live, field: str) -> None:
    other = examples.APPLICATION | {
        field: {"amount": "20000.01", "term_months": 37}.get(field, "other")
    }
    _, second = live.ask_all(
        [
            ("POST", DECIDE, {"headers": keyed("k-1"), "data": FULL}),
            ("POST", DECIDE, {"headers": keyed("k-1"), "data": to_json(other)}),
        ]
    )

    assert second.status == 422
    assert second.document["code"] == "idempotency-key-reused"


def test_the_key_may_be_any_visible_ascii(live: Live) -> None:
    key = "".join(map(chr, range(0x21, 0x7F)))

    assert live.ask("POST", DECIDE, headers=keyed(key), data=FULL).status == 201
    assert command(live).idem_key == key


@pytest.mark.parametrize(
    ("value", "language"),
    [
        ("en", "en"),
        ("en-GB,en;q=0.9", "en"),
        ("pt-BR", "pt-BR"),
        ("pt;q=0.5, en;q=0.8", "en"),
        ("en;q=0.3, pt-BR;q=0.7", "pt-BR"),
        ("en;q=0", "pt-BR"),
        ("fr, de", "pt-BR"),
        ("*", "pt-BR"),
        ("", "pt-BR"),
        (";;;q=,", "pt-BR"),
    ],
)
def test_the_language_follows_the_caller(live: Live, value: str, language: str) -> None:
    live.ask("POST", DECIDE, headers=keyed("k-1", **{"Accept-Language": value}), data=FULL)

    assert command(live).language == language


@pytest.mark.parametrize(("value", "seconds"), [(None, 1.0), ("50", 0.05), ("10000", 10.0)])
def test_the_deadline_follows_the_caller(live: Live, value: str | None, seconds: float) -> None:
    before = time.monotonic()
    headers = keyed("k-1") | ({"Deadline-Ms": value} if value else {})
    live.ask("POST", DECIDE, headers=headers, data=FULL)

    assert before + seconds <= command(live).deadline.at <= time.monotonic() + seconds


@pytest.mark.parametrize("value", ["*/*", "application/*", "text/html, application/json;q=0.1"])
def test_what_accepts_json_is_accepted(live: Live, value: str) -> None:
    answer = live.ask("POST", DECIDE, headers=keyed("k-1", Accept=value), data=FULL)

    assert answer.status == 201


@pytest.mark.parametrize(
    "value", ["application/json;charset=UTF-8", 'Application/JSON; charset="utf-8"']
)
def test_json_in_utf8_is_taken(live: Live, value: str) -> None:
    answer = live.ask("POST", DECIDE, headers=keyed("k-1") | {"Content-Type": value}, data=FULL)

    assert answer.status == 201


def test_a_correlation_id_goes_through_reply_and_logs(live: Live) -> None:
    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    sent = keyed("k-1", **{"Correlation-Id": "order-77.a_b", "traceparent": trace})

    answer = live.ask("POST", DECIDE, headers=sent, data=FULL)

    assert answer.headers["Correlation-Id"] == "order-77.a_b"
    line = json.loads(live.lines.kept[-1])
    assert line["correlation_id"] == "order-77.a_b"
    assert line["trace_id"] == trace.split("-")[1]


@pytest.mark.parametrize(
    "value",
    ["short", "x" * 65, "with blank in it", "529.982.247-25", "id-52998224725", "11987654321",
     "1990-01-31", "-leading-dash"],
)  # fmt: skip
def test_what_is_no_correlation_id_is_replaced(live: Live, value: str) -> None:
    answer = live.ask("POST", DECIDE, headers=keyed("k-1", **{"Correlation-Id": value}), data=FULL)

    assert answer.status == 201
    assert answer.headers["Correlation-Id"] != value
    assert len(answer.headers["Correlation-Id"]) == 36


@pytest.mark.parametrize(
    "value",
    ["00-" + "0" * 32 + "-00f067aa0ba902b7-01", "00-4bf92f3577b34da6a3ce929d0e0e4736-" + "0" * 16
     + "-01", "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "Maria Honeytoken"],
)  # fmt: skip
def test_a_broken_trace_is_ignored(live: Live, value: str) -> None:
    live.ask("POST", DECIDE, headers=keyed("k-1", traceparent=value), data=FULL)

    assert "trace_id" not in json.loads(live.lines.kept[-1])


def test_it_is_counted_by_route(live: Live) -> None:
    labels = {"route": DECIDE, "method": "POST", "status": "201"}
    before = live.metrics.value("http_requests_total", **labels)
    timed = live.metrics.histogram("http_request_duration_seconds", route=DECIDE).total

    live.ask("POST", DECIDE, headers=keyed("k-1"), data=FULL)

    assert live.metrics.value("http_requests_total", **labels) == before + 1
    after = live.metrics.histogram("http_request_duration_seconds", route=DECIDE)
    assert after.total == timed + 1
