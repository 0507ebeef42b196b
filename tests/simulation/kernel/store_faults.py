"""Hooks for the model stores that draw their faults from a `Faults`."""

from collections.abc import Callable
from typing import Final

from adapters.stores.model.hooks import LANDED, LOST, REFUSED, RUN, Fate, FateKind, Operation
from tests.simulation.kernel.faults import Faults, Rates
from tests.simulation.kernel.process import check_alive, current_life


class StoreFaults:
    """
    Interleaves and breaks the calls to one store.

    Points are named `<store>.<verb>.<target>`, with `.pause` between two rows and `.after` behind
    the call; a crash can strike at each of them. A process that dies takes its connections with it.
    """

    def __init__(self, faults: Faults, store: str) -> None:
        self._faults: Final = faults
        self._store: Final = store

    def opened(self, abort: Callable[[float], None]) -> None:
        """Drop the connection when its process dies."""
        check_alive()
        life = current_life()
        if life is not None:
            life.on_kill(lambda: abort(self._linger()))

    async def before(self, operation: Operation) -> Fate:
        """Pass the point, then draw what becomes of the call."""
        name = self._name(operation)
        await self._faults.pass_by(name)
        return self._noted(name, self._draw(self._faults.rates_at(name)))

    async def pause(self, operation: Operation) -> None:
        """Pass the point between two rows."""
        await self._faults.pass_by(f"{self._name(operation)}.pause")

    async def after(self, operation: Operation) -> None:
        """Pass the point behind the call."""
        await self._faults.pass_by(f"{self._name(operation)}.after")

    def abandoned(self, operation: Operation) -> Fate:
        """Draw what becomes of a call whose caller is gone: it may arrive all the same."""
        name = self._name(operation)
        rates = self._faults.rates_at(name)
        fate = self._draw(rates)
        arrived = fate.kind not in (FateKind.RUN, FateKind.REFUSED)
        return self._noted(f"{name}.abandoned", fate if arrived else LOST)

    def _draw(self, rates: Rates) -> Fate:
        faults = self._faults
        if faults.happens(rates.transient):
            return REFUSED
        if faults.happens(rates.lost):
            return LOST
        if faults.happens(rates.landed):
            return LANDED
        if faults.happens(rates.late):
            return Fate(FateKind.LATE, faults.seconds(rates.late_s_max))
        if faults.happens(rates.half_open):
            return Fate(FateKind.HALF_OPEN, faults.seconds(rates.late_s_max))
        return RUN

    def _linger(self) -> float:
        rates = self._faults.rates_at(self._store)
        alive = self._faults.happens(rates.half_open)
        return self._faults.seconds(rates.late_s_max) if alive else 0.0

    def _noted(self, name: str, fate: Fate) -> Fate:
        if fate.kind is not FateKind.RUN:
            self._faults.note(name, fate.kind.name.lower())
        return fate

    def _name(self, operation: Operation) -> str:
        target = f".{operation.target}" if operation.target else ""
        return f"{self._store}.{operation.kind}{target}"
