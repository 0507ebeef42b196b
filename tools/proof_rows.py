"""What `make prove` runs at full counts: one row per promise."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

Measured = Mapping[str, str | int | float | bool | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """
    One promise and the program that tries to break it.

    `run` gets a seed and returns what it counted and measured; it raises when the promise does
    not hold. The same seed must repeat the same history.
    """

    name: str
    promise: str
    run: Callable[[int], Measured]


ROWS: Final[tuple[Row, ...]] = ()
