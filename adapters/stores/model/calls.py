"""How a call to a stream or a projection store travels: late, twice lost, or as it should."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from adapters.stores.model.errors import ThrottledError, UnavailableError
from adapters.stores.model.hooks import Call, FateKind, Hooks

T = TypeVar("T")


async def travel(hooks: Hooks, call: Call, apply: Callable[[], T]) -> T:
    """
    Carry a call to the store, apply it there at one instant, and bring its answer back.

    Raises:
        UnavailableError: it was never applied, was applied without an answer, or will be later.
        ThrottledError: it was refused.
    """
    try:
        fate = await hooks.before(call)
    except BaseException:
        _apply_anyway(hooks, call, apply)
        raise
    if fate.kind is FateKind.RUN:
        answer = apply()
        await hooks.after(call)
        return answer
    if fate.kind is FateKind.REFUSED:
        raise ThrottledError(f"{call.kind} {call.target}")
    if fate.kind is FateKind.LANDED:
        apply()
    elif fate.kind is FateKind.LATE:
        asyncio.get_running_loop().call_later(fate.after_s, apply)
    raise UnavailableError(f"{call.kind} {call.target}")


def _apply_anyway(hooks: Hooks, call: Call, apply: Callable[[], T]) -> None:
    fate = hooks.abandoned(call)
    if fate.kind in (FateKind.LANDED, FateKind.LATE):
        asyncio.get_running_loop().call_later(fate.after_s, apply)
