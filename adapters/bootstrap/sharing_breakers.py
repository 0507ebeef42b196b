"""Breakers that hear of those of other processes, where the settings say so; in the background."""

import asyncio
from collections.abc import Mapping

from adapters.bootstrap.projection_servers import breaker_board
from adapters.bootstrap.stores import Stores
from adapters.resilience.board import BreakerNews
from adapters.resilience.breaker import Breaker
from adapters.settings import ServicesSettings, ServingSettings
from domain.ports.breakers import BreakerBoard
from domain.ports.monitoring import Monitoring


def share_breakers(
    stores: Stores,
    settings: ServingSettings,
    breakers: Mapping[str, Breaker],
    monitoring: Monitoring,
) -> None:
    """
    Begin to exchange news; it ends with the stores, and before them.

    Raises:
        PermanentError: a setting names nothing; the sentence says which.
    """
    if isinstance(settings, ServicesSettings) and settings.shared_breakers == "yes":
        board = breaker_board(settings, stores.clock, monitoring)
        stores.opened.push_async_callback(board.close)
        exchanging(stores, board, breakers, monitoring)


def exchanging(
    stores: Stores,
    board: BreakerBoard,
    breakers: Mapping[str, Breaker],
    monitoring: Monitoring,
) -> None:
    """Exchange news over a board until the stores are closed."""
    chance = stores.chance

    async def sleep(seconds: float) -> None:
        # Processes that start together do not ask together.
        await asyncio.sleep(seconds * (0.5 + chance.uniform()))

    # A name that is new with every start: rows of a process that is gone expire by themselves.
    process = stores.ids.uuid7(stores.clock.now())
    news = BreakerNews(board, [*breakers.values()], process, stores.clock, monitoring, sleep)
    task = asyncio.create_task(news.run(), name="breaker news")

    async def stop() -> None:
        task.cancel()
        await asyncio.wait([task])

    stores.opened.push_async_callback(stop)
