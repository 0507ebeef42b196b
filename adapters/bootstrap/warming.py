"""Looking in the background whether the cache was emptied; each process at times of its own."""

import asyncio
from dataclasses import dataclass, field
from typing import Final

from decision_engine.warm import CacheWarmer
from domain.errors import CreditError
from domain.ports.monitoring import Monitoring
from domain.ports.time import Chance

EVERY_S: Final = 15.0


@dataclass(slots=True)
class Warming:
    """Runs the warmer as a task of the platform's loop; what fails there fails nobody else."""

    warmer: CacheWarmer
    chance: Chance
    monitoring: Monitoring
    _task: "asyncio.Task[None] | None" = field(default=None, init=False)

    def start(self) -> None:
        """Begin to look."""
        self._task = asyncio.create_task(self._run(), name="warming")

    async def stop(self) -> None:
        """Stop, also amid a refill: nothing depends on its end."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _run(self) -> None:
        while True:
            # Processes that start together do not look together.
            await self.warmer.sleep(EVERY_S * (0.5 + self.chance.uniform()))
            await self._once()

    async def _once(self) -> None:
        try:
            await self.warmer.run_once()
        except CreditError as error:
            self.monitoring.count("cache_refill_failures_total", code=error.code)
        except Exception as error:  # noqa: BLE001 - a fault here must not end the task
            self.monitoring.count("cache_refill_failures_total", code=type(error).__name__)
