"""Opening and releasing loss windows, step by step: once a key, one at a time."""

import asyncio
from collections.abc import Coroutine
from dataclasses import replace
from typing import Any

import pytest

from decision_engine.archive import InsertKey, ReadKey, StoredKey
from decision_engine.loss_statements import (
    CountWaiting,
    InsertAudit,
    InsertWindow,
    ListWindows,
    ReleaseWindow,
    StoredWindow,
)
from decision_engine.loss_window import (
    LossWindows,
    OpenWindowCommand,
    ReleaseWindowCommand,
    WindowQuery,
)
from domain.errors import ConflictError, InvalidInputError, NotFoundError
from domain.ports.truth import Commit, DuplicateKeyError, Rollback, Statement
from tests.unit.decide.world import World

KEPT = StoredKey("ana|loss-window", "k-1", "h", 201, b"kept", 1)
OPEN = StoredWindow("w-1", 5, "ana", "lost", "RESTORE")


class Scripted:
    """Implements `Truth`: rows by the statement's class, an error where the test says."""

    def __init__(self, rows: dict[str, list[list[Any]]], fault: str = "") -> None:
        self.rows = rows
        self.fault = fault
        self.log: list[Statement] = []

    async def transact(self, program: Any, _deadline: Any) -> Any:
        running = program()
        trip = next(running)
        try:
            while True:
                if self.fault and self.fault in {type(s).__name__ for s in trip}:
                    self.fault = ""
                    trip = running.throw(DuplicateKeyError("PRIMARY"))
                else:
                    trip = running.send([self._answer(s) for s in trip])
        except StopIteration as end:
            return end.value

    async def read(self, statements: Any, _deadline: Any) -> list[list[Any]]:
        return [self._answer(statement) for statement in statements]

    def _answer(self, statement: Statement) -> list[Any]:
        self.log.append(statement)
        queued = self.rows.get(type(statement).__name__, [])
        return queued.pop(0) if len(queued) > 1 else (queued[0] if queued else [])

    def said(self, kind: type) -> list[Any]:
        return [statement for statement in self.log if isinstance(statement, kind)]


