"""One page of a list: plain items, newest first, and where the next page begins."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Page:
    """
    Items in the plain form of the public contract; `next` is None on the last page.

    `degraded` names the stores that were to answer and could not.
    """

    items: list[dict[str, object]]
    next: tuple[int, str] | None
    degraded: tuple[str, ...] = ()


def page_of(
    rows: Sequence[Row],
    limit: int,
    place: Callable[[Row], tuple[int, str]],
    show: Callable[[Row], dict[str, object]],
) -> Page:
    """Return a page from up to `limit` + 1 rows: the extra one says that there is a next page."""
    shown = rows[:limit]
    more = len(rows) > limit
    return Page([show(row) for row in shown], place(shown[-1]) if more else None)
