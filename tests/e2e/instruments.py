"""What the test process adds to the product from outside: more crash points, a disk, faults."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from threading import Event, Thread, current_thread
from types import SimpleNamespace
from typing import Any, Final, NoReturn

import apsw

from adapters.bootstrap import stores
from adapters.bootstrap.serving import Served
from adapters.inbound.lambdas import kinesis
from adapters.security import key_store
from adapters.stores.embedded import opening
from adapters.stores.embedded.sqlite_file import SqliteFile
from adapters.stores.sql import sqlite_truth
from adapters.stores.sql.rendering import Plan, Renderer
from adapters.stores.sql.sqlite_words import SqliteWords
from adapters.stores.sql.statements import renderers
from decision_engine.decide import CreditApproval
from domain.ports.time import Deadline
from ingestion.accept import AcceptEvents
from tests.integration.power_loss.disk import Disk

At = Callable[[str], None]
Fault = Callable[[Served, str], Awaitable[None]]

PUTTING_SECONDS: Final = 10.0
MEETING_SECONDS: Final = 60.0
SQLITE_WRITER: Final = "truth-writer"


def install(at: At, vfs: str | None, pragmas: Sequence[str]) -> None:
    """Make every statement of truth a crash point, and put the files on another disk if asked."""
    known = renderers(SqliteWords())
    _put(sqlite_truth, "renderers", lambda _words: _pointed(known, at))
    _put(opening, "PRAGMAS", (*opening.PRAGMAS, *pragmas))
    if vfs is not None:
        _put(stores, "SqliteFile", partial(SqliteFile, vfs=vfs))
        connect = partial(apsw.Connection, vfs=vfs)
        _put(key_store, "apsw", SimpleNamespace(Connection=connect, Error=apsw.Error))


def deafen(disk: Disk) -> None:
    """Let the disk take every request to flush, and flush nothing."""
    _put(disk, "flushed", lambda *_path, **_how: None)


def _pointed(known: Mapping[type, Renderer], at: At) -> dict[type, Renderer]:
    return {statement: _with_point(statement, render, at) for statement, render in known.items()}


def _with_point(statement: type, render: Renderer, at: At) -> Renderer:
    def pointed(asked: Any) -> Plan:
        place = "truth" if current_thread().name == SQLITE_WRITER else "read"
        at(f"{place}.{statement.__name__}")
        return render(asked)

    return pointed


def _put(owner: Any, name: str, value: object) -> None:
    setattr(owner, name, value)


def _break(owner: Any, name: str, value: object) -> None:
    """Put a fault in the place of what works, until it is mended."""
    BROKEN.append((owner, name, getattr(owner, name)))
    _put(owner, name, value)


async def mend() -> None:
    """Undo every fault, once the handler has met the one that was meant for it."""
    await asyncio.to_thread(HANDLED.wait, MEETING_SECONDS)
    while BROKEN:
        _put(*BROKEN.pop())


BROKEN: Final[list[tuple[Any, str, object]]] = []
HANDLED: Final = Event()
HANDLED.set()


# --- faults: each one carries a text that must not get out --------------------------------------


def _fail(text: str) -> NoReturn:
    raise RuntimeError(f"cannot go on with {text}") from KeyError(text)


async def accepting(_: Served, text: str) -> None:
    """Let every `POST /v1/events` meet a bug."""

    async def broken(_self: AcceptEvents, documents: Sequence[object], _: Deadline) -> NoReturn:
        _fail(f"{text} {documents!r}")

    _break(AcceptEvents, "__call__", broken)


async def deciding(_: Served, text: str) -> None:
    """Let every decision meet a bug inside its flight."""

    async def broken(_self: CreditApproval, *arguments: object) -> NoReturn:
        _fail(f"{text} {arguments!r}")

    _break(CreditApproval, "_run", broken)


async def handling(_: Served, text: str) -> None:
    """Let every invocation of the Lambda handler meet a bug."""

    def broken(record: Mapping[str, Any]) -> NoReturn:
        HANDLED.set()
        _fail(f"{text} {record!r}")

    HANDLED.clear()
    _break(kinesis, "_record", broken)


async def thread(_: Served, text: str) -> None:
    """Let a thread die."""
    dying = Thread(target=_fail, args=(text,), name="dying")
    dying.start()
    await asyncio.to_thread(dying.join)


async def task(_: Served, text: str) -> None:
    """Let a task fail that nobody waits for, and a callback of the loop."""
    loop = asyncio.get_running_loop()
    loop.call_soon(_fail, text)
    lost: asyncio.Future[None] = loop.create_future()
    lost.set_exception(RuntimeError(text))
    del lost
    await asyncio.sleep(0)


async def unraisable(_: Served, text: str) -> None:
    """Let a destructor fail."""

    class Failing:
        def __del__(self) -> None:
            _fail(text)

    Failing()


async def raw_record(platform: Served, text: str) -> None:
    """Put a record on the stream that never passed the edge, as a careless producer might."""
    stores_of = platform.core.stores
    deadline = Deadline.after(stores_of.clock, PUTTING_SECONDS)
    await stores_of.stream.put([("c-raw", text.encode())], deadline)


FAULTS: Final[Mapping[str, Fault]] = {
    "accepting": accepting,
    "deciding": deciding,
    "handling": handling,
    "thread": thread,
    "task": task,
    "unraisable": unraisable,
    "raw_record": raw_record,
}
