"""Bounds that hold whatever a client says or does: sizes, time, how many at once."""

import asyncio
import json
import re
import socket
import threading
import time
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from adapters.inbound.http import examples, gate, protocol, request_body
from adapters.inbound.http.messages import to_json
from adapters.inbound.http.server import start_server
from decision_engine.commands import DecideCommand, Recorded
from tests.integration.http.fakes import FakeUseCases
from tests.integration.http.live import Answer, Live, live_server

DECIDE = "/v1/credit-decisions"
HEADERS = {"Content-Type": "application/json", "Idempotency-Key": "k-1"}
BODY = to_json(examples.APPLICATION)


def head(live: Live, *lines: str) -> bytes:
    own = [
        f"POST {DECIDE} HTTP/1.1",
        "Host: localhost",
        f"Authorization: {live.authorization()['Authorization']}",
        "Content-Type: application/json",
        "Idempotency-Key: k-1",
    ]
    return "\r\n".join([*own, *lines, "", ""]).encode()


def talk(live: Live, *parts: bytes, pause: float = 0.0, end: bool = False) -> bytes:
    """Send parts with pauses; return everything until the server closes the connection."""
    with socket.create_connection(("127.0.0.1", live.port), timeout=10) as connection:
        for part in parts:
            connection.sendall(part)
            time.sleep(pause)
        if end:
            connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65_536), b""))


def code_of(answer: bytes) -> str:
    code: str = json.loads(answer.rpartition(b"\r\n\r\n")[2])["code"]
    return code


def test_a_chunked_body_is_counted_while_it_comes(live: Live) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b" " * 10_000

    answer = live.ask("POST", DECIDE, headers=HEADERS, data=chunks())

    assert (answer.status, answer.document["code"]) == (413, "body-too-large")
    assert answer.headers["Connection"] == "close"
    assert live.fake.seen == []


def test_a_body_in_small_parts_is_taken(live: Live) -> None:
    parts = [BODY[place : place + 10] for place in range(0, len(BODY), 10)]
    sent = head(live, "Connection: close", f"Content-Length: {len(BODY)}")

    assert b"201 Created" in talk(live, sent, *parts, pause=0.002)


def test_a_length_that_is_too_large_is_believed(live: Live) -> None:
    sent = head(live, "Expect: 100-continue", "Content-Length: 99999999")

    answer = talk(live, sent)

    assert answer.startswith(b"HTTP/1.1 413 ")
    assert code_of(answer) == "body-too-large"


def test_a_length_that_is_too_small_cuts_the_body(live: Live) -> None:
    sent = head(live, "Connection: close", f"Content-Length: {len(BODY) - 20}") + BODY

    assert code_of(talk(live, sent)) == "json-malformed"
    assert live.fake.seen == []


def test_a_body_that_never_ends_meets_the_deadline(live: Live) -> None:
    sent = head(live, "Connection: close", "Deadline-Ms: 60", f"Content-Length: {len(BODY)}")

    answer = talk(live, sent + BODY[:50])

    assert answer.startswith(b"HTTP/1.1 503 ")
    assert code_of(answer) == "deadline-exceeded"
    assert live.fake.seen == []


def test_a_client_that_leaves_is_not_answered(live: Live) -> None:
    labels = {"route": DECIDE, "status": "499"}
    before = live.metrics.value("http_requests_total", **labels)

    with socket.create_connection(("127.0.0.1", live.port)) as connection:
        connection.sendall(head(live, f"Content-Length: {len(BODY)}") + BODY[:50])
        time.sleep(0.05)

    wait_until(lambda: live.metrics.value("http_requests_total", **labels) == before + 1)
    assert live.fake.seen == []


def wait_until(holds: Any) -> None:
    for _ in range(200):
        if holds():
            return
        time.sleep(0.02)
    raise AssertionError("it never came true")


def test_an_endless_body_is_dropped(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_body, "DISCARD_SECONDS_MAX", 0.1)

    answer = talk(live, head(live, "Content-Length: 9999999"), BODY)

    assert code_of(answer) == "body-too-large"


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (b"garbage\r\n\r\n", "bad-request"),
        (b"GET / HTTP/1.1\r\nno colon\r\n\r\n", "bad-request"),
        (b"GET / HTTP/9.9\r\n\r\n", "bad-request"),
        (b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\n\r\n", "headers-too-large"),
        (b"GET / HTTP/1.1\r\nX: " + b"a" * 20_000 + b"\r\n\r\n", "headers-too-large"),
        (b"GET / HTTP/1.1\r\n" + b"X: a\r\n" * 5_000 + b"\r\n", "headers-too-large"),
    ],
)
def test_what_is_no_request_gets_a_problem(live: Live, sent: bytes, code: str) -> None:
    answer = talk(live, sent)

    assert b"content-type: application/problem+json" in answer
    assert code_of(answer) == code


