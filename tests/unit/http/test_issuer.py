"""Requests whose tokens another issuer signed: who has to wait, who is refused, and who is told."""

import asyncio
from http import HTTPStatus

from adapters.inbound.http.app import CreditApp, HttpPorts, build_app
from adapters.inbound.http.edge import Instruments
from adapters.inbound.http.problem_pages import load_pages
from adapters.security.jwks import JwksKeys
from adapters.security.jwks_verifier import JwksVerifier
from adapters.security.request_keys import RequestKeys
from adapters.system import SystemClock, SystemIds
from adapters.telemetry.logs import Logs
from adapters.telemetry.metrics import Metrics
from adapters.telemetry.monitoring import Telemetry
from tests.contracts.opened import Counted
from tests.integration.http.fakes import FakeLimits, FakeUseCases
from tests.unit.http.test_fast_path import Silence, sent_by
from tests.unit.security.issuer import ACCEPTED, Clock, Issuer, jwk_of, signed


def app_of(issuer: Issuer) -> CreditApp:
    system, clock = SystemClock(), Clock()
    keys = JwksKeys(issuer.fetch, clock=clock, monitoring=Counted())
    ports = HttpPorts(
        verifier=JwksVerifier(keys, ACCEPTED, clock),
        limits=FakeLimits(),
        keys=RequestKeys(b"k" * 32),
        instruments=Instruments(system, SystemIds(), Telemetry(Metrics(), Logs(Silence(), system))),
        pages=load_pages(),
    )
    app = build_app(FakeUseCases().as_use_cases(), ports)
    assert isinstance(app, CreditApp)
    return app


def statuses(issuer: Issuer, *tokens: bytes) -> list[int]:
    app = app_of(issuer)

    async def ask() -> list[int]:
        return [
            (
                await sent_by(
                    app, "GET", "/v1/policies", b"", {"authorization": f"Bearer {token.decode()}"}
                )
            )[0]["status"]
            for token in tokens
        ]

    return asyncio.run(ask())


def test_the_first_token_of_an_issuer_waits_for_its_keys() -> None:
    issuer = Issuer([jwk_of("RS256", "a")])

    good = signed("RS256", "a", scope="policies:read")

    assert statuses(issuer, good, good) == [HTTPStatus.OK] * 2
    assert issuer.asked == 1


def test_tokens_of_nobody_are_refused_and_cost_one_question() -> None:
    issuer = Issuer([jwk_of("RS256", "a")])
    strangers = [signed("RS256", f"x{number}", scope="policies:read") for number in range(3)]

    found = statuses(issuer, *strangers, signed("RS256", "a"))

    assert found == [HTTPStatus.UNAUTHORIZED] * 3 + [HTTPStatus.FORBIDDEN]
    assert issuer.asked == 1


def test_an_issuer_that_is_away_is_no_fault_of_the_caller() -> None:
    issuer = Issuer(away=True)

    found = statuses(issuer, *[signed("RS256", "a", scope="policies:read")] * 2)

    assert found == [HTTPStatus.SERVICE_UNAVAILABLE] * 2
