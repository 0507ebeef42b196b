"""What every profile needs of the machine: Python, room, a private folder, ports, its clock."""

import errno
import os
import shutil
import socket
import sys
import zoneinfo
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Final

import apsw

from adapters.bootstrap.doctor.found import Found, fault, warned, well
from adapters.settings import DEFAULT_METRICS_PORT, DEFAULT_PORT, LOOPBACK
from adapters.stores.embedded import folder_clock
from adapters.stores.embedded.directory import TRUTH
from adapters.stores.embedded.opening import open_reader
from domain.errors import PermanentError
from domain.instants import from_epoch_micros, instant_millis
from domain.ports.time import Clock

PYTHON_MIN: Final = (3, 11)
FREE_BYTES_MIN: Final = 1 << 30
#: Below this somebody should make room before it is too late.
FREE_BYTES_GOOD: Final = 4 << 30
SKEW_SECONDS_MAX: Final = 1.0
NEWEST: Final = "SELECT max(decided_us) FROM credit_decisions"
PORTS: Final = ((DEFAULT_PORT, "--port"), (DEFAULT_METRICS_PORT, "--metrics-port"))


def machine(data: Path) -> Iterator[Found]:
    """Yield what is found of the machine and the folder."""
    yield _python()
    yield _disk(data)
    yield _folder(data)
    yield _zones()
    yield from ports()


def ports(host: str = LOOPBACK) -> Iterator[Found]:
    """Yield which default ports are taken; a start takes free ones in their place."""
    taken = [(port, option) for port, option in PORTS if not _free(host, port)]
    for port, option in taken:
        yield warned(
            "ports",
            f"something listens on port {port}; it may be this platform",
            f"a start takes a free port, or the one that {option} names",
        )
    if not taken:
        yield well("ports", " and ".join(f"{port}" for port, _ in PORTS) + " are free")


def clock_of(data: Path, clock: Clock) -> Found:
    """Return how far the folder's clock is behind what its ledger already holds."""
    name, root = "clock", data.expanduser()
    try:
        now = clock.now() + folder_clock.read_offset(root)
        newest = _newest(root)
    except PermanentError as error:
        return fault(name, str(error), "restore the file from a backup of the folder")
    except apsw.Error:
        # The ledger's own check says so.
        return well(name, "the ledger cannot be read")
    skew = (newest - now).total_seconds() if newest is not None else 0.0
    if skew > SKEW_SECONDS_MAX:
        return fault(
            name,
            f"the newest decision is {skew:.1f} s ahead of the folder's clock",
            "set this machine's clock (NTP)",
        )
    return well(name, f"{instant_millis(now)} in this folder")


def _newest(root: Path) -> datetime | None:
    path = root / TRUTH
    if not path.exists():
        return None
    with closing(open_reader(path, None)) as connection:
        ((found,),) = connection.execute(NEWEST)
    return from_epoch_micros(found) if found else None


def _free(host: str, port: int) -> bool:
    with socket.socket() as held:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            held.bind((host, port))
        except OSError as error:
            return error.errno != errno.EADDRINUSE
    return True


def _python() -> Found:
    found = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info[:2] >= PYTHON_MIN:
        return well("python", found)
    return fault("python", found, "install Python 3.11 or newer")


def _disk(data: Path) -> Found:
    place = data.expanduser()
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    told = f"{free >> 20} MiB free"
    if free < FREE_BYTES_MIN:
        return fault("disk", told, "free at least 1 GiB")
    if free < FREE_BYTES_GOOD:
        return warned("disk", told, "free some: below 1 GiB nothing starts")
    return well("disk", told)


def _folder(data: Path) -> Found:
    name, root = "data folder", data.expanduser()
    if not root.exists():
        return well(name, "not there yet; it is made at the first start")
    if root.stat().st_mode & 0o077:
        return fault(name, "others can read it", "chmod 700: nobody else may read the data folder")
    if not os.access(root, os.R_OK | os.W_OK):
        return fault(name, "this user may not write there", "name a folder of your own by --data")
    return well(name, "private")


def _zones() -> Found:
    if zoneinfo.TZPATH:
        remedy = "start the platform by creditctl, which takes those of the package tzdata"
        return fault("time zones", "the host's own", remedy)
    return well("time zones", "the pinned tzdata package")
