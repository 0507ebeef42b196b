"""The scrape port: `/metrics` and nothing else, wherever it ends up."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import aiohttp
import pytest

from adapters.telemetry import metrics_server
from adapters.telemetry.metrics import Metrics
from adapters.telemetry.metrics_server import MetricsServer, serve_metrics

Talk = Callable[[MetricsServer], Awaitable[None]]


def run(talk: Talk) -> None:
    async def serve() -> None:
        metrics = Metrics()
        metrics.count("hits_total", 3, {"route": "/a"})
        server = await serve_metrics("127.0.0.1", 0, metrics.text)
        try:
            await talk(server)
        finally:
            await server.close()

    asyncio.run(serve())


async def raw(server: MetricsServer, sent: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(sent)
    answer = b""
    # A connection that is dropped with unread data in it may be reset.
    with suppress(ConnectionError):
        answer = await reader.read()
        writer.close()
        await writer.wait_closed()
    return answer


def test_metrics_are_scraped() -> None:
    async def talk(server: MetricsServer) -> None:
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"http://127.0.0.1:{server.port}/metrics?x=1") as response,
        ):
            assert response.status == 200
            assert response.headers["Content-Type"] == metrics_server.TEXT_FORMAT
            assert 'hits_total{route="/a"} 3' in await response.text()

    run(talk)


@pytest.mark.parametrize("line", ["GET / HTTP/1.1", "POST /metrics HTTP/1.1", "GET /x HTTP/1.1"])
def test_nothing_else_is_there(line: str) -> None:
    async def talk(server: MetricsServer) -> None:
        answer = await raw(server, line.encode() + b"\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 404 Not Found")

    run(talk)


def test_a_taken_port_leads_to_a_free_one() -> None:
    async def talk(server: MetricsServer) -> None:
        second = await serve_metrics("127.0.0.1", server.port, lambda: "")
        assert second.port != server.port
        await second.close()

    run(talk)


def test_an_address_that_is_not_ours_is_an_error() -> None:
    with pytest.raises(OSError, match="assign"):
        asyncio.run(serve_metrics("192.0.2.1", 0, lambda: ""))


def test_a_slow_or_large_head_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics_server, "HEAD_SECONDS_MAX", 0.1)

    async def talk(server: MetricsServer) -> None:
        assert await raw(server, b"GET /metrics HTTP/1.1\r\n") == b""
        assert b"200" not in await raw(server, b"GET /metrics HTTP/1.1\r\nX: " + b"a" * 9_000)

    run(talk)


def test_connections_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics_server, "CONNECTIONS_MAX", 1)

    async def talk(server: MetricsServer) -> None:
        _, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(b"GET /metrics HTTP/1.1\r\n")
        await writer.drain()
        await asyncio.sleep(0.05)
        assert await raw(server, b"GET /metrics HTTP/1.1\r\n\r\n") == b""
        writer.close()
        await writer.wait_closed()

    run(talk)
