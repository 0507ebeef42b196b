"""A model of a projection store: one guarded row per key, as DynamoDB, Keyspaces or Redis hold."""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Final, Generic, Literal, TypeVar

from adapters.stores.model.calls import travel
from adapters.stores.model.hooks import NO_FAULTS, Call, Hooks

K = TypeVar("K", bound=Hashable)
Verdict = Literal["APPLIED", "SAME", "STALE", "CONFLICT"]


@dataclass(frozen=True, slots=True)
class Stored:
    """What the store holds under a key."""

    version: int
    row: bytes


class VersionedStore(Generic[K]):
    """
    Rows that only a higher version replaces.

    Each call takes effect at one instant between its start and its end, or later when its answer
    was lost; the guard is checked at that instant. Every method but `rows` raises UnavailableError
    when the answer is lost, ThrottledError when it is refused: call again.
    """

    def __init__(self, name: str, hooks: Hooks = NO_FAULTS) -> None:
        self.name: Final = name
        self._hooks: Final = hooks
        self._rows: Final[dict[K, Stored]] = {}

    async def put_if_newer(self, key: K, version: int, row_bytes: bytes) -> Verdict:
        """
        Store the row if its version is higher than the stored one, and say what happened.

        SAME: this very row is there. STALE: a higher version is there. CONFLICT: this version is
        there with other bytes.
        """
        call = Call("put_if_newer", self.name)
        return await travel(self._hooks, call, lambda: self._put(key, Stored(version, row_bytes)))

    async def get(self, key: K) -> Stored | None:
        """Return the stored row."""
        return await travel(self._hooks, Call("get", self.name), lambda: self._rows.get(key))

    async def scan(self) -> list[tuple[K, Stored]]:
        """Return all rows, in the order in which their keys first came."""
        return await travel(self._hooks, Call("scan", self.name), lambda: list(self._rows.items()))

    async def delete(self, key: K) -> None:
        """Remove the row; also an old version may then come back."""
        await travel(self._hooks, Call("delete", self.name), lambda: self._rows.pop(key, None))

    def rows(self) -> dict[K, Stored]:
        """Return a copy of everything, for checkers: no call, no fault."""
        return dict(self._rows)

    def _put(self, key: K, new: Stored) -> Verdict:
        old = self._rows.get(key)
        if old is None or new.version > old.version:
            self._rows[key] = new
            return "APPLIED"
        if new.version < old.version:
            return "STALE"
        return "SAME" if new.row == old.row else "CONFLICT"
