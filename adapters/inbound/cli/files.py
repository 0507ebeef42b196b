"""Reading the files that a command is given, within limits, and writing private ones."""

import os
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import BinaryIO, Final

from adapters.inbound.cli.failures import BadUsage, Failure

#: The largest policy, model, table or input file.
FILE_BYTES_MAX: Final = 16 * 1024 * 1024
#: The longest line of an NDJSON file.
LINE_BYTES_MAX: Final = 1024 * 1024
STANDARD_INPUT: Final = Path("-")


def read_file(path: Path) -> bytes:
    """
    Return the bytes of a file; `-` is standard input.

    Raises:
        Failure: `BAD_USAGE`, it cannot be read or is too large.
    """
    try:
        with _opened(path) as stream:
            data = stream.read(FILE_BYTES_MAX + 1)
    except OSError as error:
        raise _unreadable(path, error) from error
    if len(data) > FILE_BYTES_MAX:
        raise BadUsage(f"{path} is larger than 16 MiB.")
    return data


def text_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """
    Yield number and bytes of each line that is not empty, from 1; the file may be endless.

    Raises:
        Failure: `BAD_USAGE`, it cannot be read or a line is too long.
    """
    try:
        with _opened(path) as stream:
            number = 0
            while line := stream.readline(LINE_BYTES_MAX + 1):
                number += 1
                if len(line) > LINE_BYTES_MAX:
                    raise BadUsage(f"Line {number} of {path} is longer than 1 MiB.")
                if line.strip():
                    yield number, line
    except OSError as error:
        raise _unreadable(path, error) from error


def write_private(path: Path, data: bytes) -> None:
    """
    Write a new file that only its owner can read.

    Raises:
        Failure: `BAD_USAGE`, it is there already or cannot be made.
    """
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(data)
    except OSError as error:
        raise BadUsage(
            f"{path} cannot be written: {error.strerror or 'the system refuses it'}."
        ) from error


def _opened(path: Path) -> AbstractContextManager[BinaryIO]:
    if path == STANDARD_INPUT:
        return nullcontext(sys.stdin.buffer)
    return path.open("rb")


def _unreadable(path: Path, error: OSError) -> Failure:
    return BadUsage(f"{path} cannot be read: {error.strerror or 'the system refuses it'}.")
