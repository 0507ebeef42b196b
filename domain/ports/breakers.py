"""What the circuit breakers of several processes tell each other."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol

from domain.ports.time import Deadline

#: What a board gives at most.
ROWS_MAX: Final = 1_000


class BreakerState(StrEnum):
    """What a breaker does with the next call."""

    CLOSED = "closed"
    HALF_OPEN = "half_open"
    OPEN = "open"


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerRow:
    """
    A breaker's state as the table `circuit-breaker-state` holds it (the brief's B3, B4).

    service_name: `<store>` `/` `<process>`: each process has a row of its own, so that none
    overwrites what another one found. last_failure_time: epoch seconds of the last opening, 0 for
    none. updated: epoch seconds.
    """

    service_name: str
    state: BreakerState
    failure_count: int
    success_count: int
    last_failure_time: int
    updated: int


class BreakerBoard(Protocol):
    """Where processes see each other's breakers."""

    async def publish(self, rows: Sequence[BreakerRow], deadline: Deadline) -> None:
        """
        Put rows in the place of older ones of the same name; a newer one stays.

        Raises:
            TransientError: the board is away; some rows may be there.
        """

    async def read(self, deadline: Deadline) -> Sequence[BreakerRow]:
        """
        Return every row of a living process, at most `ROWS_MAX`.

        Raises:
            TransientError: the board is away.
        """
