"""Answers that a healthy Cassandra does not give, put in the place of those that it gave."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from cassandra import (
    OperationTimedOut,
    ReadTimeout,
    Unauthorized,
    Unavailable,
    WriteTimeout,
    WriteType,
)
from cassandra.protocol import OverloadedErrorMessage, ServerError

from adapters.stores.keyspaces.storage import KeyspacesStorage

Error = Callable[[], Exception]

SIMPLE: Final[Error] = lambda: WriteTimeout("time", write_type=WriteType.SIMPLE)  # noqa: E731
CAS: Final[Error] = lambda: WriteTimeout("time", write_type=WriteType.CAS)  # noqa: E731
READ: Final[Error] = lambda: ReadTimeout("time")  # noqa: E731
FEW: Final[Error] = lambda: Unavailable("few", required_replicas=2, alive_replicas=1)  # noqa: E731
FULL: Final[Error] = lambda: OverloadedErrorMessage(0x1001, "full", None)  # noqa: E731
BROKEN: Final[Error] = lambda: ServerError(0x0000, "broken", None)  # noqa: E731
SILENT: Final[Error] = lambda: OperationTimedOut({}, None)  # noqa: E731
DENIED: Final = Unauthorized("User x has no SELECT permission")


@dataclass(frozen=True, slots=True)
class Lie:
    """What to answer instead, and whether the statement has its effect all the same."""

    error: Error
    effect: bool


@dataclass(slots=True)
class Lying:
    """A session of the driver that lies as long as there are lies; None is an honest answer."""

    session: Any
    lies: list[Lie | None]
    sent: list[Any] = field(default_factory=list)

    def execute_async(self, statement: Any, **how: Any) -> Any:
        self.sent.append(statement)
        lie = self.lies.pop(0) if self.lies else None
        if lie is None:
            return self.session.execute_async(statement, **how)
        if lie.effect:
            self.session.execute_async(statement, **how).result()
        return Failed(lie.error())


@dataclass(frozen=True, slots=True)
class Failed:
    """A response that is an error already."""

    error: Exception

    def add_callbacks(
        self,
        callback: object,
        errback: Callable[..., None],
        callback_args: object,
        callback_kwargs: object,
        errback_args: Sequence[Any],
    ) -> None:
        errback(self.error, *errback_args)


@contextmanager
def lying(store: KeyspacesStorage, *lies: Lie | None) -> Iterator[Lying]:
    """Let a store that is open hear lies."""
    sessions = store._link._sessions
    assert sessions is not None
    honest = sessions.next
    liar = Lying(honest(), list(lies))
    sessions.next = lambda: liar
    try:
        yield liar
    finally:
        sessions.next = honest
