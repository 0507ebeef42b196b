"""Several statements in one packet."""

from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

from adapters.stores.model.session import Session, Statement

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Script:
    """Statements that the server executes one after the other, up to the first error."""

    kind: ClassVar[str] = "script"
    target: ClassVar[str] = ""
    statements: tuple[Statement[Any], ...]

    async def run(self, session: Session) -> list[Any]:
        """Return the results of all statements."""
        results = []
        for position, statement in enumerate(self.statements):
            if position:
                await session.pause(self)
            results.append(await session.execute(statement))
        return results


async def perform(session: Session, statement: Statement[T]) -> T:
    """Execute what came in one packet; the statements of a script succeed or fail one by one."""
    if statement.kind == Script.kind:
        return await statement.run(session)
    return await session.execute(statement)
