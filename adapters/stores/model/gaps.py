"""
Locks on the gaps between index entries, which only inserts of others respect.

At READ COMMITTED, InnoDB takes them in two cases: around an entry of a secondary unique key at
which an insert found or awaits a duplicate, and where an awaited row was rolled back.
"""

from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from adapters.stores.model.table import Key

Owner = TypeVar("Owner")

#: Table, index.
Index = tuple[str, str]


@dataclass(slots=True, eq=False)
class Gap(Generic[Owner]):
    """All values strictly between two entries; None is the end of the index."""

    owner: Owner
    index: Index
    low: Key | None
    high: Key | None

    def contains(self, values: Key) -> bool:
        """Return whether these values would be inserted here."""
        return (self.low is None or self.low < values) and (self.high is None or values < self.high)


class Gaps(Generic[Owner]):
    """The gap locks of one database; they never exclude one another."""

    def __init__(self) -> None:
        self._gaps: Final[dict[Index, list[Gap[Owner]]]] = {}

    def add(self, gap: Gap[Owner]) -> None:
        """Lock a gap."""
        self._gaps.setdefault(gap.index, []).append(gap)

    def drop(self, gap: Gap[Owner]) -> None:
        """Unlock a gap, if it is still locked."""
        gaps = self._gaps.get(gap.index, [])
        if gap in gaps:
            gaps.remove(gap)

    def drop_all(self, owner: Owner) -> bool:
        """Unlock all gaps of an owner; return whether there were any."""
        mine = [gap for gaps in self._gaps.values() for gap in gaps if gap.owner is owner]
        for gap in mine:
            self.drop(gap)
        return bool(mine)

    def blockers(self, owner: Owner, index: Index, values: Key) -> list[Owner]:
        """Return who keeps the owner from inserting these values."""
        gaps = self._gaps.get(index)
        if not gaps:
            return []
        return [gap.owner for gap in gaps if gap.owner is not owner and gap.contains(values)]