@pytest.mark.parametrize(
    "line",
    [
        "OPTIONS * HTTP/1.1",
        "OPTIONS /v1/credit-decisions HTTP/1.1",
        "CONNECT example.com:443 HTTP/1.1",
        "TRACE / HTTP/1.1",
        "PRI * HTTP/2.0",
        "GET http://elsewhere/v1/policies HTTP/1.1",
        "GET //v1//policies HTTP/1.1",
        "GET /v1/../docs HTTP/1.1",
        "GET /%2e%2e/%2f HTTP/1.1",
        "GET /\\xff HTTP/1.1",
        "GET /?%00 HTTP/1.1",
        "GET /a#b HTTP/1.1",
    ],
)
def test_an_odd_request_line_is_refused(live: Live, line: str) -> None:
    answer = talk(live, f"{line}\r\nHost: x\r\nConnection: close\r\n\r\n".encode(), end=True)

    assert re.match(rb"HTTP/1.1 4\d\d ", answer), answer
    assert b"content-type: application/problem+json" in answer


def test_an_endless_head_is_cut(live: Live) -> None:
    first = b"GET / HTTP/1.1\r\nX: "

    answer = talk(live, first, *[b"a" * 8_000] * 3, pause=0.02)

    assert code_of(answer) == "headers-too-large"


def test_a_slow_head_is_cut(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "HEAD_SECONDS_MAX", 0.1)

    assert talk(live, b"GET / HTTP/1.1\r\nHost:") == b""
    assert talk(live) == b""


def test_requests_in_a_pipeline_are_answered_in_order(live: Live) -> None:
    one = b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n"
    last = b"GET /v1/nothing HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"

    answer = talk(live, one + one + last)

    assert answer.count(b"HTTP/1.1 200 OK") == 2
    assert answer.rfind(b"HTTP/1.1 404") > answer.rfind(b"HTTP/1.1 200")


def test_an_upgrade_to_another_protocol_does_not_happen(live: Live) -> None:
    sent = (
        b"GET /health/live HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )

    assert b" 101 " not in talk(live, sent, end=True)


class Held:
    """A decide that begins, says so, and ends when it is told to."""

    def __init__(self) -> None:
        self.begun = threading.Semaphore(0)
        self.go_on = threading.Event()

    async def decide(self, command: DecideCommand) -> Recorded:
        self.begun.release()
        await asyncio.to_thread(self.go_on.wait, 10)
        return await FakeUseCases().decide(command)


@contextmanager
def held_server(folder: Path, **options: Any) -> Iterator[tuple[Live, Held]]:
    held = Held()

    def hold(fake: FakeUseCases) -> None:
        fake.decide = held.decide  # type: ignore[method-assign]

    with live_server(folder, hold, **options) as live:
        yield live, held


def test_more_than_can_be_under_way_is_refused(tmp_path: Path) -> None:
    with held_server(tmp_path, in_flight_max=3) as (live, held), ThreadPoolExecutor(3) as pool:
        waiting = [pool.submit(post, live, f"k-{n}") for n in range(3)]
        for _ in waiting:
            assert held.begun.acquire(timeout=10)
        refused = post(live, "k-more")
        held.go_on.set()

        assert [each.result().status for each in waiting] == [201, 201, 201]
        assert (refused.status, refused.document["code"]) == (503, "overloaded")
        assert post(live, "k-later").status == 201


def post(live: Live, key: str) -> Answer:
    return live.ask("POST", DECIDE, headers=HEADERS | {"Idempotency-Key": key}, data=BODY)


def test_a_use_case_that_forgets_its_deadline_is_left_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gate, "GRACE_SECONDS", 0.05)
    with held_server(tmp_path) as (live, held):
        answer = live.ask("POST", DECIDE, headers=HEADERS | {"Deadline-Ms": "50"}, data=BODY)
        held.go_on.set()

    assert (answer.status, answer.document["code"]) == (503, "deadline-exceeded")


def test_a_port_that_is_taken_is_an_error(live: Live) -> None:
    with pytest.raises(OSError, match="in use"):
        asyncio.run(start_server(None, "127.0.0.1", live.port))


def test_requests_under_way_are_finished_before_the_end(tmp_path: Path) -> None:
    with held_server(tmp_path) as (live, held), ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(post, live, "k-1")
        assert held.begun.acquire(timeout=10)
        live.end()
        time.sleep(0.3)
        held.go_on.set()

        assert waiting.result().status == 201
