"""Hooks that do to one kind of call what a test tells them, and nothing to the others."""

import asyncio
from collections.abc import Callable

from adapters.stores.model.hooks import LOST, RUN, Fate, Operation


class Scripted:
    """Give the calls of a kind a fate; hold them up before, during or after."""

    def __init__(
        self,
        kind: str = "",
        fate: Fate = RUN,
        *,
        before_s: float = 0.0,
        pause_s: float = 0.0,
        after_s: float = 0.0,
        abandoned: Fate = LOST,
    ) -> None:
        self.kind = kind
        self.seen: list[tuple[str, str]] = []
        self.aborts: list[Callable[[float], None]] = []
        self._fate = fate
        self._before_s = before_s
        self._pause_s = pause_s
        self._after_s = after_s
        self._abandoned = abandoned

    def opened(self, abort: Callable[[float], None]) -> None:
        self.aborts.append(abort)

    async def before(self, operation: Operation) -> Fate:
        self.seen.append((operation.kind, operation.target))
        if operation.kind != self.kind:
            return RUN
        await asyncio.sleep(self._before_s)
        return self._fate

    async def pause(self, operation: Operation) -> None:
        if operation.kind == self.kind:
            await asyncio.sleep(self._pause_s)

    async def after(self, operation: Operation) -> None:
        if operation.kind == self.kind:
            await asyncio.sleep(self._after_s)

    def abandoned(self, operation: Operation) -> Fate:
        return self._abandoned if operation.kind == self.kind else LOST
