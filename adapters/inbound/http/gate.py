"""
What every request passes before its handler: token, scope, rate limit, headers, size.

A gate is the ASGI endpoint of one route. FastAPI's own route function would cost twice the time
of the whole request (docs: bench), so gates are mounted as plain endpoints of its router.
"""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from math import ceil
from typing import Any, Final

from adapters.inbound.http.exchange import Exchange, Send, reply_to
from adapters.inbound.http.messages import JSON, Call, Reply
from adapters.inbound.http.operation import Operation
from adapters.inbound.http.queries import read_query
from adapters.inbound.http.rate_classes import rate_class_of
from adapters.inbound.http.refusals import ProblemError
from adapters.inbound.http.request_body import WHOLE_BODY, Receive, read_body, read_whole_body
from adapters.inbound.http.request_headers import Headers
from adapters.security.rate_limits import RateLimits
from adapters.security.tokens import (
    KeyNotKnownError,
    Principal,
    TokenRefusedError,
    TokenVerifier,
)
from domain.errors import DeadlineExceededError
from domain.ports.time import Deadline

Scope = MutableMapping[str, Any]
Endpoint = Callable[[Scope, Receive, Send], Awaitable[None]]

CHALLENGE: Final = b'Bearer realm="credit-platform"'
#: What a use case may need to say by itself that its time is over.
GRACE_SECONDS: Final = 1.0
#: How long a request waits for the issuer of a token whose key is not known yet.
LEARN_SECONDS: Final = 2.0
NOBODY: Final = Principal("", frozenset())


class Gate:
    """The endpoint of one operation."""

    def __init__(self, operation: Operation, verifier: TokenVerifier, limits: RateLimits) -> None:
        self.operation = operation
        self._verifier = verifier
        self._limits = limits
        self._rate_class = rate_class_of(operation)
        self._takes_body = operation.body is not None
        self._gives_json = operation.success.media_type.encode() == JSON

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; whatever refuses it is raised before anything is sent."""
        exchange: Exchange = scope["credit.exchange"]
        exchange.route = self.operation.path
        call = await self._admit(scope, receive, exchange)
        await reply_to(send, exchange, await self._handled(call))

    async def _handled(self, call: Call) -> Reply:
        """Return the handler's reply; a handler that forgets its deadline is left behind."""
        limit = asyncio.timeout_at(call.deadline.at + GRACE_SECONDS)
        try:
            async with limit:
                return await self.operation.handler(call)
        except TimeoutError:
            if not limit.expired():
                raise
            raise DeadlineExceededError("the handler did not keep its deadline") from None

    async def _admit(self, scope: Scope, receive: Receive, exchange: Exchange) -> Call:
        operation, headers = self.operation, exchange.headers
        headers.check_single()
        principal = await self._known(headers, exchange.started)
        if self._rate_class is not None:
            wait = await self._limits.admit(principal.sub, self._rate_class)
            if wait:
                raise rate_limited(wait)
        if self._gives_json:
            headers.check_accepts_json()
        seconds = headers.deadline_seconds(operation.deadline_ms)
        deadline = Deadline(exchange.started + seconds)
        idem_key = headers.idempotency_key() if operation.idempotent else ""
        return Call(
            headers=headers,
            path=scope.get("path_params") or {},
            query=read_query(scope["query_string"], operation.query),
            body=await self._body(scope, receive, deadline) if self._takes_body else b"",
            principal=principal,
            idem_key=idem_key,
            deadline=deadline,
        )

    async def _known(self, headers: Headers, started: float) -> Principal:
        """Return who asks; keys that are not known yet are asked for once."""
        try:
            return self._principal(headers)
        except KeyNotKnownError:
            await self._verifier.learn(Deadline(started + LEARN_SECONDS))
            return self._principal(headers, last=True)

    async def _body(self, scope: Scope, receive: Receive, deadline: Deadline) -> bytes:
        headers, limit = scope["credit.exchange"].headers, self.operation.body_bytes_max
        if self.operation.body_required:
            headers.check_json_body()
        if scope.get(WHOLE_BODY):
            body = await read_whole_body(receive, headers, limit)
        else:
            body = await read_body(receive, headers, limit, deadline)
        if self.operation.body_required:
            return body
        return checked(headers, body) if body else b"{}"

    def _principal(self, headers: Headers, *, last: bool = False) -> Principal:
        scope = self.operation.scope
        if scope is None:
            return NOBODY
        principal = authenticate(headers, self._verifier, last=last)
        if scope not in principal.scopes:
            challenge = b'%s, error="insufficient_scope", scope="%s"' % (CHALLENGE, scope.encode())
            raise ProblemError("scope-missing", headers=((b"www-authenticate", challenge),))
        return principal


def rate_limited(seconds: float) -> ProblemError:
    """Return the refusal of a caller that asks too often, with the whole seconds to wait."""
    return ProblemError("rate-limited", headers=((b"retry-after", b"%d" % ceil(seconds)),))


def checked(headers: Headers, body: bytes) -> bytes:
    """
    Return a body that need not be there and is.

    Raises:
        ProblemError: `unsupported-media-type`.
    """
    headers.check_json_body()
    return body


def authenticate(headers: Headers, verifier: TokenVerifier, *, last: bool) -> Principal:
    """
    Return who calls.

    Raises:
        ProblemError: `token-missing`, `token-invalid` or `token-expired`, with a challenge.
        KeyNotKnownError: as the verifier, unless this is the last time to ask it.
    """
    value = headers.get(b"authorization")
    if value is None:
        raise ProblemError("token-missing", headers=((b"www-authenticate", CHALLENGE),))
    scheme, _, token = value.partition(b" ")
    try:
        # Another scheme proves as little as an empty token.
        return verifier.verify(token.strip() if scheme.lower() == b"bearer" else b"")
    except TokenRefusedError as error:
        if isinstance(error, KeyNotKnownError) and not last:
            raise
        code = "token-expired" if error.expired else "token-invalid"
        challenge = CHALLENGE + b', error="invalid_token"'
        raise ProblemError(code, headers=((b"www-authenticate", challenge),)) from None
