"""The application: FastAPI's router inside our edge, and nothing between them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from fastapi import FastAPI
from fastapi.telemetry import TelemetryConfig

from adapters.inbound.http.cursors import Cursors
from adapters.inbound.http.customers import CustomerHandlers, customer_operations
from adapters.inbound.http.decisions import DecisionHandlers, decision_operations
from adapters.inbound.http.docs_page import docs_page
from adapters.inbound.http.documentation import DocumentationHandlers, documentation_operations
from adapters.inbound.http.edge import IN_FLIGHT_MAX, Edge, Instruments
from adapters.inbound.http.events import EventHandlers, event_operations
from adapters.inbound.http.gate import Gate
from adapters.inbound.http.health import HealthHandlers, health_operations
from adapters.inbound.http.hot_data import HotDataHandlers, hot_data_operations
from adapters.inbound.http.loss_windows import LossWindowHandlers, loss_window_operations
from adapters.inbound.http.messages import to_json
from adapters.inbound.http.openapi import openapi_document
from adapters.inbound.http.operation import Operation
from adapters.inbound.http.policies import PolicyHandlers, policy_operations
from adapters.inbound.http.problem_pages import ProblemPageHandlers
from adapters.inbound.http.quotes import QuoteHandlers, quote_operations
from adapters.inbound.http.reviews import ReviewHandlers, review_operations
from adapters.inbound.http.routing import fast_paths, routes_of
from adapters.inbound.http.use_cases import UseCases
from adapters.inbound.http.what_if import WhatIfHandlers, what_if_operations
from adapters.security.rate_limits import RateLimits
from adapters.security.request_keys import RequestKeys
from adapters.security.tokens import TokenVerifier

#: FastAPI's own telemetry would export request paths; ours does not.
SILENT: Final[TelemetryConfig] = {
    "tracing": False,
    "metrics": False,
    "logs": False,
    "auto_configure": False,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpPorts:
    """What the HTTP side needs besides the use cases."""

    verifier: TokenVerifier
    limits: RateLimits
    keys: RequestKeys
    instruments: Instruments
    pages: Mapping[str, str]
    version: str = "0.1.0"
    in_flight_max: int = IN_FLIGHT_MAX


class CreditApp(FastAPI):
    """FastAPI whose whole middleware is our edge: it catches everything, so nothing else has to."""

    def __init__(self, gates: Iterable[Gate], document: dict[str, Any], ports: HttpPorts) -> None:
        super().__init__(
            title=document["info"]["title"],
            version=ports.version,
            openapi_url=None,
            docs_url=None,
            redoc_url=None,
            redirect_slashes=False,
            telemetry=SILENT,
        )
        held = list(gates)
        self.openapi_schema = document
        self.router.routes[:] = routes_of(held)
        self._edge = Edge(self.router, fast_paths(held), ports.instruments, ports.in_flight_max)

    def build_middleware_stack(self) -> Edge:
        """Return the edge."""
        return self._edge

    def openapi(self) -> dict[str, Any]:
        """Return the document of the operations."""
        return self.openapi_schema or {}


def build_app(use_cases: UseCases, ports: HttpPorts) -> FastAPI:
    """Return the application with every route of the public contract that has a use case."""
    documentation = DocumentationHandlers()
    operations = [
        *_operations(use_cases, ports),
        *documentation_operations(documentation, ProblemPageHandlers(ports.pages)),
    ]
    document = openapi_document(operations, ports.version)
    documentation.openapi, documentation.page = to_json(document), docs_page(document)
    gates = [Gate(operation, ports.verifier, ports.limits) for operation in operations]
    return CreditApp(gates, document, ports)


def _operations(use_cases: UseCases, ports: HttpPorts) -> list[Operation]:
    keys, cursors = ports.keys, Cursors(ports.keys)
    return [
        *decision_operations(DecisionHandlers(use_cases, keys, cursors)),
        *what_if_operations(WhatIfHandlers(use_cases.what_if)),
        *review_operations(ReviewHandlers(use_cases, keys, cursors)),
        *quote_operations(QuoteHandlers(use_cases.quote)),
        *customer_operations(CustomerHandlers(use_cases, cursors)),
        *event_operations(EventHandlers(use_cases.accept_events)),
        *policy_operations(PolicyHandlers(use_cases)),
        *loss_window_operations(LossWindowHandlers(use_cases, keys, cursors)),
        *hot_data_operations(HotDataHandlers(use_cases, cursors)),
        *health_operations(HealthHandlers(use_cases.health)),
    ]
