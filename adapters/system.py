"""The machine's own time, identity and chance: the only place that reads them."""

import itertools
import os
import random
import secrets
import struct
import time
from datetime import UTC, datetime, timedelta
from typing import Final

from domain.identifiers import uuid7

#: A UUIDv7 has 74 free bits: 42 count the ids of this process, 32 are chance.
COUNTER_BITS: Final = 42
CHANCE_BITS: Final = 32
DRAWN_AT_ONCE: Final = 256


class SystemClock:
    """
    The clock of the machine; `now` is moved by the offset of a data folder.

    The offset lets old data stay fresh: it never touches `monotonic`, which waiting relies on.
    """

    def __init__(self, offset_seconds: float = 0.0) -> None:
        self._offset = timedelta(seconds=offset_seconds)

    def now(self) -> datetime:
        """Return the instant in UTC, moved by the offset."""
        return datetime.now(UTC) + self._offset

    def monotonic(self) -> float:
        """Return the seconds that asyncio and uvloop count their timers in."""
        return time.monotonic()


class SystemIds:
    """UUIDv7s that sort in the order in which this process asked for them, within an instant."""

    def __init__(self) -> None:
        # One counter for every instant: two batches may take turns in the same millisecond. It
        # starts at random in the lower half, so that processes differ and it never overflows.
        self._counter = itertools.count(secrets.randbits(COUNTER_BITS - 1))
        self._drawn: list[int] = []

    def uuid7(self, at: datetime) -> str:
        """Return a fresh UUIDv7 for the instant; safe to call from several threads."""
        return uuid7(at, next(self._counter) << CHANCE_BITS | self._chance())

    def _chance(self) -> int:
        """Return chance that the system was asked for in advance: a call for each costs 2 µs."""
        try:
            return self._drawn.pop()
        except IndexError:
            first, *rest = struct.unpack(f"{DRAWN_AT_ONCE}I", os.urandom(4 * DRAWN_AT_ONCE))
            self._drawn.extend(rest)
            return int(first)


class SystemChance:
    """Secrets from the operating system; `uniform` is for jitter and samples only."""

    def __init__(self) -> None:
        self._random = random.Random(secrets.randbits(128))  # noqa: S311 - not for secrets

    def token(self, size: int) -> bytes:
        """Return `size` unpredictable bytes."""
        return secrets.token_bytes(size)

    def uniform(self) -> float:
        """Return a number in [0, 1)."""
        return self._random.random()
