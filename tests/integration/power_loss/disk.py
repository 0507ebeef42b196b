"""
A disk that forgets what was not flushed, as an SQLite VFS over the machine's own.

Reads and locks are the real ones, so SQLite notices nothing. Beside the real files the disk keeps
what would be left of them: bytes become durable at the file's flush, the name of a new file at its
folder's, which SQLite does at the first flush of a log (and of no other file). Between flushes a
real drive may have written anything in any order, so a loss can keep part of it, also half a write.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from random import Random
from threading import RLock
from typing import Final, Literal

import apsw

SECTOR: Final = 512
#: What survives of the writes since the last flush.
Survival = Literal["nothing", "first writes", "any writes", "any sectors"]
SURVIVALS: Final[tuple[Survival, ...]] = ("nothing", "first writes", "any writes", "any sectors")

_numbers = count()


@dataclass(frozen=True, slots=True)
class Write:
    """Bytes at an offset; `data` None cuts the file off there."""

    offset: int
    data: bytes | None

    def onto(self, content: bytearray) -> None:
        if self.data is None:
            del content[self.offset :]
            return
        if len(content) < self.offset:
            content.extend(bytes(self.offset - len(content)))
        content[self.offset : self.offset + len(self.data)] = self.data

    def sectors(self) -> Iterator["Write"]:
        if self.data is None:
            yield self
            return
        begin = 0
        while begin < len(self.data):
            end = begin + SECTOR - (self.offset + begin) % SECTOR
            yield Write(self.offset + begin, self.data[begin:end])
            begin = end


@dataclass(slots=True)
class Image:
    """One file: what is durable, what is on its way, and whether its name is durable."""

    durable: bytearray
    named: bool
    pending: list[Write] = field(default_factory=list)


class Disk:
    """The files below one VFS; `name` is what SQLite knows it by."""

    def __init__(self) -> None:
        self.name: Final = f"lossy-{next(_numbers)}"
        self.failing = False
        self._images: dict[Path, Image] = {}
        self._lock = RLock()
        self._vfs: _LossyVfs | None = _LossyVfs(self)

    def close(self) -> None:
        """Let SQLite forget the VFS."""
        if self._vfs is not None:
            self._vfs.unregister()
            self._vfs = None

    # --- what the files report -----------------------------------------------------------------

    def opened(self, path: Path, *, new: bool) -> None:
        with self._lock:
            if path not in self._images:
                content = bytearray() if new else bytearray(path.read_bytes())
                self._images[path] = Image(content, named=not new)

    def wrote(self, path: Path, write: Write) -> None:
        with self._lock:
            self._images[path].pending.append(write)

    def flushed(self, path: Path, *, with_folder: bool) -> None:
        if self.failing:
            raise apsw.IOError("a flush that fails on purpose")
        with self._lock:
            image = self._images[path]
            for write in image.pending:
                write.onto(image.durable)
            image.pending.clear()
            if with_folder:
                self.folder_flushed(path.parent)

    def deleted(self, path: Path) -> None:
        with self._lock:
            self._images.pop(path, None)

    def folder_flushed(self, folder: Path) -> None:
        with self._lock:
            for path, image in self._images.items():
                image.named = image.named or path.parent == folder

    # --- the loss ------------------------------------------------------------------------------

    def lose_power(self, into: Path, survival: Survival, chance: Random) -> None:
        """Write what would be found after a loss at this instant into a folder."""
        into.mkdir(parents=True)
        with self._lock:
            for path, image in self._images.items():
                if image.named or survival != "nothing":
                    (into / path.name).write_bytes(_left(image, survival, chance))


def _left(image: Image, survival: Survival, chance: Random) -> bytes:
    content = bytearray(image.durable)
    for write in _surviving(image.pending, survival, chance):
        write.onto(content)
    return bytes(content)


def _surviving(pending: list[Write], survival: Survival, chance: Random) -> list[Write]:
    match survival:
        case "nothing":
            return []
        case "first writes":
            return pending[: chance.randint(0, len(pending))]
        case "any writes":
            return [write for write in pending if chance.random() < 0.5]
        case "any sectors":
            sectors = [sector for write in pending for sector in write.sectors()]
            return [sector for sector in sectors if chance.random() < 0.5]


class _LossyVfs(apsw.VFS):
    def __init__(self, disk: Disk) -> None:
        self._disk = disk
        super().__init__(disk.name, "")

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> apsw.VFSFile:  # noqa: N802
        if name is None:
            return apsw.VFSFile("", name, flags)
        path = Path(name if isinstance(name, str) else name.filename())
        new = not path.exists()
        file = _LossyFile(self._disk, path, name, flags)
        self._disk.opened(path, new=new)
        return file

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: FBT001, N802
        super().xDelete(filename, syncdir)
        self._disk.deleted(Path(filename))


class _LossyFile(apsw.VFSFile):
    def __init__(
        self, disk: Disk, path: Path, name: str | apsw.URIFilename, flags: list[int]
    ) -> None:
        self._disk = disk
        self._path = path
        self._is_log = bool(flags[0] & (apsw.SQLITE_OPEN_WAL | apsw.SQLITE_OPEN_MAIN_JOURNAL))
        super().__init__("", name, flags)

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802
        super().xWrite(data, offset)
        self._disk.wrote(self._path, Write(offset, bytes(data)))

    def xTruncate(self, newsize: int) -> None:  # noqa: N802
        super().xTruncate(newsize)
        self._disk.wrote(self._path, Write(newsize, None))

    def xSync(self, flags: int) -> None:  # noqa: N802
        self._disk.flushed(self._path, with_folder=self._is_log)
        super().xSync(flags)
