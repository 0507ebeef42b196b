"""What is personal goes in everywhere and comes out nowhere: replies, logs, metrics, URLs."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest

from adapters.inbound.http import examples
from adapters.inbound.http.messages import to_json
from domain.errors import InvalidInputError, PermanentError, TransientError
from tests.integration.http.live import Answer, Live

#: One of each kind of direct identifier, in the forms that people type.
TOKENS = (
    "52998224725",
    "529.982.247-25",
    "Maria da Silva Honeytoken",
    "honey.token@example.com",
    "+55 11 98765-4321",
    "Rua do Mel 123, ap. 45",
    "1987-06-05",
)
JSON = {"Content-Type": "application/json", "Idempotency-Key": "k-1"}
BODIES: dict[str, dict[str, Any]] = {
    "/v1/credit-decisions": examples.APPLICATION,
    "/v1/credit-decisions/what-if": examples.WHAT_IF_BODY,
    "/v1/quotes": examples.QUOTE_BODY,
    f"/v1/credit-decisions/{examples.DECISION_ID}/review": examples.REVIEW_BODY,
    f"/v1/reviews/{examples.REVIEW_ID}/decision": examples.REVIEW_DECISION_BODY,
    "/v1/events": examples.EVENTS_BODY,
}
HEADERS = (
    "Accept", "Accept-Language", "Authorization", "Content-Type", "Correlation-Id", "Cookie",
    "Deadline-Ms", "Idempotency-Key", "Referer", "User-Agent", "X-Forwarded-For", "X-Request-Id",
    "traceparent",
)  # fmt: skip
PATHS = (
    "/{}", "/v1/{}", "/v1/credit-decisions/{}", "/v1/credit-decisions/{}/explanation",
    "/v1/customers/{}", "/v1/customers/{}/transactions", "/v1/policies/{}", "/problems/{}",
    "/v1/credit-decisions?customer_id={}", "/v1/credit-decisions?cursor={}", "/v1/reviews?{}=1",
    "/v1/credit-decisions?from={}", "/docs?{}",
)  # fmt: skip

Request = tuple[str, str, dict[str, Any]]


def spoiled(value: Any, token: str) -> Iterator[Any]:
    """Yield the value with each of its parts replaced by the token, and each name too."""
    yield token
    if isinstance(value, dict):
        yield value | {token: token}
        for name, item in value.items():
            yield from (value | {name: other} for other in spoiled(item, token))
    elif isinstance(value, list):
        for place, item in enumerate(value):
            yield from ([*value[:place], other, *value[place + 1 :]] for other in
                        spoiled(item, token))  # fmt: skip


def requests_with(token: str) -> Iterator[Request]:
    """Yield requests that carry the token in every place that there is."""
    for path, body in BODIES.items():
        for spoilt in spoiled(body, token):
            yield "POST", path, {"headers": JSON, "data": to_json(spoilt)}
        yield "POST", path, {"headers": JSON, "data": token.encode()}
    for header in HEADERS:
        sent = {"headers": JSON | {header: token}, "data": to_json(examples.APPLICATION)}
        yield "POST", "/v1/credit-decisions", sent
    for path in PATHS:
        yield "GET", path.format(quote(token)), {}


@pytest.mark.parametrize("token", TOKENS)
@pytest.mark.parametrize(
    "error",
    [
        None,
        InvalidInputError("@"),
        TransientError("@"),
        PermanentError("@"),
        RuntimeError("@"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_nothing_personal_comes_back(live: Live, token: str, error: Exception | None) -> None:
    live.fake.error = None if error is None else type(error)(token)
    requests = list(requests_with(token))

    answers = live.ask_all(requests)

    for (method, path, _), answer in zip(requests, answers, strict=True):
        found = [place for place, text in told(answer) if token in text]
        assert found == [], (method, path, answer.status)
    assert token not in "".join(live.lines.kept)
    assert token not in live.metrics.text()


def told(answer: Answer) -> Iterator[tuple[str, str]]:
    yield "body", answer.body.decode()
    yield from answer.headers.items()
