"""How long the drivers of MySQL wait, each in the same way."""

from math import isinf
from typing import Final

from domain.errors import DeadlineExceededError
from domain.ports.time import Clock, Deadline

#: A connection is there within this time or not at all.
CONNECT_SECONDS: Final = 2.0
#: One packet is answered within this time (locks are waited for one second), or its connection is
#: taken for broken.
TRIP_SECONDS: Final = 4.0
CONNECTIONS: Final = 8


def seconds_left(deadline: Deadline, clock: Clock) -> float | None:
    """
    Return the seconds until a deadline, None where there is none.

    Raises:
        DeadlineExceededError: it has passed.
    """
    remaining = deadline.remaining(clock)
    if remaining <= 0:
        raise not_begun()
    return None if isinf(remaining) else remaining


def not_begun() -> DeadlineExceededError:
    """Return the error of what never ran."""
    return DeadlineExceededError("it had not begun when its time was up")
