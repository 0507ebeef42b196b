import asyncio
from typing import Any

import pytest

from adapters.inbound.http import request_body
from adapters.inbound.http.refusals import ProblemError
from adapters.inbound.http.request_body import ClientGoneError, read_body, read_whole_body
from adapters.inbound.http.request_headers import Headers
from domain.errors import DeadlineExceededError
from domain.ports.time import Deadline

LIMIT = 100
NEVER = Deadline(1e9)


class Sender:
    """Gives the parts of a body, then waits for ever; counts how often it was asked."""

    def __init__(self, *parts: bytes, ends: bool = True) -> None:
        self.left = list(parts)
        self.ends = ends
        self.asked = 0

    async def receive(self) -> dict[str, Any]:
        self.asked += 1
        if not self.left:
            await asyncio.Event().wait()
        part = self.left.pop(0)
        return {"type": "http.request", "body": part, "more_body": bool(self.left) or not self.ends}


def read(sender: Sender, **headers: str) -> bytes:
    pairs = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]

    async def within_reason() -> bytes:
        body = read_body(sender.receive, Headers(pairs), LIMIT, NEVER)
        return await asyncio.wait_for(body, 5)

    return asyncio.run(within_reason())


def test_a_body_in_parts_is_whole() -> None:
    assert read(Sender(b"a" * 40, b"b" * 40, b"c" * 20)) == b"a" * 40 + b"b" * 40 + b"c" * 20


def test_no_body_is_empty() -> None:
    assert read(Sender(b"")) == b""


def test_what_is_beyond_the_limit_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_body, "DISCARD_BYTES_MAX", 0)
    sender = Sender(*[b"x" * 30] * 50)

    with pytest.raises(ProblemError, match="body-too-large"):
        read(sender)

    assert sender.asked == 4


def test_what_is_beyond_the_limit_is_discarded_up_to_a_bound(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(request_body, "DISCARD_BYTES_MAX", 300)
    sender = Sender(*[b"x" * 30] * 50)

    with pytest.raises(ProblemError, match="body-too-large"):
        read(sender)

    assert sender.asked == 4 + 10


def test_an_announced_size_is_believed_before_anything_is_read() -> None:
    sender = Sender(b"x")

    with pytest.raises(ProblemError, match="body-too-large"):
        read(sender, content_length="101", expect="100-continue")

    assert sender.asked == 0


@pytest.mark.parametrize("length", ["", "-1", "+1", "1e9", "١", "x" * 30])
def test_an_odd_announcement_is_left_to_the_count(length: str) -> None:
    assert read(Sender(b"x"), content_length=length) == b"x"


def test_the_deadline_ends_the_waiting() -> None:
    async def wait() -> bytes:
        soon = Deadline(asyncio.get_running_loop().time() + 0.02)
        sender = Sender(b"x", ends=False)
        return await asyncio.wait_for(read_body(sender.receive, Headers(()), LIMIT, soon), 5)

    with pytest.raises(DeadlineExceededError):
        asyncio.run(wait())


def test_a_body_of_the_largest_size_is_taken() -> None:
    assert len(read(Sender(b"x" * LIMIT))) == LIMIT


def test_a_whole_body_is_counted_too() -> None:
    with pytest.raises(ProblemError, match="body-too-large"):
        asyncio.run(read_whole_body(Sender(b"x" * 101).receive, Headers(()), LIMIT))


def test_a_caller_who_left_is_not_waited_for() -> None:
    async def gone() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    with pytest.raises(ClientGoneError):
        asyncio.run(read_body(gone, Headers(()), LIMIT, NEVER))
