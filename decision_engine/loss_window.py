"""
Loss windows: opened after a region was lost or the ledger restored, released by an operator.

While one is open, nobody whose latest decisions are missing in the ledger is approved. Who opened
or released it, when and with what stands in the audit log, written in the same transaction.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from decision_engine.archive import InsertKey, ReadKey, StoredKey
from decision_engine.commands import Created
from decision_engine.idempotency import in_progress, require_same_command
from decision_engine.loss_check import LossCheck
from decision_engine.loss_statements import (
    AuditRow,
    CountWaiting,
    CountWindows,
    InsertAudit,
    InsertWindow,
    ListWindows,
    ReadOpenWindows,
    ReadWindow,
    ReleaseWindow,
    StoredWindow,
)
from decision_engine.pages import Page, page_of
from domain.canonical import encode
from domain.errors import ConflictError, NotFoundError
from domain.instants import epoch_micros, from_epoch_micros, instant_millis
from domain.ports.time import Clock, Deadline, Ids
from domain.ports.truth import Begin, Commit, DuplicateKeyError, Program, Rollback, Truth

CREATED = 201
SCOPE = "loss-window"
#: Nobody's scope: it gives out the turns of opening, so that two at once cannot both have one.
TURNS = "|loss-window-turn"

#: The kept reply, and whether it was kept before.
Kept = tuple[StoredKey, bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenWindowCommand:
    """Open a loss window; `cause` is RESTORE, REGION_LOSS or OTHER, `reason` a person's words."""

    client_id: str
    idem_key: str
    command_hash: str
    cause: str
    reason: str
    deadline: Deadline


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseWindowCommand:
    """Release a loss window; `note` says why it is safe to."""

    window_id: str
    client_id: str
    idem_key: str
    command_hash: str
    note: str
    deadline: Deadline


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowQuery:
    """A page of windows, newest first."""

    limit: int
    before: tuple[int, str] | None
    deadline: Deadline


@dataclass(frozen=True, slots=True)
class LossWindows:
    """Opens, lists and releases loss windows; at most one is open."""

    truth: Truth
    check: LossCheck
    clock: Clock
    ids: Ids

    async def page(self, query: WindowQuery) -> Page:
        """Return a page of windows."""
        statement = ListWindows(query.limit + 1, query.before)
        (rows,) = await self.truth.read([statement], query.deadline)
        return page_of(rows, query.limit, lambda row: (row.opened_us, row.window_id), shown)

    async def open(self, command: OpenWindowCommand) -> Created:
        """
        Open a window, once a key.

        Raises:
            ConflictError: `loss-window-open`, one is open already.
            InvalidInputError: the key belongs to another command.
        """
        now = self.clock.now()
        row = StoredWindow(
            window_id=self.ids.uuid7(now),
            opened_us=epoch_micros(now),
            opened_by=command.client_id,
            reason=command.reason,
            cause=command.cause,
        )
        audit = self._audit(command.client_id, "loss-window.open", row.window_id)
        made = await self._once(lambda: _open_program(row, audit, command), command)
        self.check.expect()
        return made

    async def release(self, command: ReleaseWindowCommand) -> Created:
        """
        Release a window, once a key, and say how many persons it still held up.

        Raises:
            NotFoundError: no such window.
            ConflictError: `loss-window-released`, somebody else was first.
            InvalidInputError: the key belongs to another command.
        """
        audit = self._audit(command.client_id, "loss-window.release", command.window_id)
        return await self._once(lambda: _release_program(audit, command), command)

    def _audit(self, actor: str, action: str, subject: str) -> AuditRow:
        now = self.clock.now()
        return AuditRow(self.ids.uuid7(now), epoch_micros(now), actor, action, subject, "")

    async def _once(
        self,
        program: Callable[[], Program[Kept]],
        command: OpenWindowCommand | ReleaseWindowCommand,
    ) -> Created:
        kept, replayed = await self.truth.transact(program, command.deadline)
        require_same_command(kept.command_hash, command.command_hash)
        return Created(kept.status, kept.reply, replayed)


def shown(row: StoredWindow) -> dict[str, object]:
    """Return the public form of a window."""
    form: dict[str, object] = {
        "window_id": row.window_id,
        "state": "RELEASED" if row.released_us else "OPEN",
        "cause": row.cause,
        "reason": row.reason,
        "opened_at": _instant(row.opened_us),
        "opened_by": row.opened_by,
    }
    if row.released_us:
        form["released_at"] = _instant(row.released_us)
        form["released_by"] = row.released_by
        form["note"] = row.note
    return form


def _open_program(row: StoredWindow, audit: AuditRow, command: OpenWindowCommand) -> Program[Kept]:
    scope = _scope(command)
    _, known, opened, (turn,) = yield (
        Begin(),
        ReadKey(scope, command.idem_key),
        ReadOpenWindows(),
        CountWindows(),
    )
    if known:
        yield (Rollback(),)
        return known[0], True
    if opened:
        yield (Rollback(),)
        raise _already_open()
    key = StoredKey(
        scope, command.idem_key, command.command_hash, CREATED, encode(shown(row)), audit.at_us
    )
    # Two that open at once read the same count: the second of them finds its turn taken.
    taken = StoredKey(TURNS, str(turn), row.window_id, CREATED, b"", audit.at_us)
    line = _detailed(audit, {"cause": row.cause})
    try:
        yield (InsertKey(taken), InsertWindow(row), InsertAudit(line), InsertKey(key), Commit())
    except DuplicateKeyError as error:
        yield (Rollback(),)
        (known,) = yield (ReadKey(scope, command.idem_key),)
        if known:
            return known[0], True
        raise _already_open() from error
    return key, False


def _release_program(audit: AuditRow, command: ReleaseWindowCommand) -> Program[Kept]:
    scope = _scope(command)
    _, known, found = yield (
        Begin(),
        ReadKey(scope, command.idem_key),
        ReadWindow(command.window_id),
    )
    if known or not found:
        yield (Rollback(),)
        if known:
            return known[0], True
        raise NotFoundError("no loss window has this id")
    change = ReleaseWindow(command.window_id, audit.at_us, command.client_id, command.note)
    released, (waiting,) = yield (change, CountWaiting(found[0].opened_us))
    if not released:
        yield (Rollback(),)
        raise ConflictError("this loss window is released", code="loss-window-released")
    after = replace(
        found[0], released_us=audit.at_us, released_by=command.client_id, note=command.note
    )
    reply = encode({**shown(after), "persons_waiting": waiting})
    key = StoredKey(scope, command.idem_key, command.command_hash, CREATED, reply, audit.at_us)
    line = _detailed(audit, {"persons_waiting": waiting})
    try:
        yield (InsertAudit(line), InsertKey(key), Commit())
    except DuplicateKeyError as error:
        yield (Rollback(),)
        raise in_progress() from error
    return key, False


def _scope(command: OpenWindowCommand | ReleaseWindowCommand) -> str:
    return f"{command.client_id}|{SCOPE}"


def _detailed(audit: AuditRow, detail: dict[str, object]) -> AuditRow:
    return replace(audit, detail=encode(detail).decode())


def _already_open() -> ConflictError:
    return ConflictError("a loss window is open already", code="loss-window-open")


def _instant(micros: int) -> str:
    return instant_millis(from_epoch_micros(micros))