def run(work: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(work)


def windows(truth: Scripted) -> LossWindows:
    world = World()
    return LossWindows(truth, world.losses, world.clock, world.ids)


def opening(command_hash: str = "h") -> OpenWindowCommand:
    return OpenWindowCommand(
        client_id="ana", idem_key="k-1", command_hash=command_hash, cause="RESTORE",
        reason="lost", deadline=World().deadline(),
    )  # fmt: skip


def releasing() -> ReleaseWindowCommand:
    return ReleaseWindowCommand(
        window_id="w-1", client_id="rui", idem_key="k-1", command_hash="h", note="settled",
        deadline=World().deadline(),
    )  # fmt: skip


def test_the_window_its_audit_line_and_the_key_are_one_transaction() -> None:
    truth = Scripted({"CountWindows": [[4]]})

    made = run(windows(truth).open(opening()))

    assert (made.status, made.replayed) == (201, False)
    kinds = [type(statement) for statement in truth.log[-5:]]
    assert kinds == [InsertKey, InsertWindow, InsertAudit, InsertKey, Commit]
    (audit,) = (statement.row for statement in truth.said(InsertAudit))
    assert (audit.actor, audit.action, audit.detail) == (
        "ana", "loss-window.open", '{"cause":"RESTORE"}',
    )  # fmt: skip


def test_of_two_that_open_at_once_the_second_finds_its_turn_taken() -> None:
    truth = Scripted({"CountWindows": [[4]]}, fault="InsertWindow")

    with pytest.raises(ConflictError) as caught:
        run(windows(truth).open(opening()))

    assert caught.value.code == "loss-window-open"
    assert [type(statement) for statement in truth.log[-2:]] == [Rollback, ReadKey]


def test_a_request_that_was_sent_twice_at_once_gets_what_the_first_got() -> None:
    rows: dict[str, list[list[Any]]] = {"CountWindows": [[4]], "ReadKey": [[], [KEPT]]}
    truth = Scripted(rows, fault="InsertWindow")

    made = run(windows(truth).open(opening()))

    assert (made.body, made.replayed) == (b"kept", True)


def test_a_known_key_changes_nothing() -> None:
    truth = Scripted({"ReadKey": [[KEPT]], "CountWindows": [[1]], "ReadOpenWindows": [[OPEN]]})

    made = run(windows(truth).open(opening()))

    assert (made.body, made.replayed) == (b"kept", True)
    assert truth.said(InsertWindow) == truth.said(InsertAudit) == []


def test_a_key_of_another_command_is_refused() -> None:
    truth = Scripted({"ReadKey": [[KEPT]], "CountWindows": [[1]]})

    with pytest.raises(InvalidInputError) as caught:
        run(windows(truth).open(opening("other")))

    assert caught.value.code == "idempotency-key-reused"


def test_who_opens_a_window_makes_its_own_process_look_at_once() -> None:
    truth = Scripted({"CountWindows": [[0]]})
    desk = windows(truth)
    desk.check.truth = Scripted({"ReadOpenWindows": [[OPEN]]})
    before = run(desk.check.look("c-1", "p", World().deadline()))

    run(desk.open(opening()))

    assert before is None
    assert run(desk.check.look("c-1", "p", World().deadline())) is not None


def test_releasing_counts_who_waits_in_the_same_transaction() -> None:
    rows: dict[str, list[list[Any]]] = {
        "ReadWindow": [[OPEN]],
        "ReleaseWindow": [["w-1"]],
        "CountWaiting": [[3]],
    }
    truth = Scripted(rows)

    made = run(windows(truth).release(releasing()))

    assert b'"persons_waiting":3' in made.body
    assert truth.said(CountWaiting) == [CountWaiting(5)]
    (audit,) = (statement.row for statement in truth.said(InsertAudit))
    assert (audit.actor, audit.subject, audit.detail) == ("rui", "w-1", '{"persons_waiting":3}')
    assert isinstance(truth.log[-1], Commit)


@pytest.mark.parametrize(("rows", "code"), [([], "not-found"), ([OPEN], "loss-window-released")])
def test_what_is_not_open_is_not_released(rows: list[StoredWindow], code: str) -> None:
    truth = Scripted({"ReadWindow": [rows], "ReleaseWindow": [[]], "CountWaiting": [[0]]})

    with pytest.raises((NotFoundError, ConflictError)) as caught:
        run(windows(truth).release(releasing()))

    assert caught.value.code == code
    assert truth.said(InsertAudit) == []
    assert isinstance(truth.log[-1], Rollback)


def test_a_release_that_is_sent_again_gets_the_kept_reply() -> None:
    truth = Scripted({"ReadKey": [[KEPT]], "ReadWindow": [[OPEN]]})

    made = run(windows(truth).release(releasing()))

    assert (made.body, made.replayed) == (b"kept", True)
    assert truth.said(ReleaseWindow) == []


def test_a_release_whose_key_is_just_being_used_is_not_made_twice() -> None:
    rows: dict[str, list[list[Any]]] = {
        "ReadWindow": [[OPEN]],
        "ReleaseWindow": [["w-1"]],
        "CountWaiting": [[3]],
    }
    truth = Scripted(rows, fault="InsertKey")

    with pytest.raises(ConflictError) as caught:
        run(windows(truth).release(releasing()))

    assert caught.value.code == "request-in-progress"
    assert isinstance(truth.log[-1], Rollback)


def test_windows_are_shown_open_or_released_a_page_at_a_time() -> None:
    over = replace(OPEN, released_us=7_000_000, released_by="rui", note="settled")
    truth = Scripted({"ListWindows": [[OPEN, over]]})

    page = run(windows(truth).page(WindowQuery(limit=1, before=None, deadline=World().deadline())))
    full = run(windows(truth).page(WindowQuery(limit=2, before=None, deadline=World().deadline())))

    assert (len(page.items), page.next, full.next) == (1, (5, "w-1"), None)
    assert [item["state"] for item in full.items] == ["OPEN", "RELEASED"]
    assert full.items[1]["released_at"] == "1970-01-01T00:00:07.000Z"
    assert "note" not in full.items[0]
    assert truth.said(ListWindows)[0] == ListWindows(2, None)


def test_opening_while_one_is_open_is_refused() -> None:
    truth = Scripted({"CountWindows": [[1]], "ReadOpenWindows": [[OPEN]]})

    with pytest.raises(ConflictError) as caught:
        run(windows(truth).open(opening()))

    assert caught.value.code == "loss-window-open"
    assert truth.said(InsertWindow) == truth.said(InsertAudit) == []
    assert isinstance(truth.log[-1], Rollback)
