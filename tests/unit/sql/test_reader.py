"""Lists come from a reader that keeps up, everything else from the writer; nothing is silent."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from adapters.stores.sql.mysql_errors import Refusal
from adapters.stores.sql.mysql_lag import (
    ASKED_EVERY_S,
    AURORA,
    AURORA_LAG,
    LAG_MAX_S,
    REPLICA_LAG,
    Gauge,
    UnfitError,
    why_unfit,
)
from adapters.stores.sql.mysql_reader import LISTS, READER_SHARE, REST_S, ReaderTruth
from adapters.stores.sql.mysql_session import SETUP, Ask, Connect, Drop, Session, Wire
from adapters.stores.sql.rendering import Plan, Renderers, Rows
from adapters.telemetry.metrics import Metrics
from decision_engine.archive import ListDecisions, ListPolicies, ListReviews
from domain.errors import DeadlineExceededError, TransientError
from domain.ports.time import Deadline
from domain.ports.truth import Begin, Commit, Program, ServerError, Statement
from tests.contracts.every_statement import STATEMENTS
from tests.contracts.opened import NEVER, HandClock

LIST = ListDecisions(20)
LIMIT_S = 5.0
KNOWN: Renderers = {
    ListDecisions: lambda _: Plan((("SELECT 'page'", ()),), lambda results: [*results[0]])
}
UNKNOWN_VARIABLE = Refusal(1193, "Unknown system variable")
GONE = Refusal(1053, "Server shutdown in progress")


@dataclass(slots=True)
class Server:
    """Implements what a driver does for a session: answers by the text, or the error there."""

    answers: dict[str, Any]
    asked: list[str] = field(default_factory=list)

    def run(self, wire: Wire[list[Rows]]) -> list[Rows]:
        try:
            action = next(wire)
            while True:
                result = self._act(action)
                action = wire.throw(result) if isinstance(result, Exception) else wire.send(result)
        except StopIteration as end:
            rows: list[Rows] = end.value
            return rows

    def _act(self, action: Connect | Drop | Ask) -> Any:
        if not isinstance(action, Ask) or action.text == SETUP:
            return [[]]
        self.asked.append(action.text)
        answer = self.answers[action.text]
        return answer if isinstance(answer, Exception) else [answer]


def replica(lag: object, silence_s: int = 4) -> dict[str, Any]:
    return {
        AURORA: UNKNOWN_VARIABLE,
        "SELECT @@replica_net_timeout": UNKNOWN_VARIABLE,
        "SELECT @@slave_net_timeout": [(silence_s,)],
        REPLICA_LAG: [{"Slave_IO_State": "", "Seconds_Behind_Master": lag}],
        "SELECT 'page'": ["page"],
    }


def mysql(lag: object, silence_s: int = 4) -> dict[str, Any]:
    status = {"Replica_IO_State": "", "Seconds_Behind_Source": lag}
    return {
        **replica(lag),
        "SELECT @@replica_net_timeout": [(silence_s,)],
        REPLICA_LAG: [status],
    }


def aurora(lag: object) -> dict[str, Any]:
    return {AURORA: [("one",)], AURORA_LAG: [{"lag": lag}], "SELECT 'page'": ["page"]}


@dataclass(slots=True)
class Reading:
    """One connection to a server, with its gauge."""

    server: Server
    clock: HandClock = field(default_factory=HandClock)
    session: Session = field(default_factory=lambda: Session(KNOWN))
    gauge: Gauge = field(default_factory=Gauge)

    def page(self) -> list[Rows]:
        return self.server.run(self.gauge.read(self.session, self.clock, [LIST]))

    def why(self) -> str:
        with pytest.raises(UnfitError) as caught:
            self.page()
        return caught.value.why


FORMS = pytest.mark.parametrize("form", [replica, mysql, aurora])


@FORMS
@pytest.mark.parametrize("lag", [0, LAG_MAX_S])
def test_a_reader_that_keeps_up_answers(form: Any, lag: float) -> None:
    assert Reading(Server(form(lag))).page() == [["page"]]


@FORMS
@pytest.mark.parametrize(("lag", "why"), [(LAG_MAX_S + 1, "lagging"), (None, "stopped")])
def test_a_reader_that_is_behind_reads_nothing(form: Any, lag: object, why: str) -> None:
    reading = Reading(Server(form(lag)))

    assert reading.why() == why
    assert "SELECT 'page'" not in reading.server.asked


@pytest.mark.parametrize("form", [replica, mysql])
def test_a_replica_that_would_not_notice_silence_is_not_believed(form: Any) -> None:
    assert Reading(Server(form(0, 60))).why() == "blind"
    assert Reading(Server(form(0, int(LAG_MAX_S)))).page() == [["page"]]


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        ([], "no_replica"),
        ([{"Slave_IO_State": ""}], "stopped"),
        ([{"lag": 0}, {"lag": 6}], "lagging"),
        ([{"lag": 0}, {"lag": None}], "stopped"),
        ([{"lag": 0}, {"lag": 5}], ""),
    ],
)
def test_the_status_is_that_of_the_last_source(rows: Sequence[dict[str, Any]], why: str) -> None:
    assert why_unfit(rows) == why


def test_the_lag_is_asked_for_once_a_second_and_its_form_once_a_connection() -> None:
    reading = Reading(Server(replica(0)))
    for _ in range(3):
        reading.page()
        reading.clock.advance(ASKED_EVERY_S / 4)
    assert reading.server.asked.count(REPLICA_LAG) == 1

    reading.clock.advance(ASKED_EVERY_S / 4)
    reading.page()
    assert reading.server.asked.count(REPLICA_LAG) == 2
    assert reading.server.asked.count(AURORA) == 1

    reading.session.forget()
    reading.page()
    assert reading.server.asked.count(REPLICA_LAG) == 3
    assert reading.server.asked.count(AURORA) == 2


def test_what_was_measured_does_not_hold_for_longer() -> None:
    reading = Reading(Server(replica(0)))
    reading.page()
    reading.server.answers.update(replica(6))
    assert reading.page() == [["page"]]

    reading.clock.advance(ASKED_EVERY_S)
    assert reading.why() == "lagging"
    reading.server.answers.update(replica(0))
    assert reading.why() == "lagging"

    reading.clock.advance(ASKED_EVERY_S)
    assert reading.page() == [["page"]]


def test_an_answer_of_a_connection_that_nobody_measured_is_not_taken() -> None:
    @dataclass(slots=True)
    class Dying(Server):
        """It ends the session once, at the page."""

        def _act(self, action: Connect | Drop | Ask) -> Any:
            found = Server._act(self, action)
            first = self.asked.count("SELECT 'page'") == 1
            return GONE if first and action == Ask("SELECT 'page'") else found

    reading = Reading(Dying(replica(0)))

    assert reading.why() == "moved"
    assert reading.page() == [["page"]]


@pytest.mark.parametrize("text", [AURORA, REPLICA_LAG, "SELECT @@slave_net_timeout"])
def test_a_measurement_that_fails_is_none(text: str) -> None:
    reading = Reading(Server({**replica(0), text: GONE}))
    with pytest.raises(Exception, match="1053"):
        reading.page()
    assert "SELECT 'page'" not in reading.server.asked

    reading.server.answers.update(replica(0))
    assert reading.page() == [["page"]]


# --- which endpoint answers ----------------------------------------------------------------------


@dataclass(slots=True)
class Endpoint:
    """Implements `Truth` and `FreshReads`: says who it is, or fails."""

    name: str
    error: Exception | None = None
    deadlines: list[Deadline] = field(default_factory=list)

    async def transact(self, _program: Any, _deadline: Deadline) -> Any:
        return self.name

    async def read(self, statements: Sequence[Statement], deadline: Deadline) -> list[Rows]:
        self.deadlines.append(deadline)
        if self.error is not None:
            raise self.error
        return [[self.name] for _ in statements]

    async def read_fresh(self, statements: Sequence[Statement], deadline: Deadline) -> list[Rows]:
        return await self.read(statements, deadline)


class Counting:
    """Implements `Monitoring`: only counts."""

    def __init__(self) -> None:
        self.metrics = Metrics()

    def count(self, name: str, amount: int = 1, **labels: str) -> None:
        self.metrics.count(name, amount, labels)

    def observe(self, name: str, value: float, **labels: str) -> None: ...

    def gauge(self, name: str, value: float, **labels: str) -> None: ...

    def event(self, name: str, *, level: str = "info", **fields: str | float | bool) -> None: ...


@dataclass(slots=True)
class Both:
    """A truth on two endpoints, and what it counted."""

    clock: HandClock = field(default_factory=HandClock)
    writer: Endpoint = field(default_factory=lambda: Endpoint("writer"))
    reader: Endpoint = field(default_factory=lambda: Endpoint("reader"))
    monitoring: Counting = field(default_factory=Counting)
    truth: ReaderTruth = field(init=False)

    def __post_init__(self) -> None:
        self.truth = ReaderTruth(self.writer, self.reader, self.clock, self.monitoring)

    def read(self, *statements: Statement, deadline: Deadline = NEVER) -> Any:
        return asyncio.run(self.truth.read(statements, deadline))[0][0]

    def counted(self, **labels: str) -> float:
        return self.monitoring.metrics.value("truth_reads_total", **labels)


def test_only_lists_are_asked_of_a_reader() -> None:
    both = Both()
    asked = {type(each): both.read(each) for each in STATEMENTS}

    assert {kind for kind, name in asked.items() if name == "reader"} == LISTS
    assert {kind.__name__ for kind in LISTS} == {
        "ListDecisions", "ListReviews", "ListTransactions", "ListWindows",
    }  # fmt: skip


def test_a_list_beside_anything_else_is_asked_of_the_writer() -> None:
    both = Both()

    assert both.read(LIST, ListReviews(5)) == "reader"
    assert both.read(LIST, ListPolicies()) == "writer"
    assert both.counted(endpoint="reader", why="fresh") == 1
    assert both.counted(endpoint="writer", why="not_a_list") == 1


def test_programs_run_on_the_writer() -> None:
    def program() -> Program[None]:
        yield (Begin(), LIST, Commit())

    assert asyncio.run(Both().truth.transact(program, NEVER)) == "writer"


@pytest.mark.parametrize("why", ["lagging", "stopped", "no_replica", "blind", "moved"])
def test_the_writer_answers_for_a_reader_that_must_not(why: str) -> None:
    both = Both()
    both.reader.error = UnfitError(why)

    assert both.read(LIST) == "writer"
    assert both.counted(endpoint="writer", why=why) == both.counted() == 1

    both.reader.error = None
    assert both.read(LIST) == "reader"


@pytest.mark.parametrize(
    "error", [TransientError("away"), DeadlineExceededError("late"), ServerError("no such table")]
)
def test_the_writer_answers_for_a_reader_that_fails_and_it_rests(error: Exception) -> None:
    both = Both()
    both.reader.error = error
    assert both.read(LIST) == "writer"
    both.reader.error = None

    both.clock.advance(REST_S / 2)
    assert both.read(LIST) == "writer"
    assert both.counted(endpoint="writer", why="error") == 1
    assert both.counted(endpoint="writer", why="resting") == 1

    both.clock.advance(REST_S / 2)
    assert both.read(LIST) == "reader"
    assert both.read(LIST) == "reader"


def test_after_its_rest_one_tries_and_the_others_do_not_wait() -> None:
    both = Both()
    both.reader.error = TransientError("away")
    both.read(LIST)
    both.clock.advance(REST_S)
    release = asyncio.Event()

    async def slow(statements: Sequence[Statement], _deadline: Deadline) -> list[Rows]:
        await release.wait()
        return [["reader"] for _ in statements]

    async def both_at_once() -> list[Any]:
        both.truth.reader = Slow(slow)
        first = asyncio.create_task(both.truth.read([LIST], NEVER))
        await asyncio.sleep(0)
        second = await asyncio.wait_for(both.truth.read([LIST], NEVER), LIMIT_S)
        release.set()
        return [await first, second]

    assert asyncio.run(both_at_once()) == [[["reader"]], [["writer"]]]


@dataclass(slots=True)
class Slow:
    """Implements `FreshReads` by a function."""

    read_fresh: Any


def test_a_reader_gets_a_share_of_the_deadline_and_the_writer_all_of_it() -> None:
    both = Both()
    both.reader.error = TransientError("away")

    both.read(LIST, deadline=Deadline(4.0))

    assert both.reader.deadlines == [Deadline(4.0 * READER_SHARE)]
    assert both.writer.deadlines == [Deadline(4.0)]
