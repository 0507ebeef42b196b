"""Functions of the host, each written twice: for us in Python, for ZEN as expressions."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """
    One function: its arguments by kind, its outputs, and what it computes.

    `zen` has an expression for each output, with a place for each argument.
    """

    takes: Mapping[str, str]
    kinds: Mapping[str, str]
    run: Callable[[Mapping[str, Any]], Mapping[str, Any]]
    zen: Mapping[str, str]
    words: tuple[str, ...] = ("x", "y")

    @property
    def schema(self) -> dict[str, dict[str, Any]]:
        """The outputs as a function node declares them."""
        return {key: {"type": kind} for key, kind in self.kinds.items()}


def _price(given: Mapping[str, Any]) -> Mapping[str, Any]:
    whole = min(max(given["q"], Decimal(-1000)), Decimal(1000))
    return {"v": whole * 2 + 1, "w": "x" if given["k"] else "y"}


def _limited(given: Mapping[str, Any]) -> Mapping[str, Any]:
    """No answer above 900: what a host that cannot price says."""
    if given["q"] > 900:
        return {"ok": None}
    return {"ok": given["q"] > 9}


HOSTS: Final[Mapping[str, Host]] = {
    "price": Host(
        takes={"q": "number", "k": "boolean"},
        kinds={"v": "number", "w": "string"},
        run=_price,
        zen={"v": "min([max([{q}, -1000]), 1000]) * 2 + 1", "w": '({k}) ? "x" : "y"'},
    ),
    "limited": Host(
        takes={"q": "number"},
        kinds={"ok": "boolean"},
        run=_limited,
        zen={"ok": "({q}) > 900 ? null : ({q}) > 9"},
    ),
}
FUNCTIONS: Final = {name: host.run for name, host in HOSTS.items()}
