"""
The transactional store of truth, driven by programs.

A program is a generator without I/O: it yields trips (statements that travel together) and is sent
their results, or has a `TruthError` thrown in. So one program runs on SQLite, on MySQL and in the
simulation, statement by statement.
"""

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from domain.errors import CreditError
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


class Truth(Protocol):
    """Runs programs, one at a time per connection."""

    async def transact(self, program: Callable[[], Program[T]], deadline: Deadline) -> T:
        """
        Run a program to its end; once begun it is never cancelled half-way.

        Whatever the program leaves open is rolled back.

        Raises:
            DeadlineExceededError: it had not begun when the deadline passed; nothing was done.
            TransientError: the store is away.
        """

    async def read(self, statements: Sequence[Statement], deadline: Deadline) -> list[Rows]:
        """Run reading statements outside a transaction, on the writer's committed state."""
