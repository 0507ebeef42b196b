"""
Calls that are made again: full jitter, few attempts, a budget that all calls share.

The budget is a bucket of tokens: an attempt after the first takes one, a success gives back a
tenth. While a service fails for everybody the bucket is empty, and each call is one attempt.
https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/
"""

import asyncio
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from adapters.aws.errors import ReplyLostError
from adapters.aws.json_client import JsonClient
from domain.errors import (
    AmbiguousError,
    CreditError,
    DeadlineExceededError,
    ThrottledError,
    TransientError,
)
from domain.ports.time import Chance, Clock, Deadline
from domain.retries import Budget, full_jitter


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """How often, how long apart (seconds), and how much all calls together may ask again."""

    attempts: int = 4
    base_s: float = 0.025
    cap_s: float = 1.0
    tokens: float = 100.0
    earned: float = 0.1


COUNTED: Final = ("attempts", "retries", "throttled", "failed")
POLICY: Final = RetryPolicy()


class Retrying:
    """A client whose calls are made again while that may help and the deadline allows."""

    def __init__(
        self, client: JsonClient, *, clock: Clock, chance: Chance, policy: RetryPolicy = POLICY
    ) -> None:
        self._client, self._clock, self._chance, self._policy = client, clock, chance, policy
        self._budget = Budget(policy.earned, policy.tokens)
        self._counts = Counter(dict.fromkeys(COUNTED, 0))

    @property
    def clock(self) -> Clock:
        """The clock that deadlines are measured by."""
        return self._clock

    async def call(
        self, target: str, payload: bytes, deadline: Deadline, *, repeatable: bool = True
    ) -> bytes:
        """
        Ask, and ask again after what may pass.

        `repeatable`: doing it twice is the same as doing it once. Then a doubtful outcome is tried
        again, and is at last a TransientError; else it is raised as it is.

        Raises:
            as `JsonClient.call`, of the last attempt.
        """
        attempt = 0
        while True:
            self._counts["attempts"] += 1
            try:
                reply = await self._client.call(target, payload, deadline)
            except AmbiguousError as error:
                self._count(error)
                if not repeatable:
                    raise
                await self._pause(error, attempt, deadline)
            except TransientError as error:
                self._count(error)
                await self._pause(error, attempt, deadline)
            else:
                self._budget.earn()
                return reply
            attempt += 1

    async def wait(self, attempt: int, deadline: Deadline) -> bool:
        """Wait a while before attempt `attempt + 1`; False when there shall be none."""
        policy = self._policy
        if attempt + 1 >= policy.attempts:
            return False
        seconds = full_jitter(policy.base_s, policy.cap_s, attempt + 1, self._chance)
        if seconds >= deadline.remaining(self._clock) or not self._budget.spend():
            return False
        self._counts["retries"] += 1
        await asyncio.sleep(seconds)
        return True

    def metrics(self) -> Mapping[str, float]:
        """Return counters since start: attempts, retries, and the kinds of what failed."""
        return dict(self._counts)

    async def close(self) -> None:
        """End every connection."""
        await self._client.close()

    async def _pause(self, error: CreditError, attempt: int, deadline: Deadline) -> None:
        if isinstance(error, DeadlineExceededError):
            raise error
        if isinstance(error, ReplyLostError) and error.kept and attempt == 0:
            # A server closes what idles: that says nothing of how it is, and costs nobody time.
            return
        if not await self.wait(attempt, deadline):
            raise _over(error, timely=deadline.remaining(self._clock) > 0) from error

    def _count(self, error: CreditError) -> None:
        kind = "throttled" if isinstance(error, ThrottledError) else "failed"
        self._counts[kind] += 1


def _over(error: CreditError, *, timely: bool) -> TransientError:
    """Return what to tell: of a call that may be repeated an unknown outcome is no worry."""
    if not timely:
        return DeadlineExceededError("the service did not answer in time")
    return error if isinstance(error, TransientError) else TransientError(str(error))
