"""The hot path in front of the router and the router itself give the same answers."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from adapters.inbound.http import examples
from adapters.inbound.http.app import CreditApp, HttpPorts, build_app
from adapters.inbound.http.edge import Instruments
from adapters.inbound.http.messages import to_json
from adapters.inbound.http.problem_pages import load_pages
from adapters.security.request_keys import RequestKeys
from adapters.security.tokens import SCOPES, TokenKey
from adapters.system import SystemClock, SystemIds
from adapters.telemetry.logs import Logs
from adapters.telemetry.metrics import Metrics
from adapters.telemetry.monitoring import Telemetry
from tests.integration.http.fakes import FakeLimits, FakeUseCases

Sent = list[dict[str, Any]]


class Silence:
    def put(self, line: str) -> None:
        pass


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> TokenKey:
    return TokenKey.load_or_create(tmp_path_factory.mktemp("keys") / Path("token.key"))


def app_of(key: TokenKey, *, fast: bool) -> CreditApp:
    clock = SystemClock()
    ports = HttpPorts(
        verifier=key.verifier(),
        limits=FakeLimits(),
        keys=RequestKeys(b"k" * 32),
        instruments=Instruments(clock, SystemIds(), Telemetry(Metrics(), Logs(Silence(), clock))),
        pages=load_pages(),
    )
    app = build_app(FakeUseCases().as_use_cases(), ports)
    assert isinstance(app, CreditApp)
    if not fast:
        app._edge._fast = {}
    return app


async def sent_by(
    app: CreditApp, method: str, path: str, body: bytes, headers: dict[str, str]
) -> Sent:
    sent: Sent = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        sent.append(dict(message))

    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": b"",
        "root_path": "",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }
    await app(scope, receive, send)
    return sent


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v1/credit-decisions"),
        ("GET", "/v1/credit-decisions"),
        ("DELETE", "/v1/credit-decisions"),
        ("POST", "/v1/credit-decisions/what-if"),
        ("POST", "/v1/quotes"),
        ("GET", "/health/live"),
        ("GET", "/openapi.json"),
        ("GET", "/nowhere"),
    ],
)
@pytest.mark.parametrize(
    "body", [to_json(examples.APPLICATION), to_json(examples.QUOTE_BODY), b"{", b"[]"]
)
@pytest.mark.parametrize("with_token", [True, False])
def test_both_give_the_same_answer(
    key: TokenKey, method: str, path: str, body: bytes, *, with_token: bool
) -> None:
    headers = {
        "content-type": "application/json",
        "idempotency-key": "k-1",
        "correlation-id": "the-same-one",
    }
    if with_token:
        headers["authorization"] = f"Bearer {key.issue('tester', SCOPES)}"

    answers = [
        asyncio.run(sent_by(app_of(key, fast=fast), method, path, body, headers))
        for fast in (True, False)
    ]

    assert answers[0] == answers[1]
    assert len(answers[0]) == 2


def test_the_hot_path_is_in_front(key: TokenKey) -> None:
    assert ("POST", "/v1/credit-decisions") in app_of(key, fast=True)._edge._fast
