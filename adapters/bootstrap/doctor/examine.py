"""Everything that `creditctl doctor` looks at, in the order in which it is shown."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from adapters.bootstrap.doctor.found import Found, fault, well
from adapters.bootstrap.doctor.keys import key_files
from adapters.bootstrap.doctor.machine import clock_of, machine
from adapters.bootstrap.doctor.services import services, settled
from adapters.bootstrap.evidence import verify_ledger
from adapters.settings import ServicesSettings
from adapters.system import SystemClock
from domain.errors import CreditError, NotFoundError
from domain.ports.time import Clock

RESTORE: Final = "creditctl decision verify names what was changed; compare with a backup"
CLOCK: Final = SystemClock()


def examine(data: Path, profile: str, clock: Clock = CLOCK) -> list[Found]:
    """Return what is found of the machine, the folder and what the profile needs."""
    look = _of_services if profile == ServicesSettings.profile else _of_folder
    return [*machine(data), *look(data, clock)]


def _of_services(data: Path, clock: Clock) -> Iterator[Found]:
    settings, found = settled(data)
    yield from found
    if settings is not None:
        yield from services(settings, clock)


def _of_folder(data: Path, clock: Clock) -> Iterator[Found]:
    yield clock_of(data, clock)
    yield from key_files(data.expanduser())
    yield _ledger(data)


def _ledger(data: Path) -> Found:
    try:
        found = verify_ledger(data.expanduser(), None)
    except NotFoundError as error:
        return well("ledger", str(error))
    except CreditError as error:
        return fault("ledger", str(error), RESTORE)
    detail = f"{found['decisions']} decisions in {found['batches']} batches"
    return well("ledger", detail) if found["valid"] is True else fault("ledger", detail, RESTORE)
