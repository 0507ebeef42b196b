"""Waiting for work that goes on when whoever waits for it leaves."""

import asyncio
from math import inf
from typing import Any


async def wait_for_end(work: "asyncio.Future[Any]", seconds: float = inf) -> bool:
    """
    Return whether the work has ended, within so many seconds; nothing happens to it.

    `asyncio.wait`, made for many, costs twice as much, and `asyncio.shield` reports the error of
    work whose waiter has left to the loop, as if it were a fault.
    """
    if work.done():
        return True
    loop = asyncio.get_running_loop()
    either = loop.create_future()

    def wake(*_: object) -> None:
        if not either.done():
            either.set_result(None)

    timer = None if seconds == inf else loop.call_later(seconds, wake)
    work.add_done_callback(wake)
    try:
        await either
    finally:
        work.remove_done_callback(wake)
        if timer is not None:
            timer.cancel()
    return work.done()


def take_note(work: "asyncio.Future[Any]") -> None:
    """Look at how work has ended: an error for which nobody waits any more is no news."""
    if not work.cancelled():
        work.exception()
