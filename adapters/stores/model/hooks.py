"""How a test reaches into the model stores: what happens before, during and after each call."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Final, Protocol


class FateKind(Enum):
    """What becomes of a call."""

    RUN = "it is executed and answered"
    LOST = "it never arrives; the connection is gone and the server knows"
    LANDED = "it is executed, its answer is lost"
    LATE = "the caller sees the connection drop now, the server executes it later"
    REFUSED = "it is refused, nothing happens, the connection stays"
    HALF_OPEN = "it never arrives, and the server keeps the dead session for a while"


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of a call, and after how many virtual seconds (LATE, HALF_OPEN)."""

    kind: FateKind
    after_s: float = 0.0


RUN: Final = Fate(FateKind.RUN)
LOST: Final = Fate(FateKind.LOST)
LANDED: Final = Fate(FateKind.LANDED)
REFUSED: Final = Fate(FateKind.REFUSED)


class Operation(Protocol):
    """A call on its way to a store: a statement, a put, a read."""

    @property
    def kind(self) -> str:
        """Return the verb: "select", "commit", "put" and so on."""

    @property
    def target(self) -> str:
        """Return the table, lock or store it is about, "" when there is none."""


@dataclass(frozen=True, slots=True)
class Call:
    """An operation that has no more to it than its names."""

    kind: str
    target: str


class Hooks(Protocol):
    """
    The seams of every model store.

    Whatever `before` or `after` raises reaches the caller, and the connection is then gone.
    """

    def opened(self, abort: Callable[[float], None]) -> None:
        """
        Hear of a new connection.

        `abort(after_s)` drops it when its process dies; the server notices that much later.
        """

    async def before(self, operation: Operation) -> Fate:
        """Hold the call up for as long as you like, then choose what becomes of it."""

    async def pause(self, operation: Operation) -> None:
        """Hold the server up between two rows of a statement that locks."""

    async def after(self, operation: Operation) -> None:
        """Hold the answer up."""

    def abandoned(self, operation: Operation) -> Fate:
        """
        Choose what becomes of a call whose caller was cancelled before the answer.

        When the server had begun already, only `after_s` counts: how long the session lives on.
        """


class NoFaults:
    """Hooks that do nothing; a cancelled call never arrived."""

    def opened(self, abort: Callable[[float], None]) -> None:
        """Ignore it."""

    async def before(self, operation: Operation) -> Fate:
        """Let it run."""
        del operation
        return RUN

    async def pause(self, operation: Operation) -> None:
        """Go on at once."""

    async def after(self, operation: Operation) -> None:
        """Answer at once."""

    def abandoned(self, operation: Operation) -> Fate:
        """Say that it was lost."""
        del operation
        return LOST


NO_FAULTS: Final = NoFaults()
