"""Logins and certificates, through the driver and over the wire."""

import asyncio
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from adapters.aws.credentials import Credentials
from adapters.stores.keyspaces.address import Address, Flavour, Password, Tls
from adapters.stores.keyspaces.errors import CertificateRefusedError, LoginRefusedError
from adapters.stores.keyspaces.probe import look
from adapters.stores.keyspaces.sigv4 import answer
from adapters.system import SystemClock
from domain.errors import TransientError
from tests.contracts.opened import HandClock
from tests.integration.shared.caches import Loop
from tests.integration.wide.speaking import gate
from tests.integration.wide.stores import BRISK, Server, soon, store_on
from tests.services.certificate import certificate
from tests.services.server import HOST

NONCE = b"91703fdc2ef562e19fbdab0f58e42fe5"
INSTANT = datetime(2026, 12, 10, 14, 3, 11, 999_700, tzinfo=UTC)
SECRET = "s3cret-word"


def at(port: int, **changes: object) -> Address:
    plain = Address(host=HOST, port=port, datacenter="us-east-1", flavour=Flavour.KEYSPACES)
    return replace(plain, **changes)  # type: ignore[arg-type]  # a test's own keywords


def test_a_signed_login_goes_over_the_wire_as_published() -> None:
    taken = iter([Credentials("KEY-1", "secret-1", "token-1"), Credentials("KEY-2", "secret-2")])
    clock = HandClock(INSTANT)
    with gate(b"nonce=" + NONCE + b",", admits=False) as server:
        address = at(server.port, login=lambda: next(taken))
        for _ in range(2):
            with pytest.raises(LoginRefusedError):
                look(address, clock)

        assert server.tokens[0] == server.tokens[2] == b"SigV4\0\0"
        first = Credentials("KEY-1", "secret-1", "token-1")
        assert server.tokens[1].decode() == answer(NONCE, "us-east-1", first, INSTANT)
        assert b"amzdate=2026-12-10T14:03:11.999Z," in server.tokens[1]
        # The next login has the credentials of its own time.
        assert b"access_key=KEY-2," in server.tokens[3]


def test_a_word_goes_over_the_wire_and_into_no_error(loop: Loop) -> None:
    with gate() as server:
        address = at(server.port, login=Password("teller", SECRET))
        with pytest.raises(LoginRefusedError, match="refuses the login: correct") as caught:
            look(address, SystemClock())
        assert server.tokens[0] == b"\0teller\0" + SECRET.encode()
        assert SECRET not in repr(address)
        with store_on(address, loop, limits=BRISK) as store:
            with pytest.raises(LoginRefusedError) as again:
                loop(store.check(soon()))
            # While requests are served the same is transient: other stores answer them.
            with pytest.raises(TransientError, match="refuses the login"):
                loop(store.read_item("c-1", "x", soon()))
        for error in (caught, again):
            assert "teller" not in str(error.value)
            assert SECRET not in str(error.value)


def test_a_server_that_asks_for_a_login_that_we_do_not_have() -> None:
    with gate() as server, pytest.raises(LoginRefusedError):
        look(at(server.port), SystemClock())


def test_a_server_that_ends_after_the_login_is_away() -> None:
    with gate(admits=True) as server, pytest.raises(TransientError):
        look(at(server.port, login=Password("u", "w")), SystemClock())


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await reader.read(65_536):
            writer.write(data)
    writer.close()


async def _end(server: asyncio.Server) -> None:
    server.close()
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


@contextmanager
def over_tls(upstream: int, folder: Path) -> Iterator[tuple[int, Path]]:
    """Have a port that speaks TLS, and what is behind it does not."""
    certificate_file, key_file = certificate(folder)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate_file, key_file)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answers, server = await asyncio.open_connection(HOST, upstream)
        await asyncio.gather(_pump(reader, server), _pump(answers, writer))

    async def listen() -> asyncio.Server:
        return await asyncio.start_server(serve, HOST, 0, ssl=context)

    with Loop() as running:
        server = running(listen())
        try:
            yield server.sockets[0].getsockname()[1], certificate_file
        finally:
            running(_end(server))


def test_over_tls_only_a_known_certificate_of_that_name_is_spoken_to(
    server: Server, loop: Loop, tmp_path: Path
) -> None:
    with over_tls(server.address.port, tmp_path) as (port, authority):
        known = replace(server.behind(port), tls=Tls(ca=authority))
        with store_on(known, loop) as store:
            loop(store.check(soon()))
            assert loop(store.read_item("c-1", "x", soon())) is None

        for wrong in (Tls(), Tls(ca=authority, server_name="cassandra.us-east-1.amazonaws.com")):
            with pytest.raises(CertificateRefusedError, match="correct the address"):
                look(replace(known, tls=wrong), SystemClock())
