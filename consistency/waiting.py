"""Waiting for time or a signal, whichever comes first."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeAlias

#: Set once by who has news, waited for by who would act on it.
Signal: TypeAlias = asyncio.Event


async def pause(
    sleep: Callable[[float], Awaitable[None]], seconds: float, *signals: Signal
) -> None:
    """
    Wait until `sleep(seconds)` is over or one of the signals is set.

    A sleep that fails raises here: swallowed, it would turn the caller's loop into a busy one.
    """
    waits = [asyncio.ensure_future(sleep(seconds))]
    waits += [asyncio.ensure_future(_set(signal)) for signal in signals]
    try:
        done, _ = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for each in done:
            each.result()
    finally:
        for wait in waits:
            wait.cancel()
        await asyncio.gather(*waits, return_exceptions=True)


async def _set(signal: Signal) -> None:
    await signal.wait()
