"""
Anchors in a file of their own: one line each, appended and flushed, never changed.

A crash may leave half a line at the end. It was never acknowledged; the next append closes it, and
reading passes over it, since the chain of the others shows that nothing is missing.
"""

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

from adapters.stores.embedded.opening import sync_folder
from decision_engine.record.anchors import Anchor
from domain.errors import ConflictError, InvalidInputError, PermanentError, TransientError
from domain.ports.time import Deadline

#: A head is some 130 bytes; every lane that a machine ever had may move in one minute.
LINE_BYTES_MAX: Final = 16 * 1024 * 1024
END: Final = b"\n"


class AnchorFile:
    """Implements `decision_engine.record.anchors.AnchorStore`; one process writes it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        #: What this process has seen of the file, and where the last page ended.
        self._size = 0
        self._page_end: tuple[Anchor | None, int] = (None, 0)

    async def append(self, anchor: Anchor, deadline: Deadline) -> None:
        """
        Keep an anchor; it is durable once this returns. A flush is never abandoned half-way.

        Raises:
            ConflictError: the file has grown since it was read.
            TransientError: the file cannot be written; it may hold the anchor or a part of it.
        """
        del deadline
        try:
            await asyncio.to_thread(self._append, anchor)
        except OSError as error:
            raise TransientError("the anchors cannot be written") from error

    async def read(self, after: int, limit: int, deadline: Deadline) -> list[Anchor]:
        """
        Return up to `limit` anchors with numbers above `after`, in order.

        Raises:
            PermanentError: a line is not as it was written.
            TransientError: the file cannot be read.
        """
        del deadline
        try:
            return await asyncio.to_thread(self._page, after, limit)
        except OSError as error:
            raise TransientError("the anchors cannot be read") from error

    def _append(self, anchor: Anchor) -> None:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        handle = os.open(self._path, flags, 0o600)
        with os.fdopen(handle, "r+b", buffering=0) as file:
            size = os.fstat(handle).st_size
            if size != self._size:
                raise ConflictError("somebody else has written anchors")
            torn = size > 0 and os.pread(handle, 1, size - 1) != END
            line = END * torn + anchor.to_bytes() + END
            if file.write(line) != len(line):
                raise OSError("only a part of the line was written")
            os.fsync(handle)
        if not size:
            sync_folder(self._path.parent)
        self._size = size + len(line)

    def _page(self, after: int, limit: int) -> list[Anchor]:
        if not self._path.exists():
            return []
        known, start = self._page_end
        if known is None or known.number != after:
            known, start = None, 0
        found: list[Anchor] = []
        with self._path.open("rb") as file:
            self._size = os.fstat(file.fileno()).st_size
            file.seek(start)
            for anchor in _anchors(file, known):
                if anchor.number > after:
                    found.append(anchor)
                if len(found) == limit:
                    self._page_end = anchor, file.tell()
                    break
        return found


def read_anchors(path: Path) -> Iterator[Anchor]:
    """
    Yield the anchors of a file.

    Raises:
        PermanentError: a line is not as it was written, or the file cannot be read.
    """
    try:
        with path.open("rb") as file:
            yield from _anchors(file)
    except OSError as error:
        raise PermanentError(f"the anchors cannot be read: {error.strerror}") from error


def _anchors(file: BinaryIO, last: Anchor | None = None) -> Iterator[Anchor]:
    """Yield the anchors from here on; `last` is the one before."""
    damaged = ended = False
    while line := file.readline(LINE_BYTES_MAX):
        ended = line.endswith(END)
        try:
            anchor = Anchor.parse(line.removesuffix(END))
        except InvalidInputError:
            damaged = True
            continue
        if damaged and (last is None or anchor.previous != last.hash):
            raise _damaged(last)
        damaged, last = False, anchor
        yield anchor
    if damaged and ended:
        raise _damaged(last)


def _damaged(last: Anchor | None) -> PermanentError:
    place = "the first anchor" if last is None else f"the one after anchor {last.number}"
    return PermanentError(f"{place} is not as it was written")
