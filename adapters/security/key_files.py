"""Secret files: made once, durable before use, readable by their owner only."""

import os
import secrets
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from domain.errors import PermanentError

OWNER_ONLY: Final = 0o600
FOREIGN_BITS: Final = 0o077
FILE_BYTES_MAX: Final = 65_536


def read_or_create(path: Path, make: Callable[[], bytes]) -> bytes:
    """
    Return the bytes of a secret file, making it first when it is not there.

    Of several processes that make it at once, one wins and all read its bytes. A new file is
    durable once this returns: file and folder are synced.

    Raises:
        PermanentError: others than the owner may read the file, or it is too large.
    """
    if not path.exists():
        _put_if_absent(path, make())
    return read_secret(path)


def read_secret(path: Path) -> bytes:
    """
    Return the bytes of a secret file.

    Raises:
        PermanentError: others than the owner may read it, or it is too large.
    """
    with path.open("rb") as file:
        status = os.fstat(file.fileno())
        if status.st_mode & FOREIGN_BITS:
            raise PermanentError(f"{path.name} may be read by others: chmod 600 it")
        if status.st_size > FILE_BYTES_MAX:
            raise PermanentError(f"{path.name} is too large for a key file")
        return file.read()


def replace_secret(path: Path, data: bytes) -> None:
    """Put new bytes in place of a secret file, atomically and durably."""
    fresh = _write_beside(path, data)
    fresh.replace(path)
    sync_folder(path.parent)


def create_empty(path: Path) -> None:
    """Make an empty file with mode 0600 unless it is there; durable once this returns."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY))
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _put_if_absent(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = _write_beside(path, data)
    try:
        # A link fails when the name is taken, so that the loser of a race never overwrites.
        with suppress(FileExistsError):
            os.link(fresh, path)
    finally:
        fresh.unlink()
    sync_folder(path.parent)


def _write_beside(path: Path, data: bytes) -> Path:
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    return fresh
