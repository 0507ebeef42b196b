"""A start that refuses to be half configured: the doctor's look, in the doctor's sentences."""

from collections.abc import Iterator
from typing import Final

from adapters.bootstrap.doctor.found import Found
from adapters.bootstrap.doctor.machine import machine
from adapters.bootstrap.doctor.services import malformed, services
from adapters.settings import ServicesSettings
from domain.ports.time import Clock

FILES: Final = (
    "Decisions, person keys and cache are on servers; projections and the event stream are files"
    " of this process, as PROJECTIONS=files says."
)


def refuse_half_configured(settings: ServicesSettings, clock: Clock) -> list[str]:
    """
    Look at everything; return the lines that whoever starts it should read.

    Raises:
        InvalidInputError: a setting is missing or malformed.
        TransientError: the database is away.
        RefusedError: a server refuses, or what is there does not fit this program.
    """
    told = [FILES] if settings.projections == "files" else []
    for found in _all(settings, clock):
        if not found.ok and found.error is not None:
            raise found.error(found.sentence())
        if not found.ok or found.warning:
            told.append(f"Warning: {found.sentence()}.")
    return told


def _all(settings: ServicesSettings, clock: Clock) -> Iterator[Found]:
    yield from malformed(settings)
    yield from (found for found in machine(settings.data) if found.name != "ports")
    yield from services(settings, clock)
