"""What a caller is told when the connection is lost under a program, and when it begins anew."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from adapters.stores.sql.mysql_errors import BrokenError, Refusal
from adapters.stores.sql.mysql_session import SETUP, Ask, Connect, Drop, Session, Wire
from adapters.stores.sql.rendering import Plan, Renderers
from decision_engine.record.statements import Reconnect
from domain.errors import AmbiguousError, CreditError, TransientError
from domain.ports.truth import (
    Begin,
    Commit,
    LostConnectionError,
    Program,
    ServerError,
    Statement,
    Trip,
)


@dataclass(frozen=True, slots=True)
class Say:
    """A statement that the server answers with nothing."""

    text: str


KNOWN: Renderers = {Say: lambda say: Plan(((say.text, ()),), lambda _: [])}
WRITE, READ = Say("WRITE"), Say("READ")
LOST = BrokenError("gone")
READ_ONLY = Refusal(1290, "the server is running with --read-only")
ONE_TRIP: Trip = (Begin(), WRITE, Commit())
PACKET = "BEGIN;WRITE;COMMIT"


@dataclass(slots=True)
class Server:
    """Answers packets, with an error where the script has one; counts what it was asked."""

    script: dict[str, list[Exception | None]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    connects: int = 0

    def run(self, wire: Wire[Any]) -> Any:
        try:
            action = next(wire)
            while True:
                answer = self._answer(action)
                action = wire.throw(answer) if isinstance(answer, Exception) else wire.send(answer)
        except StopIteration as end:
            return end.value

    def _answer(self, action: Connect | Drop | Ask) -> Any:
        if not isinstance(action, Ask):
            self.connects += isinstance(action, Connect)
            return None
        if action.text == SETUP:
            return []
        self.asked.append(action.text)
        told = self.script.get(action.text)
        error = told.pop(0) if told else None
        return error or [[] for _ in action.text.split(";")]


def tripping(*trips: Trip) -> Callable[[], Program[str]]:
    def program() -> Program[str]:
        for trip in trips:  # noqa: UP028 - a tuple takes no results
            yield trip
        return "done"

    return program


def warm(server: Server) -> Session:
    """Return a session that has been connected before."""
    session = Session(KNOWN)
    server.run(session.read([READ]))
    server.asked.clear()
    return session


@pytest.mark.parametrize(
    ("trips", "script", "kind"),
    [
        ([ONE_TRIP], {PACKET: [LOST]}, AmbiguousError),
        ([ONE_TRIP], {PACKET: [Refusal(1927, "")]}, AmbiguousError),
        ([ONE_TRIP], {PACKET: [READ_ONLY] * 2}, TransientError),
        ([ONE_TRIP], {PACKET: [Refusal(1213, "")]}, TransientError),
        ([ONE_TRIP], {PACKET: [Refusal(1205, "")]}, TransientError),
        ([(Begin(), READ), (WRITE, Commit())], {"BEGIN;READ": [LOST] * 2}, TransientError),
        ([(Begin(), READ), (WRITE, Commit())], {"WRITE;COMMIT": [LOST]}, AmbiguousError),
        ([(Begin(), READ), (WRITE,), (Commit(),)], {"WRITE": [LOST]}, TransientError),
        # What was committed before stays, whatever becomes of the rest.
        ([ONE_TRIP, (Begin(), READ)], {"BEGIN;READ": [LOST]}, AmbiguousError),
        ([ONE_TRIP, (Begin(), READ, Commit())], {"BEGIN;READ;COMMIT": [READ_ONLY]}, AmbiguousError),
        # Which of two was refused, an answer does not say.
        ([(*ONE_TRIP, *ONE_TRIP)], {f"{PACKET};{PACKET}": [READ_ONLY]}, AmbiguousError),
        ([(*ONE_TRIP, READ)], {f"{PACKET};READ": [READ_ONLY]}, AmbiguousError),
    ],
)
def test_a_caller_is_told_whether_anything_may_have_been_committed(
    trips: Sequence[Trip], script: dict[str, list[Exception | None]], kind: type[CreditError]
) -> None:
    server = Server()
    session = warm(server)
    server.script = script

    with pytest.raises(kind) as caught:
        server.run(session.transact(tripping(*trips)))

    assert type(caught.value) is kind
    assert server.run(session.transact(tripping(ONE_TRIP))) == "done"


def test_what_is_for_the_program_reaches_the_caller_as_it_is() -> None:
    server = Server({PACKET: [Refusal(4025, "")]})

    with pytest.raises(ServerError):
        server.run(Session(KNOWN).transact(tripping(ONE_TRIP)))


def test_a_refusal_of_before_does_not_excuse_a_lost_commit() -> None:
    server = Server()
    session = warm(server)
    server.script = {PACKET: [READ_ONLY], "BEGIN;WRITE;READ;COMMIT": [LOST]}

    def program() -> Program[None]:
        try:
            yield ONE_TRIP
        except LostConnectionError:
            yield (Reconnect(),)
        yield (Begin(), WRITE, READ, Commit())

    with pytest.raises(AmbiguousError):
        server.run(session.transact(program))


@pytest.mark.parametrize("trips", [[ONE_TRIP], [(Begin(), READ), (WRITE, Commit())]])
def test_a_program_that_meets_a_reader_begins_anew_on_another_connection(
    trips: Sequence[Trip],
) -> None:
    server = Server()
    session = warm(server)
    server.script = {PACKET: [READ_ONLY], "WRITE;COMMIT": [READ_ONLY]}

    assert server.run(session.transact(tripping(*trips))) == "done"
    assert server.connects == 2
    assert len(server.asked) == 2 * len(trips)


def test_it_begins_anew_once_and_not_where_the_connection_was_new() -> None:
    for session_of, runs in ((warm, 2), (lambda _: Session(KNOWN), 1)):
        server = Server()
        session = session_of(server)
        server.script = {PACKET: [READ_ONLY] * 9}
        with pytest.raises(TransientError):
            server.run(session.transact(tripping(ONE_TRIP)))
        assert server.asked == [PACKET] * runs


def test_what_was_committed_is_not_begun_anew() -> None:
    server = Server()
    session = warm(server)
    server.script = {"WRITE;COMMIT": [READ_ONLY]}

    with pytest.raises(AmbiguousError):
        server.run(session.transact(tripping(ONE_TRIP, (Begin(), READ), (WRITE, Commit()))))
    assert server.asked == [PACKET, "BEGIN;READ", "WRITE;COMMIT"]


@pytest.mark.parametrize(
    ("first", "again"), [((Begin(), READ), True), (ONE_TRIP, False)], ids=["begin", "commit"]
)
def test_an_idle_connection_that_died_unseen_costs_a_program_nothing(
    first: tuple[Statement, ...], *, again: bool
) -> None:
    server = Server()
    session = warm(server)
    server.script = {"BEGIN;READ": [LOST], PACKET: [LOST]}

    if again:
        assert server.run(session.transact(tripping(first))) == "done"
    else:
        with pytest.raises(AmbiguousError):
            server.run(session.transact(tripping(first)))
    # What is left open is rolled back.
    assert [text for text in server.asked if text != "ROLLBACK"] == (
        ["BEGIN;READ"] * 2 if again else [PACKET]
    )
