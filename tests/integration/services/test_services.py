"""The real servers: they start beside one another, answer, and leave nothing."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from tests.services import __main__ as command
from tests.services import fleet
from tests.services.downloads import MissingError, apt
from tests.services.provided import provided
from tests.services.server import HOST, Launch, NotReadyError, Running, birth, exchange, start

ALL = fleet.USUAL
#: How the settings end that say where a server is.
PLACES = ("_URL", "_ADDRESS", "_ENDPOINT")


def port_of(server: Running) -> int:
    (address,) = [value for name, value in server.settings.items() if name.endswith(PLACES)]
    return int(address.rpartition(":")[2].partition("/")[0])


def listening(port: int, host: str) -> bool:
    with closing(socket.socket()) as client:
        client.settimeout(1)
        return client.connect_ex((host, port)) == 0


def sleeper(folder: Path) -> Launch:
    """A program that is no server, and ready at once."""
    del folder
    return Launch(command=("sleep", "60"), ready=lambda: "1", settings={})


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setattr(fleet, "STATE", tmp_path / "state")
    yield tmp_path / "state"
    command.main(["down"])


def test_every_server_answers_in_its_own_protocol_on_loopback_only() -> None:
    with provided(*ALL) as servers:
        assert list(servers) == list(ALL)
        assert all(server.version for server in servers.values())
        outside = {name for _, name in _addresses()}
        for server in servers.values():
            assert listening(port_of(server), HOST), server.name
            assert not [ip for ip in outside if listening(port_of(server), ip)], server.name
        assert b"+PONG" in exchange(port_of(servers["redis"]), b"PING\r\n", 7)

    for server in servers.values():
        assert not server.alive(), server.name
        assert not Path(server.folder).exists()
        assert not listening(port_of(server), HOST)


def _addresses() -> Iterator[tuple[str, str]]:
    """Yield the addresses of this machine that are not loopback."""
    for found in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET):
        if not str(found[4][0]).startswith("127."):
            yield found[3], str(found[4][0])


def test_up_twice_starts_once_and_down_leaves_nothing(
    state: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with provided("redis", "mariadb"):
        pass  # skips where they cannot be had
    assert command.main(["up", "redis", "mariadb"]) == 0
    first = capsys.readouterr().out
    servers = fleet.remembered()
    assert command.main(["up", "redis", "mariadb"]) == 0
    second = capsys.readouterr().out
    assert command.main(["show"]) == 0

    assert "REDIS_URL=redis://127.0.0.1:" in first
    assert "# 2 started" in first
    assert "# 0 started" in second
    assert fleet.remembered() == servers
    assert {name.split()[1] for name in first.splitlines() if "process" in name} == {
        "redis",
        "mariadb",
    }
    assert command.main(["down"]) == 0
    assert not state.exists()
    assert not [server for server in servers if server.alive()]


def test_one_that_fails_is_told_with_its_log_and_takes_the_others_along(
    state: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(folder: Path) -> Launch:
        del folder
        said = (sys.executable, "-c", "raise SystemExit('no such table')")
        return Launch(command=said, ready=lambda: None, settings={})

    started: list[Running] = []

    def stop_all(servers: Sequence[Running]) -> None:
        started.extend(servers)
        for server in servers:
            server.stop()

    monkeypatch.setattr(fleet, "SERVERS", {"broken": broken, "sleeper": sleeper})
    monkeypatch.setattr(fleet, "stop_all", stop_all)

    assert command.main(["up", "broken", "sleeper"]) == 1
    assert "no such table" in capsys.readouterr().err
    assert [server.name for server in started] == ["sleeper"]
    assert not started[0].alive()
    assert not fleet.remembered()
    assert state.exists()


def test_a_server_that_never_answers_is_given_up(tmp_path: Path) -> None:
    def mute(folder: Path) -> Launch:
        del folder
        return Launch(command=("sleep", "60"), ready=lambda: None, settings={}, limit_s=0.2)

    with pytest.raises(NotReadyError, match="did not answer"):
        start("mute", tmp_path / "mute", mute)

    assert not (tmp_path / "mute").exists()


def test_a_process_that_took_over_the_number_is_left_alone(tmp_path: Path) -> None:
    with subprocess.Popen(("sleep", "60"), start_new_session=True) as stranger:
        taken = Running("redis", stranger.pid, "0", "7", {}, str(tmp_path / "redis"))
        assert not taken.alive()
        taken.stop()
        assert birth(stranger.pid)
        os.killpg(stranger.pid, signal.SIGKILL)


def test_one_that_does_not_listen_to_term_is_ended_by_force(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def deaf(folder: Path) -> Launch:
        ready = folder / "ready"
        program = (
            "import signal, time, pathlib; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
            f"pathlib.Path({str(ready)!r}).touch(); time.sleep(60)"
        )
        return Launch(
            command=(sys.executable, "-c", program),
            ready=lambda: "1" if ready.exists() else None,
            settings={},
        )

    monkeypatch.setattr("tests.services.server.STOP_S", 0.3)
    running = start("deaf", tmp_path / "deaf", deaf)
    assert running.alive()
    running.stop()

    assert not running.alive()


@pytest.mark.parametrize("arguments", [[], ["up", "oracle"], ["sideways"], ["down", "redis"]])
def test_another_command_is_usage(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(arguments) == 2
    assert "usage" in capsys.readouterr().err


@pytest.mark.parametrize("tools", [{}, {"apt-get": "#!/bin/sh\necho no package; exit 100\n"}])
def test_what_cannot_be_fetched_says_what_is_needed(
    tools: Mapping[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for name, text in tools.items():
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)

    with pytest.raises(MissingError, match=r"no package|this needs a Debian"):
        apt("nothing-of-that-name")

    assert not list(tmp_path.glob("cache/*/*/apt-nothing-of-that-name"))
