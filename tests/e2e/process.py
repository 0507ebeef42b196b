"""
The real platform in a process that does what a test tells it over a socket.

The first line is its options, each line after it a command, all of them JSON; each gets one line
as its answer. `arm` makes the process kill itself at a named point: nothing is flushed, no handler
runs. With a lossy disk it first leaves behind what a loss of power at that instant would leave.
"""

import asyncio
import json
import os
import signal
import socket
import sys
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from random import Random
from threading import Lock
from typing import Any, Final

from adapters.bootstrap.demo_platform import EmbeddedDemoPlatform
from adapters.bootstrap.serving import Served, served
from adapters.bootstrap.shipped import personal_loan
from adapters.inbound.http.server import new_event_loop
from adapters.settings import EmbeddedSettings
from domain.ports.time import Deadline
from tests.e2e import instruments
from tests.integration.power_loss.disk import Disk

LINE_MAX: Final = 1 << 24
PUBLISHING_SECONDS: Final = 60.0

Command = Mapping[str, Any]


@dataclass(slots=True)
class Points:
    """Counts the named points that are passed, and ends the process at the one that is armed."""

    connection: socket.socket
    disk: Disk | None
    passed: Counter[str] = field(default_factory=Counter)
    armed: Command | None = None
    _lock: Lock = field(default_factory=Lock)

    def __call__(self, point: str) -> None:
        """Pass a point; called from every thread that writes."""
        with self._lock:
            self.passed[point] += 1
            armed = self.armed
            if armed and armed["point"] == point and self.passed[point] == armed["nth"]:
                self._end(armed)

    def arm(self, armed: Command) -> None:
        """Begin to count from nothing, and end at the nth time that the point is passed."""
        with self._lock:
            self.passed.clear()
            self.armed = armed

    def _end(self, armed: Command) -> None:
        if self.disk is not None:
            # Whoever flushes meanwhile waits, so that nobody is answered after the loss.
            self.disk._lock.acquire()
            self.disk.lose_power(Path(armed["into"]), armed["survival"], Random(armed["seed"]))
        self.connection.send(_line({"killed": armed["point"], "pid": os.getpid()}))
        os.kill(os.getpid(), signal.SIGKILL)


@dataclass(frozen=True, slots=True)
class Session:
    """A platform that answers, and the commands that a test may give."""

    platform: Served
    points: Points

    async def publish(self, _: Command) -> dict[str, Any]:
        """Publish the shipped policy."""
        core = self.platform.core
        deadline = Deadline.after(core.stores.clock, PUBLISHING_SECONDS)
        rulebook, new = await core.policies.publish(personal_loan(), deadline)
        return {"hash": rulebook.policy.content_hash, "new": new}

    async def settle(self, _: Command) -> dict[str, Any]:
        """Wait until everything recorded has reached every store, then compare them."""
        demo = EmbeddedDemoPlatform(self.platform.core, self.platform.url)
        await demo.settle()
        compared, differing = await demo.compare_stores()
        return {"compared": compared, "differing": differing}

    async def arm(self, command: Command) -> dict[str, Any]:
        """Choose where to die."""
        self.points.arm(command)
        return {}

    async def passed(self, _: Command) -> dict[str, Any]:
        """Return how often each point was passed."""
        return dict(self.points.passed)

    async def fault(self, command: Command) -> dict[str, Any]:
        """Break something on purpose, in the way that the command names."""
        await instruments.FAULTS[command["kind"]](self.platform, command["text"])
        return {}

    async def mend(self, _: Command) -> dict[str, Any]:
        """Undo what was broken."""
        await instruments.mend()
        return {}


def live(connection: socket.socket) -> None:
    """Serve until the connection is closed or `stop` comes."""
    options = json.loads(_first_line(connection))
    error = os.open(options["stderr"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(error, sys.stderr.fileno())
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(_serve(connection, options))


async def _serve(connection: socket.socket, options: Command) -> None:
    disk = Disk() if options["lossy"] else None
    if disk is not None and options["deaf"]:
        instruments.deafen(disk)
    points = Points(connection, disk, armed=options["armed"])
    instruments.install(points, disk.name if disk else None, options["pragmas"])
    settings = EmbeddedSettings(data=Path(options["data"]), port=0, metrics_port=0)
    begin = datetime.fromisoformat(options["begin"])
    reader, writer = await asyncio.open_unix_connection(sock=connection, limit=LINE_MAX)
    async with served(settings, begin, at=points) as platform:
        hello = {"url": platform.url, "metrics_url": platform.metrics_url}
        writer.write(_line({**hello, "token": platform.token(), "pid": os.getpid()}))
        session = Session(platform, points)
        async for line in reader:
            command = json.loads(line)
            if command["do"] == "stop":
                break
            do: Callable[[Command], Awaitable[dict[str, Any]]] = getattr(session, command["do"])
            writer.write(_line(await do(command)))
    writer.write(_line({"stopped": True}))
    await writer.drain()


def _line(document: object) -> bytes:
    return json.dumps(document).encode() + b"\n"


def _first_line(connection: socket.socket) -> bytes:
    line = b""
    # One byte at a time: what follows belongs to the loop's own reader.
    while not line.endswith(b"\n"):
        line += connection.recv(1)
    return line
