"""A server that speaks the first sentences of CQL's protocol: as far as a login goes."""

import socket
import struct
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Final

from tests.services.server import HOST

HEAD: Final = struct.Struct(">BBhBi")
ANSWER: Final = 0x84
ERROR, STARTUP, AUTHENTICATE, OPTIONS, SUPPORTED = 0x00, 0x01, 0x03, 0x05, 0x06
CHALLENGE, AUTH_RESPONSE, SUCCESS = 0x0E, 0x0F, 0x10
BAD_CREDENTIALS: Final = 0x0100


@dataclass(slots=True)
class Gate:
    """Where it listens, what it challenges each login with, and what it heard."""

    port: int
    challenges: Sequence[bytes] = ()
    admits: bool = False
    tokens: list[bytes] = field(default_factory=list)


def _text(value: str) -> bytes:
    return struct.pack(">H", len(value)) + value.encode()


def _long(value: bytes) -> bytes:
    return struct.pack(">i", len(value)) + value


def _list(*values: str) -> bytes:
    return struct.pack(">H", len(values)) + b"".join(map(_text, values))


ABILITIES: Final = (
    struct.pack(">H", 2) + _text("CQL_VERSION") + _list("3.4.4") + _text("COMPRESSION") + _list()
)


@contextmanager
def gate(*challenges: bytes, admits: bool = False) -> Iterator[Gate]:
    """Have a server that challenges, and then admits the login and ends, or refuses it."""
    listener = socket.create_server((HOST, 0))
    made = Gate(listener.getsockname()[1], challenges, admits)
    acceptor = threading.Thread(target=_accept, args=(listener, made), daemon=True)
    acceptor.start()
    try:
        yield made
    finally:
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        acceptor.join()


def _accept(listener: socket.socket, made: Gate) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=_serve, args=(connection, made), daemon=True).start()


def _serve(connection: socket.socket, made: Gate) -> None:
    left = list(made.challenges)
    with connection, suppress(OSError), connection.makefile("rb") as requests:
        while head := requests.read(HEAD.size):
            _, _, stream, opcode, length = HEAD.unpack(head)
            body = requests.read(length)
            if opcode == OPTIONS:
                kind, said = SUPPORTED, ABILITIES
            elif opcode == STARTUP:
                kind, said = AUTHENTICATE, _text("com.amazon.helenus.auth.HelenusAuthenticator")
            elif opcode == AUTH_RESPONSE:
                made.tokens.append(body[4:])
                kind, said = _answer(left, admits=made.admits)
            else:
                return
            connection.sendall(HEAD.pack(ANSWER, 0, stream, kind, len(said)) + said)


def _answer(left: list[bytes], *, admits: bool) -> tuple[int, bytes]:
    if left:
        return CHALLENGE, _long(left.pop(0))
    if admits:
        return SUCCESS, _long(b"")
    return ERROR, struct.pack(">i", BAD_CREDENTIALS) + _text("Username and/or password of x")
