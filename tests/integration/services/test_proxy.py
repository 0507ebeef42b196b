"""The fault proxy: what it does to a connection is what networks do."""

import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest

from tests.services.proxy import (
    NONE,
    SILENCE,
    FaultProxy,
    Faults,
    Part,
    Verdict,
    Way,
    after,
    proxied,
)
from tests.services.server import HOST, free_ports


@contextmanager
def echo() -> Iterator[int]:
    """A server that answers each line with the same in capitals, until it is told to end."""
    listener = socket.create_server((HOST, 0))

    def serve(connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as lines:
            try:
                for line in lines:
                    connection.sendall(line.upper())
            except OSError:
                return

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.close()


@pytest.fixture
def proxy() -> Iterator[FaultProxy]:
    with echo() as upstream, proxied(upstream) as made:
        yield made


def connect(proxy: FaultProxy, seconds: float = 5.0) -> socket.socket:
    return socket.create_connection((HOST, proxy.port), timeout=seconds)


def ask(client: socket.socket, line: bytes) -> bytes:
    client.sendall(line)
    with client.makefile("rb") as answers:
        return answers.readline()


def test_without_faults_bytes_pass_both_ways(proxy: FaultProxy) -> None:
    with closing(connect(proxy)) as client:
        assert ask(client, b"one\n") == b"ONE\n"
        assert ask(client, b"x" * 200_000 + b"\n") == b"X" * 200_000 + b"\n"
        assert proxy.connections == 1


def test_an_end_of_what_a_client_says_reaches_the_server(proxy: FaultProxy) -> None:
    with closing(connect(proxy)) as client:
        client.sendall(b"last\n")
        client.shutdown(socket.SHUT_WR)
        with client.makefile("rb") as answers:
            assert answers.read() == b"LAST\n"


def test_silence_leaves_the_connection_half_open_and_new_ones_too(proxy: FaultProxy) -> None:
    with closing(connect(proxy, 0.3)) as client:
        assert ask(client, b"one\n") == b"ONE\n"
        proxy.faults = SILENCE
        with pytest.raises(TimeoutError):
            ask(client, b"two\n")
        proxy.faults = NONE
        with pytest.raises(TimeoutError):  # what was lost is lost
            ask(client, b"three\n")
    with closing(connect(proxy)) as client:
        assert ask(client, b"four\n") == b"FOUR\n"


@pytest.mark.parametrize("verdict", [Verdict.CUT, Verdict.RESET])
def test_a_connection_ends_before_a_request_arrives(proxy: FaultProxy, verdict: Verdict) -> None:
    with closing(connect(proxy)) as client:
        proxy.faults = after(Way.REQUEST, 4, verdict)
        assert ask(client, b"one\n") == b"ONE\n"
        if verdict is Verdict.RESET:
            with pytest.raises(ConnectionResetError):
                ask(client, b"two\n")
        else:
            assert ask(client, b"two\n") == b""


def test_a_reset_in_the_middle_of_a_reply(proxy: FaultProxy) -> None:
    proxy.faults = after(Way.REPLY, 0, Verdict.RESET)
    with closing(connect(proxy)) as client, pytest.raises(ConnectionResetError):
        ask(client, b"one\n")


def test_a_slow_drip_arrives_whole(proxy: FaultProxy) -> None:
    seen: list[int] = []

    def judge(way: Way, data: bytes) -> Verdict:
        seen.append(len(data)) if way is Way.REPLY else None
        return Verdict.PASS

    proxy.faults = Faults(drip=1, latency_s=0.05, judge=judge)
    with closing(connect(proxy)) as client:
        client.sendall(b"drop by drop\n")
        parts: list[bytes] = []
        while not b"".join(parts).endswith(b"\n"):
            parts.append(client.recv(64))

    assert b"".join(parts) == b"DROP BY DROP\n"
    assert len(parts) > 1
    assert seen == [13]


def test_cutting_ends_what_is_open_and_closing_refuses_what_is_new(proxy: FaultProxy) -> None:
    with closing(connect(proxy)) as client:
        assert ask(client, b"one\n") == b"ONE\n"
        port = proxy.port
        proxy.close()
        assert ask(client, b"two\n") == b"TWO\n"
        with pytest.raises(ConnectionRefusedError):
            connect(proxy)
        proxy.cut()
        with pytest.raises(ConnectionResetError):
            ask(client, b"three\n")
        assert proxy.connections == 0
    proxy.open()
    assert proxy.port == port
    with closing(connect(proxy)) as client:
        assert ask(client, b"four\n") == b"FOUR\n"


def test_an_endpoint_that_moves_takes_new_connections_along_and_no_others() -> None:
    (nobody,) = free_ports(1)
    with echo() as upstream, proxied(upstream) as proxy, closing(connect(proxy)) as client:
        assert ask(client, b"one\n") == b"ONE\n"
        proxy.upstream = nobody
        assert ask(client, b"two\n") == b"TWO\n"
        with pytest.raises(ConnectionResetError), closing(connect(proxy)) as other:
            ask(other, b"three\n")
        proxy.upstream = upstream
        with closing(connect(proxy)) as other:
            assert ask(other, b"four\n") == b"FOUR\n"


def test_a_server_that_is_gone_resets_the_client() -> None:
    (nobody,) = free_ports(1)
    reset = pytest.raises(ConnectionResetError)
    # It may come before the client has said anything, while it still connects.
    with proxied(nobody) as proxy, reset, closing(connect(proxy)) as client:
        ask(client, b"one\n")


def test_a_part_of_a_chunk_goes_on_and_the_rest_meets_the_verdict(proxy: FaultProxy) -> None:
    proxy.faults = Faults(
        judge=lambda way, _: Part(2, Verdict.CUT) if way is Way.REPLY else Verdict.PASS
    )
    with closing(connect(proxy)) as client:
        client.sendall(b"one\n")
        with client.makefile("rb") as answers:
            assert answers.read() == b"ON"


def test_late_bytes_arrive_when_their_sender_was_told_the_end() -> None:
    arrived = threading.Event()
    listener = socket.create_server((HOST, 0))

    def serve() -> None:
        connection, _ = listener.accept()
        with connection, connection.makefile("rb") as lines:
            assert lines.readline() == b"late\n"
            arrived.set()

    server = threading.Thread(target=serve)
    server.start()
    with closing(listener), proxied(listener.getsockname()[1]) as proxy:
        proxy.faults = Faults(judge=lambda _way, _data: Verdict.LATE, late_s=0.5)
        with closing(connect(proxy)) as client:
            client.sendall(b"late\n")
            with pytest.raises(ConnectionResetError):
                client.recv(1)
            assert not arrived.is_set()
        assert arrived.wait(20)
        server.join(20)
