"""
The clock of a data folder: `clock.json` holds its offset to real time.

Every process of the folder reads it. A restart resumes at the later of the last saved instant and
the newest row of the ledger, so that weeks without use make no data stale.
"""

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from adapters.stores.embedded.opening import sync_folder
from domain.errors import InvalidInputError, PermanentError
from domain.instants import instant_micros, parse_instant

NAME: Final = "clock.json"


def read_offset(data: Path) -> timedelta:
    """
    Return the offset of a folder; none is kept means real time.

    Raises:
        PermanentError: the file is there but cannot be read.
    """
    kept = _read(data)
    return kept[0] if kept else timedelta(0)


def saved_instant(data: Path) -> datetime | None:
    """
    Return the last instant that the folder's clock is known to have shown, or None.

    Raises:
        PermanentError: the file is there but cannot be read.
    """
    kept = _read(data)
    return kept[1] if kept else None


def _read(data: Path) -> tuple[timedelta, datetime] | None:
    try:
        document = json.loads((data / NAME).read_bytes())
        offset = timedelta(microseconds=int(document["offset_us"]))
        return offset, parse_instant(document["instant"])
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError, InvalidInputError) as error:
        raise PermanentError(f"{NAME} of the data folder cannot be read") from error


def save(data: Path, offset: timedelta, instant: datetime) -> None:
    """Keep offset and instant, replacing the file at once and durably."""
    document = {
        "offset_us": offset // timedelta(microseconds=1),
        "instant": instant_micros(instant),
    }
    target = data / NAME
    fresh = target.with_suffix(".new")
    with fresh.open("wb") as file:
        file.write(json.dumps(document).encode())
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(target)
    sync_folder(data)


def keep(data: Path, instant: datetime) -> None:
    """Keep the instant that a folder's own clock has reached; a folder on real time has none."""
    if (data / NAME).exists():
        save(data, read_offset(data), instant)


def resume(
    data: Path, newest: datetime | None, begin: datetime | None, real: datetime
) -> timedelta:
    """
    Return and keep the offset that this run of the folder uses.

    `newest` is the newest instant of the ledger. `begin` is where a new folder's clock starts;
    None means real time, for which no file is written.
    """
    saved = saved_instant(data)
    if saved is None:
        if begin is None:
            return timedelta(0)
        saved = begin
    floor = datetime(1970, 1, 1, tzinfo=UTC)
    offset = max(saved, newest or floor) - real
    save(data, offset, real + offset)
    return offset
