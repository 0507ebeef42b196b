"""A server that says what a test wrote down, to the byte."""

import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from tests.services.server import HOST


@dataclass(frozen=True, slots=True)
class Says:
    """What one connection hears on each of its requests; then it ends, or falls silent."""

    replies: Sequence[bytes]
    ends: bool = False


@dataclass(slots=True)
class Script:
    """The server; the last of `says` holds for every later connection too."""

    port: int
    says: Sequence[Says]
    requests: list[bytes] = field(default_factory=list)
    connections: int = 0


@contextmanager
def scripted(*says: Says) -> Iterator[Script]:
    listener = socket.create_server((HOST, 0))
    script = Script(listener.getsockname()[1], says)
    opened: list[socket.socket] = []
    acceptor = threading.Thread(target=_accept, args=(listener, script, opened), daemon=True)
    acceptor.start()
    try:
        yield script
    finally:
        # Closing alone does not wake a thread that accepts.
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        acceptor.join()
        for connection in opened:
            connection.close()


def _accept(listener: socket.socket, script: Script, opened: list[socket.socket]) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        opened.append(connection)
        said = script.says[min(script.connections, len(script.says) - 1)]
        script.connections += 1
        threading.Thread(target=_serve, args=(connection, script, said), daemon=True).start()


def _serve(connection: socket.socket, script: Script, said: Says) -> None:
    with suppress(OSError):
        for reply in said.replies:
            request = connection.recv(1 << 20)
            if not request:
                break
            script.requests.append(request)
            connection.sendall(reply)
        if said.ends:
            connection.close()
