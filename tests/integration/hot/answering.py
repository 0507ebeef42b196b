"""
A server that stands where DynamoDB stands: it says what a test says, or passes a call on.

`say` gets the action and the request, and gives an answer, or None to have the real server asked.
"""

import http.client
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.services.server import HOST


@dataclass(frozen=True, slots=True)
class Answer:
    """Status and document of a reply."""

    status: int
    body: Any


Say = Callable[[str, Any], Answer | None]


def fails(code: str, status: int = 400, **more: Any) -> Answer:
    kind = f"com.amazonaws.dynamodb.v20120810#{code}"
    return Answer(status, {"__type": kind, "message": "honey-word", **more})


@dataclass(slots=True)
class Answering:
    """The server, and what it was asked."""

    say: Say
    upstream: int = 0
    port: int = 0
    asked: list[tuple[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    connections: set[Any] = field(default_factory=set)

    def actions(self) -> list[str]:
        return [action for action, _ in self.asked]

    def passed_on(self, action: str, request: Any) -> Answer:
        """What the real server answers."""
        connection = http.client.HTTPConnection(HOST, self.upstream, timeout=20)
        keys = "AWS4-HMAC-SHA256 Credential=t/20261210/us-east-1/dynamodb/aws4_request"
        headers = {
            "x-amz-target": f"DynamoDB_20120810.{action}",
            "content-type": "application/x-amz-json-1.0",
            "authorization": f"{keys}, SignedHeaders=host, Signature=00",
        }
        connection.request("POST", "/", json.dumps(request), headers)
        reply = connection.getresponse()
        answer = Answer(reply.status, json.loads(reply.read()))
        connection.close()
        return answer


@contextmanager
def answering(
    say: Say,
    upstream: int = 0,
    prepare: Callable[[ThreadingHTTPServer], None] = lambda _: None,
) -> Iterator[Answering]:
    told = Answering(say, upstream)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            told.connections.add(self.client_address)
            told.headers.append({name.lower(): value for name, value in self.headers.items()})
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            action = self.headers["x-amz-target"].partition(".")[2]
            told.asked.append((action, body))
            answer = told.say(action, body) or told.passed_on(action, body)
            text = json.dumps(answer.body).encode()
            head = f"HTTP/1.1 {answer.status} X\r\ncontent-length: {len(text)}\r\n\r\n"
            self.wfile.write(head.encode() + text)

        def log_message(self, *_: Any) -> None:
            pass

    class Quiet(ThreadingHTTPServer):
        daemon_threads = True
        block_on_close = False
        request_queue_size = 128

        def handle_error(self, *_: Any) -> None:
            """A client that has left is no news."""

    server = Quiet((HOST, 0), Handler)
    prepare(server)
    told.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield told
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
