"""
The outermost layer: ids, the error table, the RED metrics, the bound on requests under way.

Whatever happens inside becomes one problem document here; an unexpected exception is logged by
its type and place, and nothing of it is shown.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from starlette.exceptions import HTTPException

from adapters.inbound.http.exchange import CLIENT_GONE, Exchange, Send, reply_to
from adapters.inbound.http.gate import Endpoint, Scope
from adapters.inbound.http.problem_table import PROBLEMS
from adapters.inbound.http.problems import problem_of, problem_reply
from adapters.inbound.http.refusals import ProblemError
from adapters.inbound.http.request_body import ClientGoneError, Receive
from adapters.inbound.http.request_headers import Headers
from adapters.telemetry.context import correlation_id, trace_id
from adapters.telemetry.faults import place_of, type_chain
from domain.errors import CreditError
from domain.ports.monitoring import Monitoring
from domain.ports.time import Clock, Ids

IN_FLIGHT_MAX: Final = 1_024
SERVER_FAULT: Final = 500
NOT_AUTHORISED: Final = (401, 403)


@dataclass(frozen=True, slots=True)
class Instruments:
    """What the edge reads and writes besides the request."""

    clock: Clock
    ids: Ids
    monitoring: Monitoring


class Edge:
    """
    An ASGI application around the router.

    `fast` holds endpoints of the hot path by (method, path): the very same ones that the router
    has, found without walking it.
    """

    def __init__(
        self,
        router: Endpoint,
        fast: Mapping[tuple[str, str], Endpoint],
        instruments: Instruments,
        in_flight_max: int = IN_FLIGHT_MAX,
    ) -> None:
        self._router = router
        self._fast = fast
        self._clock = instruments.clock
        self._ids = instruments.ids
        self._monitoring = instruments.monitoring
        self._in_flight_max = in_flight_max
        self._in_flight = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, whatever happens inside."""
        if scope["type"] != "http":
            await self._router(scope, receive, send)
            return
        exchange = self._begin(scope)
        self._in_flight += 1
        try:
            await self._answer(exchange, scope, receive, send)
        finally:
            self._in_flight -= 1
            self._end(exchange)

    def _begin(self, scope: Scope) -> Exchange:
        headers = Headers(scope["headers"])
        request_id = headers.correlation_id() or self._ids.uuid7(self._clock.now())
        correlation_id.set(request_id)
        trace_id.set(headers.trace_id())
        exchange = Exchange(headers, request_id, scope["method"], self._clock.monotonic())
        scope["credit.exchange"] = exchange
        return exchange

    async def _answer(self, exchange: Exchange, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._endpoint(scope)(scope, receive, send)
        except ClientGoneError:
            exchange.status = CLIENT_GONE
        except Exception as error:
            if exchange.status:
                # The answer has begun: only breaking the connection says that it is not whole.
                raise
            problem = self._problem(error, exchange)
            exchange.code = problem.code
            await reply_to(send, exchange, problem_reply(problem, exchange.correlation_id))

    def _endpoint(self, scope: Scope) -> Endpoint:
        if self._in_flight > self._in_flight_max:
            raise ProblemError("overloaded")
        return self._fast.get((scope["method"], scope["path"]), self._router)

    def _problem(self, error: Exception, exchange: Exchange) -> ProblemError:
        if isinstance(error, ProblemError):
            return error
        if isinstance(error, HTTPException):
            return ProblemError("route-not-found")
        problem = problem_of(error) if isinstance(error, CreditError) else ProblemError("internal")
        status = PROBLEMS[problem.code].status
        if status >= SERVER_FAULT:
            self._monitoring.event(
                "http.failed",
                # Being away for a while is foreseen; any other 5xx is a bug.
                level="error" if status == SERVER_FAULT else "warning",
                code=problem.code,
                route=exchange.route,
                error_type=type_chain(error),
                place=place_of(error),
            )
        return problem

    def _end(self, exchange: Exchange) -> None:
        seconds = self._clock.monotonic() - exchange.started
        status = str(exchange.status or CLIENT_GONE)
        route, method = exchange.route, exchange.method
        self._monitoring.count("http_requests_total", route=route, method=method, status=status)
        self._monitoring.observe("http_request_duration_seconds", seconds, route=route)
        if exchange.status in NOT_AUTHORISED:
            self._monitoring.count("http_auth_refusals_total", route=route, code=exchange.code)
            self._monitoring.event(
                "auth.refused", level="warning", route=route, method=method, code=exchange.code
            )
        else:
            self._monitoring.event(
                "http.answered",
                level="debug",
                route=route,
                method=method,
                status=exchange.status,
                seconds=seconds,
                code=exchange.code or "none",
            )
