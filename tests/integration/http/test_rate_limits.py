"""The 429 of the contract: who is limited, when, and what a refused caller is told."""

import pytest

from adapters.inbound.http import examples
from adapters.inbound.http.messages import to_json
from tests.integration.http.live import Live

DECIDE = "/v1/credit-decisions"
HEADERS = {"Content-Type": "application/json", "Idempotency-Key": "k-1"}


@pytest.mark.parametrize(("wait_s", "told"), [(0.001, "1"), (1.0, "1"), (1.2, "2"), (60, "60")])
def test_a_caller_beyond_its_limit_is_told_when_to_come_again(
    live: Live, wait_s: float, told: str
) -> None:
    live.limits.wait_s = wait_s

    answer = live.ask("POST", DECIDE, headers=HEADERS, data=to_json(examples.APPLICATION))

    assert (answer.status, answer.document["code"]) == (429, "rate-limited")
    assert answer.headers["Retry-After"] == told
    assert str(answer.headers).lower().count("retry-after") == 1
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert live.fake.seen == []
    assert live.limits.seen == [("tester", "decisions")]


def test_within_its_limit_it_is_served(live: Live) -> None:
    answer = live.ask("POST", DECIDE, headers=HEADERS, data=to_json(examples.APPLICATION))

    assert answer.status == 201
    assert "Retry-After" not in answer.headers
    assert live.limits.seen == [("tester", "decisions")]


@pytest.mark.parametrize("headers", [
    {"Authorization": None}, {"Authorization": "Bearer nonsense"},
])  # fmt: skip
def test_nobody_is_counted_before_the_token_is_verified(
    live: Live, headers: dict[str, str | None]
) -> None:
    live.limits.wait_s = 9.0

    assert live.ask("GET", DECIDE, headers=headers).status == 401
    assert live.ask("GET", DECIDE, headers=live.authorization("reviews")).status == 403
    assert live.limits.seen == []


def test_a_refused_caller_is_refused_before_its_body_is_looked_at(live: Live) -> None:
    live.limits.wait_s = 9.0

    answer = live.ask("POST", DECIDE, headers={"Content-Type": "text/plain"}, data=b"x" * 100_000)

    assert answer.status == 429


@pytest.mark.parametrize(("method", "path", "kind"), [
    ("GET", DECIDE, "reads"),
    ("GET", "/v1/customers/c-1", "reads"),
    ("GET", "/v1/policies", "reads"),
    ("POST", "/v1/credit-decisions/what-if", "decisions"),
    ("POST", "/v1/quotes", "decisions"),
    ("POST", "/v1/events", "events"),
    ("POST", "/v1/policies/personal-loan/check", "admin"),
    ("GET", "/v1/loss-windows", "admin"),
])  # fmt: skip
def test_a_route_counts_in_its_class(live: Live, method: str, path: str, kind: str) -> None:
    live.limits.wait_s = 9.0

    assert live.ask(method, path).status == 429
    assert live.limits.seen == [("tester", kind)]


@pytest.mark.parametrize("path", ["/health/live", "/health/ready", "/openapi.json", "/docs"])
def test_what_asks_for_no_token_has_no_limit(live: Live, path: str) -> None:
    live.limits.wait_s = 9.0

    assert live.ask("GET", path).status == 200
    assert live.limits.seen == []
