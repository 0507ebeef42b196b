"""One server: how it is launched, when it is ready, and how it ends."""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

HOST: Final = "127.0.0.1"
POLL_S: Final = 0.05
STOP_S: Final = 20.0
#: What this process has started: it has to take note of their end, or they stay as zombies.
_CHILDREN: Final[dict[int, subprocess.Popen[bytes]]] = {}


class NotReadyError(Exception):
    """A server ended, or said nothing in time; the message has the end of its log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """
    What starts a server, and how to tell that it is there.

    `ready` is asked again and again and gives the version once the server answers its protocol,
    else None. `settings` say where it is.
    """

    command: Sequence[str]
    ready: Callable[[], str | None]
    settings: Mapping[str, str]
    environment: Mapping[str, str] = field(default_factory=dict)
    limit_s: float = 30.0


@dataclass(frozen=True, slots=True)
class Running:
    """A server that answers; `born` tells its process from a later one of the same id."""

    name: str
    pid: int
    born: str
    version: str
    settings: Mapping[str, str]
    folder: str

    def alive(self) -> bool:
        """Tell whether this very process still runs."""
        return birth(self.pid) == self.born

    def kill(self) -> None:
        """End the process at once; what it had written stays in its folder."""
        if self.alive():
            with suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
        if child := _CHILDREN.pop(self.pid, None):
            child.wait()

    def freeze(self) -> None:
        """Let the process stand still: its connections stay, and it answers nothing."""
        os.killpg(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        os.killpg(self.pid, signal.SIGCONT)

    def stop(self) -> None:
        """End the process, by force when it takes too long, and remove its folder."""
        for sign in (signal.SIGTERM, signal.SIGKILL):
            if not self.alive():
                break
            with suppress(ProcessLookupError):
                os.killpg(self.pid, sign)
            _until(lambda: not self.alive(), STOP_S)
        if child := _CHILDREN.pop(self.pid, None):
            child.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


def start(name: str, folder: Path, launch: Callable[[Path], Launch]) -> Running:
    """
    Start a server with its data in a folder, and return once it answers.

    Raises:
        NotReadyError: it ended, or did not answer in time; nothing is left of it.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return begin(name, folder, launch(folder))


def begin(name: str, folder: Path, made: Launch) -> Running:
    """
    Start what was prepared in a folder, for the first time or again, and return once it answers.

    Raises:
        NotReadyError: it ended, or did not answer in time; nothing is left of it.
    """
    log = folder / "server.log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            made.command,
            cwd=folder,
            env={**os.environ, **made.environment},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    _CHILDREN[process.pid] = process
    running = Running(name, process.pid, birth(process.pid), "", made.settings, str(folder))
    version: list[str] = []

    def settled() -> bool:
        version.extend(filter(None, (made.ready(),)))
        return bool(version) or process.poll() is not None

    _until(settled, made.limit_s)
    if not version or process.poll() is not None:
        tail = log.read_text(errors="replace")[-2000:]
        running.stop()
        raise NotReadyError(f"{name} did not answer within {made.limit_s:.0f} s: {tail}")
    return Running(name, process.pid, running.born, version[0], made.settings, str(folder))


def birth(pid: int) -> str:
    """Return when a process was started, in the kernel's ticks; empty when there is none."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] == "Z" else fields[19]


def free_ports(count: int) -> list[int]:
    """Return ports on which nobody listens, all different."""
    held = [socket.socket() for _ in range(count)]
    try:
        for each in held:
            each.bind((HOST, 0))
        return [each.getsockname()[1] for each in held]
    finally:
        for each in held:
            each.close()


def exchange(port: int, question: bytes, enough: int) -> bytes:
    """Return what a server answers, at least `enough` bytes of it; empty when it does not."""
    try:
        with socket.create_connection((HOST, port), timeout=1) as connection:
            connection.sendall(question)
            answer = b""
            while len(answer) < enough:
                part = connection.recv(4096)
                if not part:
                    return b""
                answer += part
            return answer
    except OSError:
        return b""


def answers_http(port: int) -> bool:
    """Tell whether something answers HTTP there, whatever it answers."""
    question = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    return exchange(port, question, 12).startswith(b"HTTP/1.1 ")


def _until(done: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not done() and time.monotonic() < deadline:
        time.sleep(POLL_S)
