"""What the doctor finds of the servers of projections and stream; it changes nothing there."""

import asyncio
from collections.abc import Iterator
from typing import Final

from adapters.bootstrap.doctor.found import Found, fault, faulty, well
from adapters.bootstrap.projection_servers import (
    BREAKERS,
    STARTING_SECONDS,
    board_place,
    visited,
    visited_board,
)
from adapters.settings import RefusedError, ServicesSettings
from domain.errors import PermanentError, TransientError
from domain.ports.time import Clock, Deadline

ALONE: Final = "until then each process has only its own breakers' word"
#: Why a start goes on without one of them.
DEGRADED: Final = "until then decisions are made from what is below it"


def projections(settings: ServicesSettings, clock: Clock) -> Iterator[Found]:
    """Yield what is found of each server; while one is away a start goes on without it."""
    if settings.projections == "files":
        yield well("projections", "files of this process, as PROJECTIONS=files says")
        return
    yield from asyncio.run(_found(settings, clock))


async def _found(settings: ServicesSettings, clock: Clock) -> list[Found]:
    found = []
    async with visited(settings, clock) as servers:
        for name, check in servers.checks():
            try:
                await check(Deadline.after(clock, STARTING_SECONDS))
            except TransientError as error:
                remedy = f"start it, or correct its address; {DEGRADED}"
                found.append(fault(name, f"{servers.places[name]}: {error}", remedy, None))
            except PermanentError as error:
                found.append(faulty(name, error, RefusedError))
            else:
                found.append(well(name, servers.places[name]))
    return found


def breakers(settings: ServicesSettings, clock: Clock) -> Iterator[Found]:
    """Yield what is found of the table where processes see each other's breakers, if they do."""
    if settings.shared_breakers == "no":
        return
    place = board_place(settings)
    try:
        asyncio.run(_looked(settings, clock))
    except TransientError as error:
        yield fault(
            BREAKERS, f"{place}: {error}", f"start it, or correct its address; {ALONE}", None
        )
    except PermanentError as error:
        yield faulty(BREAKERS, error, RefusedError)
    else:
        yield well(BREAKERS, place)


async def _looked(settings: ServicesSettings, clock: Clock) -> None:
    async with visited_board(settings, clock) as board:
        await board.check(Deadline.after(clock, STARTING_SECONDS))
