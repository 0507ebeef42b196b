"""
The transactional store of truth, driven by programs.

A program is a generator without I/O: it yields trips (statements that travel together) and is sent
their results, or has a `TruthError` thrown in. So one program runs on SQLite, on MySQL and in the
simulation, statement by statement.
"""

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeVar

from domain.errors import AmbiguousError, CreditError, TransientError
from domain.ports.time import Deadline

Statement = Any
Trip = tuple[Statement, ...]
Rows = list[Any]
T = TypeVar("T")
Program = Generator[Trip, list[Rows], T]


@dataclass(frozen=True, slots=True)
class Begin:
    """Open a transaction (READ COMMITTED, or the whole file on SQLite)."""


@dataclass(frozen=True, slots=True)
class Commit:
    """Make everything since Begin durable; its failure leaves the outcome unknown."""


@dataclass(frozen=True, slots=True)
class Rollback:
    """Undo everything since Begin; allowed when nothing is open."""


class TruthError(CreditError):
    """A statement failed; the program decides what follows."""

    code = "truth"


class DuplicateKeyError(TruthError):
    """A unique key is taken; `key` is its name. The transaction is still open."""

    def __init__(self, key: str) -> None:
        super().__init__(f"duplicate key {key}")
        self.key = key


class DeadlockError(TruthError):
    """The server rolled the whole transaction back."""


class LockWaitError(TruthError):
    """A lock was not granted in time; the transaction is still open."""


class LostConnectionError(TruthError):
    """The connection broke; what the last trip did is unknown if it held a Commit."""


class ServerError(TruthError):
    """Any other refusal by the server; the transaction is still open."""


class DataError(ServerError):
    """A value that no column can hold, or none of its text; trying again cannot help."""


#: What passes by itself; the other errors are for the program, or faults of it.
PASSING: Final = (LostConnectionError, DeadlockError, LockWaitError)


def unhandled(error: TruthError, *, committed: bool) -> AmbiguousError | TransientError:
    """
    Return what a caller is told of one of `PASSING` that its program did not handle.

    committed: a Commit of the program was done, or sent and not answered.
    """
    if committed:
        return AmbiguousError("what was committed before the store of truth failed is not known")
    return TransientError(f"nothing was committed: {type(error).__name__}")


class Truth(Protocol):
    """Runs programs, one at a time per connection."""

    async def transact(self, program: Callable[[], Program[T]], deadline: Deadline) -> T:
        """
        Run a program to its end; once begun it is never cancelled half-way.

        Whatever the program leaves open is rolled back. An error that it does not handle reaches
        the caller: `PASSING` ones by what they left behind, all others as they are.

        Raises:
            DeadlineExceededError: it had not begun when the deadline passed; nothing was done.
            TransientError: the connection was lost before a Commit was sent, the server takes no
                writes, or would not grant a lock; nothing was committed.
            AmbiguousError: the connection was lost after a Commit of the program had been sent.
            DuplicateKeyError, ServerError: as the program got them.
        """

    async def read(self, statements: Sequence[Statement], deadline: Deadline) -> list[Rows]:
        """
        Run reading statements outside a transaction, on the writer's committed state.

        Raises:
            TransientError: the store is away, or did not answer before the deadline.
            ServerError: it refuses.
        """
