"""The adapters of the store of truth, by name."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from decision_engine.record.statements import ReadKeys
from domain.ports.truth import Program, Rows, Statement, Truth
from tests.contracts.embedded import sqlite_truth
from tests.contracts.model import model_truth
from tests.contracts.opened import NEVER, Factory, HandClock, Opened, Runner
from tests.contracts.rows import committing

T = TypeVar("T")

TRUTHS: Final[dict[str, Factory[Truth]]] = {"model": model_truth, "sqlite": sqlite_truth}
#: Those that reading use cases run on; the model has what deciding, ingesting and relaying needs.
ARCHIVES: Final[dict[str, Factory[Truth]]] = {"sqlite": sqlite_truth}


TEN_KEYS: Final = ReadKeys(tuple(("app", f"k-{number}") for number in range(1, 11)))


def recorded(truth: Truth) -> int:
    """Count the decisions under the first ten keys."""
    (rows,) = asyncio.run(truth.read([TEN_KEYS], NEVER))
    return len(rows)


@dataclass(frozen=True, slots=True)
class Store:
    """A store of truth as a synchronous test talks to it."""

    opened: Opened[Truth]

    @property
    def port(self) -> Truth:
        return self.opened.port

    @property
    def clock(self) -> HandClock:
        return self.opened.clock

    @property
    def run(self) -> Runner:
        return self.opened.run

    def transact(self, program: Callable[[], Program[T]]) -> T:
        return self.run(self.transacting(program))

    def transacting(self, program: Callable[[], Program[T]]) -> Coroutine[Any, Any, T]:
        return self.port.transact(program, NEVER)

    def commit(self, *statements: Statement) -> list[Rows]:
        """Run statements in one transaction and return their results."""
        return self.transact(lambda: committing(*statements))

    def read(self, statement: Statement) -> Rows:
        """Return what one reading statement gives."""
        (rows,) = self.run(self.port.read([statement], NEVER))
        return rows
