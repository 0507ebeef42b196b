"""A server that ends and comes back: on its folder, its port, with what it had."""

import socket
from contextlib import closing

import pytest

from tests.integration.sql.database import ask
from tests.services.provided import provided_lasting
from tests.services.server import HOST


def test_a_killed_server_returns_with_what_was_committed() -> None:
    with provided_lasting("mariadb") as server:
        url = server.settings["MYSQL_URL"]
        ask(url, "CREATE TABLE kept (number INT)")
        ask(url, "INSERT INTO kept VALUES (7)")
        server.kill()
        with pytest.raises(Exception, match="2003"):
            ask(url, "SELECT 1")
        server.revive()
        assert server.settings["MYSQL_URL"] == url
        assert ask(url, "SELECT number FROM kept") == [(7,)]

        server.freeze()
        port = int(url.rpartition(":")[2].partition("/")[0])
        with closing(socket.create_connection((HOST, port), timeout=0.3)) as client:
            # The system takes the connection; nobody greets.
            with pytest.raises(TimeoutError):
                client.recv(1)
            server.thaw()
            client.settimeout(20)
            assert client.recv(1)
    with closing(socket.socket()) as client:
        assert client.connect_ex((HOST, port)) != 0
