"""Anchoring in the background: once a minute, and once more when the process ends in order."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

from consistency.waiting import pause
from decision_engine.record.anchors import AnchorKeeper
from domain.errors import CreditError
from domain.ports.monitoring import Monitoring

EVERY_S: Final = 60.0


@dataclass(slots=True)
class Anchoring:
    """Runs the keeper as a task of the platform's loop; what fails there fails nobody else."""

    keeper: AnchorKeeper
    monitoring: Monitoring
    sleep: Callable[[float], Awaitable[None]]
    _stop: asyncio.Event = field(default_factory=asyncio.Event, init=False)
    _task: "asyncio.Task[None] | None" = field(default=None, init=False)

    def start(self) -> None:
        """Begin to anchor."""
        self._task = asyncio.create_task(self._run(), name="anchoring")

    async def stop(self) -> None:
        """Anchor what was written last, and stop."""
        self._stop.set()
        if self._task is not None:
            await self._task

    async def _run(self) -> None:
        while not self._stop.is_set():
            await self._once()
            await pause(self.sleep, EVERY_S, self._stop)
        await self._once()

    async def _once(self) -> None:
        try:
            await self.keeper.run_once()
        except CreditError as error:
            self._failed(error.code)
        except Exception as error:  # noqa: BLE001 - a fault here must not end the task, nor the stop
            self._failed(type(error).__name__)

    def _failed(self, code: str) -> None:
        self.monitoring.count("anchor_failures", code=code)
        self.monitoring.event("anchoring_failed", level="error", code=code)
