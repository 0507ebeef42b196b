"""Time, identity, chance, keys and monitoring of a simulated process."""

import asyncio
import base64
import hashlib
import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Final

from adapters.stores.model.calls import travel
from adapters.stores.model.errors import ModelStoreError
from adapters.stores.model.hooks import Call, Hooks
from domain.errors import PermanentError, TransientError
from domain.identifiers import uuid7
from domain.ports.time import Deadline

START: Final = datetime(2026, 6, 10, 12, tzinfo=UTC)
MOMENT: Final = timedelta(microseconds=100)
#: What tells the ids of two draws of one instant apart; the rest of the 74 bits is chance.
COUNTER_BITS: Final = 42
CHANCE_BITS: Final = 32


class VirtualClock:
    """
    The time of the running loop, for all processes of a history.

    Virtual time stands still while work is done, so that two processes would often decide in one
    microsecond; here each look at the clock takes a moment of its own.
    """

    def __init__(self) -> None:
        self._last = START

    def now(self) -> datetime:
        virtual = START + timedelta(seconds=asyncio.get_running_loop().time())
        self._last = max(virtual, self._last + MOMENT)
        return self._last

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()


class SeededIds:
    """UUIDv7s as `adapters.system.SystemIds` makes them, from a seed."""

    def __init__(self, chance: random.Random) -> None:
        self._chance: Final = chance
        self._counter = chance.getrandbits(COUNTER_BITS - 1)

    def uuid7(self, at: datetime) -> str:
        self._counter += 1
        return uuid7(at, self._counter << CHANCE_BITS | self._chance.getrandbits(CHANCE_BITS))


class SeededChance:
    """Chance from a seed."""

    def __init__(self, chance: random.Random) -> None:
        self._chance: Final = chance

    def token(self, size: int) -> bytes:
        return self._chance.randbytes(size)

    def uniform(self) -> float:
        return self._chance.random()


class Tally:
    """Monitoring that counts, for whoever asks what a campaign reached."""

    def __init__(self) -> None:
        self.counts: Final[Counter[str]] = Counter()

    def count(self, name: str, amount: int = 1, **labels: str) -> None:
        self.counts["/".join((name, *labels.values()))] += amount

    def observe(self, name: str, value: float, **labels: str) -> None:
        """Keep no observations."""

    def gauge(self, name: str, value: float, **labels: str) -> None:
        """Keep no levels."""

    def event(self, name: str, *, level: str = "info", **fields: str | float | bool) -> None:
        self.counts[f"event/{name}"] += 1


class ModelVault:
    """A key vault in which sealing is deterministic and readable: nothing here is secret."""

    def __init__(self, hooks: Hooks) -> None:
        self._hooks: Final = hooks

    async def seal(self, person_id: str, field: str, text: str, deadline: Deadline) -> str:
        sealed = sealed_text(f"{person_id}/{field}/{text}")
        try:
            return await travel(self._hooks, Call("seal", "vault"), lambda: sealed)
        except ModelStoreError as error:
            raise TransientError("the vault did not answer") from error

    async def open(self, person_id: str, field: str, sealed: str, deadline: Deadline) -> str:
        raise PermanentError("nothing is opened here")

    async def destroy(self, person_id: str, deadline: Deadline) -> None:
        raise PermanentError("nothing is destroyed here")

    async def person_index(self, cpf_digits: str, deadline: Deadline) -> str:
        return index_of(cpf_digits)

    def blind_index(self, cpf_digits: str) -> str:
        return index_of(cpf_digits)


def sealed_text(text: str) -> str:
    """Return text in the shape that the vault's ciphertext has."""
    return "siv1." + base64.b64encode(f"sealed in the simulation: {text}".encode()).decode()


def index_of(cpf_digits: str) -> str:
    """Return a blind index, `<key version>:<hex>`."""
    return "1:" + hashlib.sha256(cpf_digits.encode()).hexdigest()
