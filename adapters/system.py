"""The machine's own time, identity and chance: the only place that reads them."""

import itertools
import os
import random
import secrets
import time
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Final

from domain.identifiers import uuid7

#: A UUIDv7 has 74 free bits: 42 count the ids of this process, 32 are chance.
COUNTER_BITS: Final = 42
CHANCE_BITS: Final = 32
#: What is fetched at once: the ids and salts of some ten decisions.
ENTROPY_SIZE: Final = 512


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


class _Entropy:
    """
    Unpredictable bytes, each given once, fetched some hundred at a time.

    A call of the operating system a piece lets go of the interpreter each time, and then waits for
    other threads. A forked process fetches its own.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._held = b""
        self._owner = 0

    def take(self, size: int) -> bytes:
        """Return fresh bytes; safe to call from several threads."""
        with self._lock:
            process = os.getpid()
            if len(self._held) < size or self._owner != process:
                self._held, self._owner = os.urandom(max(size, ENTROPY_SIZE)), process
            taken, self._held = self._held[:size], self._held[size:]
            return taken


class SystemIds:
    """UUIDv7s that sort in the order in which this process asked for them, within an instant."""

    def __init__(self) -> None:
        # One counter for every instant: two batches may take turns in the same millisecond. It
        # starts at random in the lower half, so that processes differ and it never overflows.
        self._counter = itertools.count(secrets.randbits(COUNTER_BITS - 1))
        self._entropy = _Entropy()

    def uuid7(self, at: datetime) -> str:
        """Return a fresh UUIDv7 for the instant; safe to call from several threads."""
        chance = int.from_bytes(self._entropy.take(CHANCE_BITS // 8))
        return uuid7(at, next(self._counter) << CHANCE_BITS | chance)


class SystemChance:
    """Secrets from the operating system; `uniform` is for jitter and samples only."""

    def __init__(self) -> None:
        self._entropy = _Entropy()
        self._random = random.Random(secrets.randbits(128))  # noqa: S311 - not for secrets

    def token(self, size: int) -> bytes:
        """Return `size` unpredictable bytes."""
        return self._entropy.take(size)

    def uniform(self) -> float:
        """Return a number in [0, 1)."""
        return self._random.random()
