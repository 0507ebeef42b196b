"""The HTTP client of the platform: one request, one reply, or one `Failure` that says why not."""

import asyncio
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import SplitResult, quote, urlsplit

import aiohttp
from yarl import URL

from adapters.inbound.cli.failures import BadUsage, Failure, NotReachable
from adapters.inbound.cli.refusals import refusal

#: What a reply may take beyond the deadline that the platform keeps itself.
GRACE_SECONDS: Final = 2.0
CONNECT_SECONDS: Final = 3.0
#: Between two tries of a command that waits.
PAUSE_SECONDS: Final = 0.5
REPLY_BYTES_MAX: Final = 32 * 1024 * 1024
SUCCESSES: Final = range(200, 300)
CHUNK_BYTES: Final = 65_536
TOKEN_TEXT: Final = re.compile(r"[\x21-\x7e]{1,4096}", re.ASCII)
KEY_TEXT: Final = re.compile(r"[\x21-\x7e]{1,128}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request; `path` is already quoted, None in `params` means "not given"."""

    method: str
    path: str
    params: Mapping[str, object] = field(default_factory=dict)
    content: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply with a 2xx status."""

    status: int
    document: dict[str, Any]
    replayed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """
    The platform at an address, as one caller.

    A request is refused by the server after `deadline_ms`, and given up here a little later.
    """

    base: str
    token: str = field(repr=False)
    deadline_ms: int

    def send(self, request: Request, patience_seconds: float = 0.0) -> Reply:
        """
        Return the reply; while there is patience, what may work later is tried again.

        Raises:
            Failure: `NOT_REACHABLE` or `REFUSED`.
        """
        return asyncio.run(self._patiently(request, patience_seconds))

    def get(self, path: str, **params: object) -> dict[str, Any]:
        """Return the document at a path."""
        return self.send(Request(method="GET", path=path, params=params)).document

    async def _patiently(self, request: Request, patience_seconds: float) -> Reply:
        loop = asyncio.get_running_loop()
        end = loop.time() + patience_seconds
        while True:
            try:
                return await self._once(request)
            except Failure as failure:
                pause = failure.retry_after
                if pause is None or loop.time() + pause > end:
                    raise
                await asyncio.sleep(pause)

    async def _once(self, request: Request) -> Reply:
        try:
            async with aiohttp.ClientSession(timeout=self._timeout()) as session:
                return await self._exchange(session, request)
        except TimeoutError as error:
            raise _away(f"{self.base} did not answer in time.") from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            # The cause may quote the request, so only the address is told.
            sentence = f"Nothing answers at {self.base}. `creditctl up` starts the platform."
            raise _away(sentence) from error

    def _timeout(self) -> aiohttp.ClientTimeout:
        total = self.deadline_ms / 1000 + GRACE_SECONDS
        return aiohttp.ClientTimeout(total=total, connect=CONNECT_SECONDS)

    async def _exchange(self, session: aiohttp.ClientSession, request: Request) -> Reply:
        url = URL(self.base + request.path, encoded=True)
        params = {name: str(v) for name, v in request.params.items() if v not in (None, "")}
        async with session.request(
            request.method,
            url.with_query(params) if params else url,
            data=request.content,
            headers=self._headers(request),
            allow_redirects=False,
        ) as response:
            return _reply(response, await _read(response))

    def _headers(self, request: Request) -> dict[str, str]:
        headers = {
            "Authorization": f"Bearer {self.token}",
            "Accept": "application/json",
            "Deadline-Ms": str(self.deadline_ms),
            "User-Agent": "creditctl",
        }
        if request.content is not None:
            headers["Content-Type"] = "application/json"
        return headers | dict(request.headers)


def posted(path: str, body: Mapping[str, object], **headers: str) -> Request:
    """Return a POST of a document; `Idempotency_Key="…"` is the header of that name."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Request(method="POST", path=path, content=json.dumps(body).encode(), headers=named)


def path_of(*parts: str) -> str:
    """Return the path `/v1/…` of parts that may hold any character."""
    return "/v1/" + "/".join(quote(part, safe="").replace(".", "%2E") for part in parts)


def base_of(url: str) -> str:
    """
    Return the address `scheme://host[:port][/path]` of a URL.

    Raises:
        Failure: `BAD_USAGE`; the text is not echoed, it may hold a password.
    """
    try:
        base = _address(urlsplit(url))
    except ValueError:
        base = ""
    if not base:
        raise BadUsage("The address is like http://127.0.0.1:8080, without user or query.")
    return base


def _address(parts: SplitResult) -> str:
    plain = not (parts.username or parts.password or parts.query or parts.fragment)
    known = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}" if plain and known else ""


def check_token(token: str) -> str:
    """Return the token when it can stand in a header; it is never echoed."""
    if TOKEN_TEXT.fullmatch(token) is None:
        raise BadUsage("The token is not usable: a token has no blanks and at most 4,096 letters.")
    return token


def check_key(key: str) -> str:
    """Return the idempotency key when the contract allows it."""
    if KEY_TEXT.fullmatch(key) is None:
        raise BadUsage("An idempotency key has 1 to 128 visible ASCII letters.")
    return key


def _away(sentence: str) -> NotReachable:
    failure = NotReachable(sentence)
    failure.retry_after = PAUSE_SECONDS
    return failure


async def _read(response: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for chunk in response.content.iter_chunked(CHUNK_BYTES):
        body += chunk
        if len(body) > REPLY_BYTES_MAX:
            raise NotReachable("The answer is larger than this program takes.")
    return bytes(body)


def _reply(response: aiohttp.ClientResponse, body: bytes) -> Reply:
    document = _document(body)
    if response.status not in SUCCESSES or document is None:
        raise refusal(response.status, document, response.headers.get("Retry-After", ""))
    replayed = response.headers.get("Idempotency-Replayed", "").lower() == "true"
    return Reply(response.status, document, replayed)


def _document(body: bytes) -> dict[str, Any] | None:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None
