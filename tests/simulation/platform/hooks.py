"""The hooks of the kernel's `StoreFaults`, with one draw for what it draws by itself each."""

import asyncio
from collections.abc import Callable
from typing import Final

from adapters.stores.model.hooks import RUN, Fate, FateKind, Operation
from tests.simulation.kernel.faults import Faults, Rates
from tests.simulation.kernel.process import Crash, check_alive, current_life
from tests.simulation.kernel.store_faults import StoreFaults

#: How often a call lets others run before it, where nothing else holds it up; half of it behind.
YIELDS: Final = 0.25
#: How often the server of a database dies of a COMMIT that it carried out and did not answer.
DEATHS: Final = 0.1


class StoreHooks(StoreFaults):
    """
    As frequent in its faults as `StoreFaults`, and several times cheaper.

    A history has some six hundred points, so that what a point costs decides how many histories
    there can be.
    """

    def __init__(self, faults: Faults, store: str) -> None:
        super().__init__(faults, store)
        self._names: Final[dict[tuple[str, str], str]] = {}

    async def before(self, operation: Operation) -> Fate:
        name = self._name(operation)
        self._faults.counts[name] += 1
        rates = self._faults.rates_at(name)
        wait = self._passes(name, rates, YIELDS)
        if wait is not None:
            await asyncio.sleep(wait)
            check_alive()
        fate = self._draw(rates)
        if fate is not RUN:
            self._strikes(operation, self._noted(name, fate))
        return fate

    async def pause(self, operation: Operation) -> None:
        await self._pass(operation, YIELDS)

    async def after(self, operation: Operation) -> None:
        await self._pass(operation, YIELDS / 2)

    async def _pass(self, operation: Operation, yields: float) -> None:
        name = self._name(operation)
        wait = self._passes(name, self._faults.rates_at(name), yields)
        if wait is not None:
            await asyncio.sleep(wait)
            check_alive()

    def _passes(self, name: str, rates: Rates, yields: float) -> float | None:
        """Return for how long others may run first, None for not at all; perhaps crash."""
        check_alive()
        drawn = self._faults.chance()
        if drawn < rates.delay:
            return self._faults.seconds(rates.delay_s_max)
        if drawn < rates.delay + yields:
            return 0
        if drawn > 1.0 - rates.crash:
            self._crash(name)
        return None

    def _strikes(self, operation: Operation, fate: Fate) -> None:
        """Do what else a fault means for this store."""

    def _crash(self, name: str) -> None:
        life = current_life()
        if life is not None:
            self._faults.note(name, "crash")
            life.kill()
            raise Crash(name)

    def _draw(self, rates: Rates) -> Fate:
        drawn = self._faults.chance()
        if drawn > rates.of_a_fault:
            return RUN
        for chance, kind in (
            (rates.transient, FateKind.REFUSED),
            (rates.lost, FateKind.LOST),
            (rates.landed, FateKind.LANDED),
            (rates.late, FateKind.LATE),
            (rates.half_open, FateKind.HALF_OPEN),
        ):
            if drawn < chance:
                return Fate(kind, self._faults.seconds(rates.late_s_max))
            drawn -= chance
        return RUN

    def _name(self, operation: Operation) -> str:
        asked = (operation.kind, operation.target)
        name = self._names.get(asked)
        if name is None:
            name = self._names[asked] = super()._name(operation)
        return name


class DatabaseHooks(StoreHooks):
    """Kills the server where it hurts most: between a COMMIT and its answer."""

    def __init__(self, faults: Faults, store: str, dies: Callable[[], None]) -> None:
        super().__init__(faults, store)
        self._dies: Final = dies

    def _strikes(self, operation: Operation, fate: Fate) -> None:
        if (
            operation.kind == "commit"
            and fate.kind is FateKind.LANDED
            and self._faults.happens(DEATHS)
        ):
            asyncio.get_running_loop().call_soon(self._dies)
