"""Statements about transactions, named locks and sessions."""

from dataclasses import dataclass
from typing import ClassVar

from adapters.stores.model.session import Session


@dataclass(frozen=True, slots=True)
class Begin:
    """Open a transaction; one that is open is committed first."""

    kind: ClassVar[str] = "begin"
    target: ClassVar[str] = ""

    async def run(self, session: Session) -> None:
        """Open it."""
        session.begin()


@dataclass(frozen=True, slots=True)
class Commit:
    """Make the transaction's writes visible and durable, all at once."""

    kind: ClassVar[str] = "commit"
    target: ClassVar[str] = ""

    async def run(self, session: Session) -> None:
        """Commit; without a transaction nothing happens."""
        session.commit()


@dataclass(frozen=True, slots=True)
class Rollback:
    """Undo the transaction."""

    kind: ClassVar[str] = "rollback"
    target: ClassVar[str] = ""

    async def run(self, session: Session) -> None:
        """Roll back; without a transaction nothing happens."""
        session.roll_back()


@dataclass(frozen=True, slots=True)
class GetLock:
    """GET_LOCK(name, timeout): a lock that lives as long as the session."""

    kind: ClassVar[str] = "get_lock"
    target: str
    timeout_s: float

    async def run(self, session: Session) -> bool:
        """Return whether the lock is held now."""
        return await session.engine.named_locks.acquire(session, self.target, self.timeout_s)


@dataclass(frozen=True, slots=True)
class ReleaseLock:
    """RELEASE_LOCK(name)."""

    kind: ClassVar[str] = "release_lock"
    target: str

    async def run(self, session: Session) -> bool:
        """Return whether the session held it."""
        return session.engine.named_locks.release(session, self.target)


@dataclass(frozen=True, slots=True)
class UsedLock:
    """IS_USED_LOCK(name)."""

    kind: ClassVar[str] = "used_lock"
    target: str

    async def run(self, session: Session) -> int | None:
        """Return the number of the session that holds it."""
        holder = session.engine.named_locks.holder(self.target)
        return None if holder is None else holder.number


@dataclass(frozen=True, slots=True)
class KillHolder:
    """KILL IS_USED_LOCK(name)."""

    kind: ClassVar[str] = "kill_holder"
    target: str

    async def run(self, session: Session) -> bool:
        """Return whether there was a holder; the victim may need a while to notice."""
        holder = session.engine.named_locks.holder(self.target)
        if holder is not None:
            holder.end_after(session.engine.kill_lag_s())
        return holder is not None


@dataclass(frozen=True, slots=True)
class Kill:
    """KILL number: whoever has that number now, after a restart perhaps a stranger."""

    kind: ClassVar[str] = "kill"
    target: ClassVar[str] = ""
    number: int

    async def run(self, session: Session) -> bool:
        """Return whether there is such a session; it may need a while to notice."""
        victim = session.engine.sessions.get(self.number)
        if victim is not None:
            victim.end_after(session.engine.kill_lag_s())
        return victim is not None
