"""
When a call is tried again: in one place, for the driver itself never does.

AWS's policy for drivers has the same shape: at most two retries, of statements that may be
repeated, whatever the coordinator said. Here each waits with full jitter within the deadline, and
all calls share one budget, so that a store in trouble gets a tenth more and not three times as
much.
"""

import asyncio
from dataclasses import dataclass
from typing import Final

from adapters.stores.keyspaces.errors import StoreRefusedError
from domain.errors import DeadlineExceededError, TransientError
from domain.ports.time import Chance, Clock, Deadline
from domain.retries import Budget, full_jitter


@dataclass(frozen=True, slots=True, kw_only=True)
class Retries:
    """
    How often and how soon to try again.

    `attempts` counts the first one. A wait is a uniform part of `base_s` doubled each time, at
    most `cap_s`. Each call adds `share` of a retry to the budget, which holds at most `budget`.
    """

    attempts: int = 3
    base_s: float = 0.05
    cap_s: float = 0.5
    share: float = 0.1
    budget: float = 20.0


class Patience:
    """Decides on retries, and counts them; safe to share by loops, give or take one retry."""

    def __init__(self, retries: Retries, clock: Clock, chance: Chance) -> None:
        self._retries, self._clock, self._chance = retries, clock, chance
        self._budget = Budget(retries.share, retries.budget)
        self.retried = 0
        self.denied = 0

    def called(self) -> None:
        """Note a first attempt."""
        self._budget.earn()

    async def before_again(self, attempt: int, error: TransientError, deadline: Deadline) -> None:
        """
        Wait before another attempt after this one, counted from 1, or raise what it met.

        Raises:
            TransientError: the error, when there is no further attempt.
        """
        retries = self._retries
        if attempt >= retries.attempts or isinstance(error, FINAL):
            raise error
        wait = full_jitter(retries.base_s, retries.cap_s, attempt, self._chance)
        if deadline.remaining(self._clock) <= wait or not self._budget.spend():
            self.denied += 1
            raise error
        self.retried += 1
        await asyncio.sleep(wait)


#: Another attempt would meet the same.
FINAL: Final = (DeadlineExceededError, StoreRefusedError)
