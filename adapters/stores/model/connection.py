"""The client's side of a connection: statements go out, answers come back, or the line drops."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from contextvars import Context
from typing import Any, Final, TypeVar

from adapters.stores.model.control import (
    Begin,
    Commit,
    GetLock,
    Kill,
    KillHolder,
    ReleaseLock,
    Rollback,
    UsedLock,
)
from adapters.stores.model.errors import LostConnectionError, ModelStoreError, ThrottledError
from adapters.stores.model.hooks import Fate, FateKind
from adapters.stores.model.script import Script, perform
from adapters.stores.model.session import Session, Statement
from adapters.stores.model.statements import (
    Changes,
    Delete,
    Insert,
    Select,
    Update,
    Upsert,
    rows_of,
)
from adapters.stores.model.table import Row, Where

T = TypeVar("T")


class Connection:
    """
    One connection to the model database; one statement at a time.

    Every statement raises LostConnectionError when the connection is or gets lost; whether it took
    effect is then unknown, and only a new connection helps. Each can raise ThrottledError. A
    statement whose caller is cancelled loses the connection too, as no driver can tell the late
    answer from the next one.
    """

    def __init__(self, session: Session) -> None:
        self.name: Final = session.name
        self.number: Final = session.number
        self._session: Final = session
        self._hooks: Final = session.engine.hooks
        self._lost = False
        self._busy = False
        self._hooks.opened(self.abort)

    # --- statements

    async def begin(self) -> None:
        """Open a transaction; one that is open is committed first."""
        await self.execute(Begin())

    async def commit(self) -> None:
        """Commit; durable and visible to all when this returns."""
        await self.execute(Commit())

    async def rollback(self) -> None:
        """Undo the open transaction."""
        await self.execute(Rollback())

    async def select(  # noqa: PLR0913 - this is the grammar of SELECT
        self,
        table: str,
        where: Where,
        *,
        and_where: Callable[[Row], bool] | None = None,
        for_update: bool = False,
        skip_locked: bool = False,
        order_by: str | tuple[str, ...] = (),
        limit: int | None = None,
    ) -> list[Row]:
        """
        Return copies of the matching rows, in key order unless told otherwise.

        Raises:
            LockWaitError, DeadlockError: for_update had to wait.
        """
        order = (order_by,) if isinstance(order_by, str) else order_by
        return await self.execute(
            Select(table, where, and_where, for_update, skip_locked, order, limit)
        )

    async def insert(self, table: str, rows: Row | Iterable[Row]) -> int:
        """
        Insert one or several rows, all or none.

        Raises:
            DuplicateKeyError: a row with one of the keys is committed, or was by the time that
                its transaction had been waited for.
            CheckViolationError, LockWaitError, DeadlockError: as the names say.
        """
        return await self.execute(Insert(table, rows_of(rows)))

    async def upsert_if_newer(
        self, table: str, key: Mapping[str, Any], row: Mapping[str, Any], version_column: str
    ) -> int:
        """
        Insert the row, or overwrite the existing one if its version is lower.

        Returns the affected rows as MySQL counts them (1 inserted, 2 updated, 0 or 1 unchanged):
        nothing to decide by; read the row back.
        """
        return await self.execute(Upsert(table, key, row, version_column))

    async def update(
        self,
        table: str,
        where: Where,
        changes: Changes,
        *,
        and_where: Callable[[Row], bool] | None = None,
    ) -> int:
        """Change the latest version of the matching rows; return the affected rows."""
        return await self.execute(Update(table, where, changes, and_where))

    async def delete(
        self, table: str, where: Where, *, and_where: Callable[[Row], bool] | None = None
    ) -> int:
        """Remove the matching rows; return how many."""
        return await self.execute(Delete(table, where, and_where))

    async def get_lock(self, name: str, timeout_s: float = 0.0) -> bool:
        """Take a named lock until the session ends; return False when it stays taken."""
        return await self.execute(GetLock(name, timeout_s))

    async def release_lock(self, name: str) -> bool:
        """Give a named lock back; return whether it was held."""
        return await self.execute(ReleaseLock(name))

    async def used_lock(self, name: str) -> int | None:
        """Return the number of the session that holds a named lock."""
        return await self.execute(UsedLock(name))

    async def kill_holder(self, name: str) -> bool:
        """Kill the session that holds a named lock; it may live on for the kill lag."""
        return await self.execute(KillHolder(name))

    async def kill(self, number: int) -> bool:
        """Kill the session that has this number now."""
        return await self.execute(Kill(number))

    async def script(self, statements: Iterable[Statement[Any]]) -> list[Any]:
        """
        Send several statements in one packet, which arrives whole or not at all.

        They stop at the first error, without COMMIT or ROLLBACK; that error is raised.
        """
        return await self.execute(Script(tuple(statements)))

    # --- the line

    async def execute(self, statement: Statement[T]) -> T:
        """Send one statement and return its answer, through the hooks."""
        if self._busy:
            raise RuntimeError(f"{self.name}: one statement at a time")
        if self._lost:
            raise LostConnectionError(f"{self.name}: the connection is lost")
        self._busy = True
        try:
            return await self._exchange(statement)
        finally:
            self._busy = False

    async def close(self) -> None:
        """Close the connection; the server rolls back what is open."""
        self._lose(0.0)

    def abort(self, after_s: float = 0.0) -> None:
        """Drop the connection without a word; the server notices after some virtual seconds."""
        # A statement under way is cut off by the cancellation of its task, which follows.
        if not self._busy:
            self._lose(after_s)

    async def _exchange(self, statement: Statement[T]) -> T:
        fate = await self._send(statement)
        if fate.kind in (FateKind.RUN, FateKind.LANDED):
            return await self._answer(statement, fate)
        if fate.kind is FateKind.REFUSED:
            raise ThrottledError(f"{self.name}: {statement.kind} refused")
        self._drop(statement, fate)
        raise LostConnectionError(f"{self.name}: lost at {statement.kind}")

    async def _send(self, statement: Statement[T]) -> Fate:
        try:
            return await self._hooks.before(statement)
        except BaseException:
            self._drop(statement, self._hooks.abandoned(statement))
            raise

    async def _answer(self, statement: Statement[T], fate: Fate) -> T:
        try:
            answer = await _attempt(self._session, statement, fate)
            await self._hooks.after(statement)
        except LostConnectionError:
            self._lose(0.0)
            raise
        except BaseException:
            self._lose(self._hooks.abandoned(statement).after_s)
            raise
        if isinstance(answer, ModelStoreError):
            raise answer
        return answer

    def _drop(self, statement: Statement[Any], fate: Fate) -> None:
        self._lost = True
        if fate.kind in (FateKind.LANDED, FateKind.LATE):
            # It belongs to the server: killing the client's process must not stop it.
            landing = _land(self._session, statement, fate.after_s)
            task = asyncio.get_running_loop().create_task(landing, context=Context())
            landings = self._session.engine.landings
            landings[task] = None
            task.add_done_callback(landings.pop)
        else:
            self._session.end_after(fate.after_s)

    def _lose(self, after_s: float) -> None:
        if not self._lost:
            self._lost = True
            self._session.end_after(after_s)


async def _attempt(session: Session, statement: Statement[T], fate: Fate) -> T | ModelStoreError:
    """Return the answer: also an error of the server is one, and can get lost on its way."""
    answer: T | ModelStoreError
    try:
        answer = await perform(session, statement)
    except LostConnectionError:
        raise
    except ModelStoreError as error:
        answer = error
    if fate.kind is FateKind.LANDED:
        raise LostConnectionError(f"{session.name}: lost after {statement.kind}")
    return answer


async def _land(session: Session, statement: Statement[Any], after_s: float) -> None:
    await asyncio.sleep(after_s)
    try:
        await perform(session, statement)
    except ModelStoreError:
        return  # nobody is there to hear of it
    finally:
        session.end()
