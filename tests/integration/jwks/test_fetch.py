"""The keys of an issuer over real HTTP: TLS, redirects, sizes, silence, and a rotation."""

import asyncio
import gzip
import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from adapters.security.https_document import BYTES_MAX, HttpsDocument
from adapters.security.jwks import JwksKeys, JwksLimits
from adapters.security.jwks_verifier import JwksVerifier
from adapters.security.tokens import KeyNotKnownError, TokenRefusedError
from adapters.system import SystemClock
from domain.errors import DeadlineExceededError, PermanentError, TransientError
from tests.contracts.opened import Counted
from tests.integration.shared.caches import soon
from tests.services.certificate import certificate
from tests.services.proxy import SILENCE, Faults, Verdict, Way, after, proxied
from tests.services.server import HOST
from tests.unit.security.issuer import ACCEPTED, Clock, jwk_of, signed

Answer = tuple[int, bytes, dict[str, str]]


def whole(answer: Answer) -> Callable[[str], Answer]:
    return lambda _path: answer


@dataclass
class Site:
    """A server of one document; `answer` says what it gives for a path."""

    answer: Callable[[str], Answer]
    asked: list[str] = field(default_factory=list)
    port: int = 0

    def url(self, scheme: str = "http", port: int = 0) -> str:
        return f"{scheme}://{HOST}:{port or self.port}/keys"


@contextmanager
def serving(
    answer: Callable[[str], Answer], tls: tuple[Path, Path] | None = None
) -> Iterator[Site]:
    site = Site(answer)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            site.asked.append(self.path)
            status, body, headers = site.answer(self.path)
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    class Quiet(ThreadingHTTPServer):
        def handle_error(self, *_: Any) -> None:
            pass

    with Quiet((HOST, 0), Handler) as server:
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*tls)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        site.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield site
        finally:
            server.shutdown()
            thread.join(20)


def fetched(url: str, seconds: float = 20.0, ca_file: Path | None = None) -> bytes:
    document = HttpsDocument(url, SystemClock(), str(ca_file) if ca_file else None)
    return asyncio.run(document.fetch(soon(seconds)))


def test_a_document_comes_as_it_is() -> None:
    with serving(whole((200, b"\x00{}", {}))) as site:
        assert fetched(site.url()) == b"\x00{}"
        assert site.asked == ["/keys"]


def test_over_tls_only_a_known_certificate_is_believed(tmp_path: Path) -> None:
    files = certificate(tmp_path)
    with serving(whole((200, b"{}", {})), files) as site:
        assert fetched(site.url("https"), ca_file=files[0]) == b"{}"
        with pytest.raises(TransientError, match="Certificate"):
            fetched(site.url("https"))


@pytest.mark.parametrize(
    "url",
    ["http://issuer.example/keys", "ftp://127.0.0.1/x", "keys", "https://", "https://u:p@host/k",
     "http://127.0.0.1.evil.example/keys", "http://[::1/keys"],
)  # fmt: skip
def test_an_open_line_to_another_machine_is_refused_at_the_start(url: str) -> None:
    with pytest.raises(PermanentError):
        HttpsDocument(url, SystemClock())


@pytest.mark.parametrize("status", [301, 302, 307, 404, 500, 204])
def test_another_answer_is_no_document_and_nobody_sends_us_elsewhere(status: int) -> None:
    with serving(whole((200, b"{}", {}))) as elsewhere:
        there = {"Location": elsewhere.url()}
        with (
            serving(whole((status, b"", there))) as site,
            pytest.raises(TransientError, match=str(status)),
        ):
            fetched(site.url())
        assert elsewhere.asked == []


@pytest.mark.parametrize("size", [BYTES_MAX, BYTES_MAX + 1])
def test_a_document_is_bounded(size: int) -> None:
    with serving(whole((200, bytes(size), {}))) as site:
        if size > BYTES_MAX:
            with pytest.raises(TransientError, match="too much"):
                fetched(site.url())
        else:
            assert len(fetched(site.url())) == size


def test_a_small_document_that_unpacks_to_a_large_one_is_bounded_too() -> None:
    packed = gzip.compress(bytes(BYTES_MAX * 8))
    with (
        serving(whole((200, packed, {"Content-Encoding": "gzip"}))) as site,
        pytest.raises(TransientError),
    ):
        fetched(site.url())


@pytest.mark.parametrize("verdict", [Verdict.CUT, Verdict.RESET])
@pytest.mark.parametrize("way", Way)
def test_a_connection_that_ends_is_transient(way: Way, verdict: Verdict) -> None:
    with serving(whole((200, b"{}" * 5_000, {}))) as site, proxied(site.port) as proxy:
        proxy.faults = after(way, 0, verdict)
        with pytest.raises(TransientError):
            fetched(site.url(port=proxy.port))
        proxy.faults = Faults(drip=900)
        assert fetched(site.url(port=proxy.port)) == b"{}" * 5_000


def test_a_silent_server_ends_at_the_deadline() -> None:
    with serving(whole((200, b"{}", {}))) as site, proxied(site.port) as proxy:
        proxy.faults = SILENCE
        with pytest.raises(DeadlineExceededError):
            fetched(site.url(port=proxy.port), 0.1)


def test_a_rotation_is_followed_over_the_wire() -> None:
    keys = [jwk_of("RS256", "a")]
    with serving(lambda _: (200, json.dumps({"keys": keys}).encode(), {})) as site:
        clock = Clock()
        document = HttpsDocument(site.url(), SystemClock())
        published = JwksKeys(
            lambda _: document.fetch(soon()), clock=clock, monitoring=Counted(),
            limits=JwksLimits(fetch_s=20),
        )  # fmt: skip
        verifier = JwksVerifier(published, ACCEPTED, clock)

        async def admit(token: bytes) -> str:
            try:
                return verifier.verify(token).sub
            except KeyNotKnownError:
                await verifier.learn(soon())
                return verifier.verify(token).sub

        assert asyncio.run(admit(signed("RS256", "a"))) == "app"
        keys[:] = [jwk_of("EdDSA", "b")]
        clock.advance(10)
        assert asyncio.run(admit(signed("EdDSA", "b"))) == "app"
        with pytest.raises(TokenRefusedError):
            asyncio.run(admit(signed("RS256", "a")))
        assert len(site.asked) == 2
