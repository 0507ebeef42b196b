"""
A seeded source of trouble at named points of a program.

Each point yields to other tasks, lets virtual time pass, and may crash the process that runs it or
raise a transient error. Points, and what happened at them, are counted: a campaign must show that
it reached what it claims to test.
"""

import asyncio
import random
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from tests.simulation.kernel.process import (
    Crash,
    Life,
    Process,
    ProcessDead,
    ProcessDownError,
    check_alive,
    current_life,
)

__all__ = [
    "CALM",
    "Crash",
    "Faults",
    "Life",
    "Process",
    "ProcessDead",
    "ProcessDownError",
    "Rates",
    "TransientFaultError",
    "check_alive",
    "current_life",
]

TRACE_LENGTH: Final = 200


class TransientFaultError(Exception):
    """An injected failure that goes away when the call is repeated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """
    How often what happens at a point: chances between 0 and 1, limits of time in virtual seconds.

    Of a call to a store, transient means that it is refused. The last five are about stores only:
    the call is lost on the way, its reply is lost, it lands after the caller saw the connection
    drop, or the dead connection lives on at the server.
    """

    yields_max: int = 2
    delay: float = 0.0
    delay_s_max: float = 0.01
    crash: float = 0.0
    transient: float = 0.0
    lost: float = 0.0
    landed: float = 0.0
    late: float = 0.0
    half_open: float = 0.0
    late_s_max: float = 0.1
    #: The chance that a call to a store meets any of the five.
    of_a_fault: float = field(init=False)

    def __post_init__(self) -> None:
        chances = self.transient, self.lost, self.landed, self.late, self.half_open
        object.__setattr__(self, "of_a_fault", sum(chances))


#: Interleaving, but no fault.
CALM: Final = Rates()


class Faults:
    """
    Chance for a whole simulation, drawn from one seed.

    rates hold everywhere, except at points whose name begins with a key of `overrides`: there the
    rates of the longest such key hold.
    """

    def __init__(
        self, seed: int, rates: Rates = CALM, overrides: Mapping[str, Rates] | None = None
    ) -> None:
        self.counts: Final[Counter[str]] = Counter()
        self.trace: Final[deque[tuple[float, str, str]]] = deque(maxlen=TRACE_LENGTH)
        self._chance: Final = random.Random(seed)
        self.chance: Final = self._chance.random
        self._rates = rates
        self._overrides = dict(overrides or {})
        self._found: Final[dict[str, Rates]] = {}

    async def point(self, name: str) -> None:
        """
        Pass a named point: others may run, time may pass, and here a fault may strike.

        Raises:
            ProcessDead, Crash: as in `pass_by`.
            TransientFaultError: the call should be repeated.
        """
        await self.pass_by(name)
        if self.happens(self.rates_at(name).transient):
            self.note(name, "transient")
            raise TransientFaultError(name)

    async def pass_by(self, name: str) -> None:
        """
        Pass a named point at which no transient error strikes.

        Raises:
            ProcessDead: the caller's process was killed before or meanwhile.
            Crash: the caller's process is killed by this very point; code outside every
                process is spared.
        """
        check_alive()
        self.counts[name] += 1
        rates = self.rates_at(name)
        for _ in range(int(self._chance.random() * (rates.yields_max + 1))):
            await asyncio.sleep(0)
        if rates.delay and self.happens(rates.delay):
            await asyncio.sleep(self.seconds(rates.delay_s_max))
        check_alive()
        self._crash(name, rates)

    def rates_at(self, name: str) -> Rates:
        """Return the rates that hold at a point."""
        found = self._found.get(name)
        if found is None:
            keys = [key for key in self._overrides if name.startswith(key)]
            found = self._overrides[max(keys, key=len)] if keys else self._rates
            self._found[name] = found
        return found

    def happens(self, chance: float) -> bool:
        """Draw: return True with this chance."""
        return chance > 0 and self._chance.random() < chance

    def seconds(self, most: float) -> float:
        """Draw a span of virtual time up to `most`."""
        return self._chance.random() * most

    def integer(self, below: int) -> int:
        """Draw a number from 0 up to, but not including, `below`."""
        return int(self._chance.random() * below)

    def note(self, name: str, what: str) -> None:
        """Count what happened at a point and keep it for the report of a failure."""
        self.counts[f"{name}!{what}"] += 1
        self.trace.append((asyncio.get_running_loop().time(), name, what))

    def override(self, prefix: str, rates: Rates) -> None:
        """Set the rates of all points whose name begins so, from now on."""
        self._overrides[prefix] = rates
        self._found.clear()

    def heal(self) -> None:
        """End all faults: from here on the system must recover."""
        self._rates = CALM
        self._overrides.clear()
        self._found.clear()

    def report(self) -> str:
        """Return the latest faults, one a line, for the message of a failed test."""
        return "\n".join(f"{at:12.6f} {name} {what}" for at, name, what in self.trace)

    def _crash(self, name: str, rates: Rates) -> None:
        life = current_life()
        if life is not None and self.happens(rates.crash):
            self.note(name, "crash")
            life.kill()
            raise Crash(name)
