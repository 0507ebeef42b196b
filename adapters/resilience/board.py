"""
What the breakers of several processes tell each other: advice, never an order.

Each process keeps its own breakers, so that none has to ask the network whether it may ask the
network. Now and then they publish their states on a board and read what others found: while others
leave a store alone, a process needs one failure of its own, not five, to do the same. A board that
is away, or says what cannot be read, changes nothing.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from adapters.resilience.breaker import Breaker
from domain.errors import CreditError
from domain.ports.breakers import ROWS_MAX, BreakerBoard, BreakerRow, BreakerState
from domain.ports.monitoring import Monitoring
from domain.ports.time import Clock, Deadline

EVERY_S: Final = 5.0
CALL_S: Final = 1.0
#: What was published longer ago than this is no news: its process may be gone. Nor is what comes
#: from as far ahead: it would be believed for as long as it lies there.
NEWS_S: Final = 60.0


@dataclass(slots=True)
class LocalBoard:
    """Implements `BreakerBoard` for the breakers of one process: its loops have some each."""

    rows: dict[str, BreakerRow] = field(default_factory=dict)

    async def publish(self, rows: Sequence[BreakerRow], deadline: Deadline) -> None:
        """See `BreakerBoard.publish`."""
        del deadline
        for row in rows:
            held = self.rows.get(row.service_name)
            if held is None or held.updated <= row.updated:
                self.rows[row.service_name] = row

    async def read(self, deadline: Deadline) -> Sequence[BreakerRow]:
        """See `BreakerBoard.read`."""
        del deadline
        return list(self.rows.values())[:ROWS_MAX]


@dataclass(slots=True)
class BreakerNews:
    """Publishes this process's breakers and heeds those of others."""

    board: BreakerBoard
    breakers: Sequence[Breaker]
    process: str
    clock: Clock
    monitoring: Monitoring
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep
    _published: dict[str, BreakerRow] = field(default_factory=dict, init=False)
    _opened_s: dict[str, tuple[int, int]] = field(default_factory=dict, init=False)

    async def run(self) -> None:
        """Exchange news until cancelled."""
        while True:
            await self.once()
            await self.sleep(EVERY_S)

    async def once(self) -> None:
        """
        Publish what has changed or grows old, and heed what others say.

        With the board away, whatever the reason, breakers follow what this process has seen.
        """
        others: Sequence[BreakerRow]
        try:
            await self._publish()
            others = await self.board.read(Deadline.after(self.clock, CALL_S))
        except CreditError as error:
            others = self._alone(error.code)
        except Exception as error:  # noqa: BLE001 - a fault here must not end the exchange
            others = self._alone(type(error).__name__)
        self._heed(others)

    def _alone(self, code: str) -> Sequence[BreakerRow]:
        self.monitoring.count("breaker_board_failed_total", code=code)
        return ()

    async def _publish(self) -> None:
        rows = [row for row in map(self._row, self.breakers) if self._is_news(row)]
        if rows:
            await self.board.publish(rows, Deadline.after(self.clock, CALL_S))
            self._published.update((row.service_name, row) for row in rows)

    def _row(self, breaker: Breaker) -> BreakerRow:
        view, now_s = breaker.view(), int(self.clock.now().timestamp())
        opened, opened_s = self._opened_s.get(breaker.name, (0, 0))
        if view.opened != opened:
            opened_s = now_s
            self._opened_s[breaker.name] = (view.opened, now_s)
        return BreakerRow(
            service_name=f"{breaker.name}/{self.process}",
            state=view.state,
            failure_count=view.failures,
            success_count=view.successes,
            last_failure_time=opened_s,
            updated=now_s,
        )

    def _is_news(self, row: BreakerRow) -> bool:
        held = self._published.get(row.service_name)
        if held is None or row.updated - held.updated >= NEWS_S / 2:
            return True
        return replace(held, updated=row.updated) != row

    def _heed(self, rows: Iterable[BreakerRow]) -> None:
        now_s = self.clock.now().timestamp()
        open_ = {
            store
            for store, _, process in (row.service_name.partition("/") for row in rows
                if row.state is not BreakerState.CLOSED and abs(now_s - row.updated) <= NEWS_S)
            if process != self.process
        }  # fmt: skip
        for breaker in self.breakers:
            breaker.heed(others_open=breaker.name in open_)
