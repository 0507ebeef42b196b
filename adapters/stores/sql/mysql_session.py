"""
One session with MySQL as a program uses it: a generator without IO that every driver runs.

It yields what is to be done on the wire (`Connect`, `Drop`, `Ask`) and is sent the results, or has
`Refusal` or `BrokenError` thrown in. So asyncmy on the loop and PyMySQL in a thread behave alike.
"""

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from adapters.stores.sql.mysql_errors import READ_ONLY, BrokenError, Refusal, truth_error
from adapters.stores.sql.mysql_literals import literal
from adapters.stores.sql.rendering import Plan, Renderers, Rows, nothing
from decision_engine.record.statements import Reconnect, TakeLane
from domain.ports.truth import (
    PASSING,
    Begin,
    Commit,
    DataError,
    DeadlockError,
    LostConnectionError,
    Program,
    Rollback,
    ServerError,
    Statement,
    Trip,
    TruthError,
    unhandled,
)

T = TypeVar("T")

#: What every session is told first. A lock is waited for one second; look-ups of many keys are not
#: estimated one by one; texts are what the client says, and nothing is cut to fit.
SETUP: Final = "; ".join(  # noqa: FLY002  one setting a line
    (
        "SET NAMES utf8mb4 COLLATE utf8mb4_bin",
        "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
        "SET SESSION innodb_lock_wait_timeout = 1",
        "SET SESSION lock_wait_timeout = 2",
        "SET SESSION eq_range_index_dive_limit = 1",
        "SET SESSION time_zone = '+00:00'",
        "SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_BACKSLASH_ESCAPES,NO_ENGINE_SUBSTITUTION'",
    )
)
#: A lane whose holder does not go away within so many tries is not ours.
LANE_TRIES: Final = 3
LANE_WAIT_S: Final = 1


@dataclass(frozen=True, slots=True)
class Connect:
    """Open a connection; there is none."""


@dataclass(frozen=True, slots=True)
class Drop:
    """Close the connection at once, whatever state it is in."""


@dataclass(frozen=True, slots=True)
class Ask:
    """
    Send statements in one packet -> list of their rows; the first error ends the packet.

    named: each row comes as a mapping from its columns, for what has more of them in each release.
    """

    text: str
    named: bool = False


Wire = Generator[Connect | Drop | Ask, Any, T]
BEGIN: Final = Plan((("BEGIN", ()),), nothing)
COMMIT: Final = Plan((("COMMIT", ()),), nothing)
ROLLBACK: Final = Plan((("ROLLBACK", ()),), nothing)
CONTROLS: Final[Mapping[type, Plan]] = {Begin: BEGIN, Commit: COMMIT, Rollback: ROLLBACK}


@dataclass(slots=True)
class Session:
    """
    What is known of one connection between programs.

    Once a lane has been taken, every later connection takes it before anything else. When another
    is taken, whoever still holds the one before is ended: on a connection that the server has not
    heard the end of, it would keep its persons locked for hours. Crash points:
    `at` is called with `truth.begin`, `truth.before_commit` and `truth.after_commit`.
    """

    renderers: Renderers
    at: Callable[[str], None] = lambda _place: None
    lane: str = ""
    connected: bool = False
    #: How many connections there have been: what was found out on one holds for that one.
    connects: int = field(default=0, init=False)
    _open: bool = field(default=False, init=False)
    _broken: bool = field(default=False, init=False)
    #: Lanes that were left, and whose holders are still to be ended.
    _left: list[str] = field(default_factory=list, init=False)
    #: Nothing of this program has been answered yet.
    _fresh: bool = field(default=False, init=False)
    #: A Commit of this program was done, or sent and not answered.
    _committed: bool = field(default=False, init=False)
    #: The last answer was that the server takes no writes.
    _demoted: bool = field(default=False, init=False)

    def transact(self, program: Callable[[], Program[T]]) -> Wire[T]:
        """
        Run a program to its end; what it leaves open is rolled back.

        A connection of before may lead to a server that is no longer the writer. When that is
        what it says, and nothing was committed, the program begins anew on another one, once.

        Raises:
            TransientError, AmbiguousError: see `domain.ports.truth.Truth.transact`.
        """
        again = self.connected
        while True:
            self._committed = self._demoted = False
            try:
                return (yield from self._run_once(program))
            except PASSING as error:
                if self._committed or not (again and self._demoted):
                    raise unhandled(error, committed=self._committed) from error
            again = False

    def _run_once(self, program: Callable[[], Program[T]]) -> Wire[T]:
        running = program()
        try:
            result = yield from self._drive(running)
        except Exception:
            yield from self.tidy()
            raise
        finally:
            running.close()
        yield from self.tidy()
        return result

    def forget(self) -> None:
        """Note that the driver has closed the connection: nothing is known of it any more."""
        self.connected = self._open = self._broken = False

    def read(self, statements: Sequence[Statement]) -> Wire[list[Rows]]:
        """Run reading statements outside a transaction, in one packet."""
        self._fresh = True
        try:
            return (yield from self._run([self._plan(each) for each in statements]))
        except TruthError:
            yield from self.tidy()
            raise

    def ask(self, text: str, *, named: bool = False) -> Wire[Rows]:
        """Run one statement that no program has, and return its rows, as `Ask` says."""
        yield from self._ensure()
        (rows,) = yield from self._ask(text, named=named)
        return rows

    def tidy(self) -> Wire[None]:
        """Roll back what is open; a connection that cannot is closed."""
        if self._open and not self._broken:
            try:
                yield from self._ask("ROLLBACK")
            except TruthError:
                self._broken = True
        self._open = False
        if self._broken:
            yield from self._drop()

    # --- trips ---------------------------------------------------------------------------------

    def _drive(self, running: Program[T]) -> Wire[T]:
        self._fresh = True
        try:
            trip = next(running)
            while True:
                try:
                    results = yield from self._travel(trip)
                except TruthError as error:
                    trip = running.throw(error)
                else:
                    trip = running.send(results)
        except StopIteration as end:
            result: T = end.value
            return result

    def _travel(self, trip: Trip) -> Wire[list[Rows]]:
        """Run a trip: everything up to a `Reconnect` or `TakeLane` goes in one packet."""
        results: list[Rows] = []
        plans: list[Plan] = []
        for statement in trip:
            if isinstance(statement, Reconnect | TakeLane):
                results += yield from self._run(plans)
                plans = []
                yield from self._control(statement)
                results.append([])
                continue
            if isinstance(statement, Begin) and _open_after(plans, begun=self._open):
                yield from self._run(plans)
                raise ServerError("a transaction is open")
            plans.append(self._plan(statement))
        results += yield from self._run(plans)
        return results

    def _plan(self, statement: Statement) -> Plan:
        control = CONTROLS.get(type(statement))
        if control is not None:
            return control
        try:
            return self.renderers[type(statement)](statement)
        except ValueError as error:
            # One bad value must not look like a fault of the program, which ends a whole batch.
            raise DataError(f"a value that MySQL cannot hold: {type(error).__name__}") from None

    def _run(self, plans: Sequence[Plan]) -> Wire[list[Rows]]:
        text = ";".join(text for plan in plans for text, _ in plan.calls)
        if not text or (text == "ROLLBACK" and not self.connected):
            return [plan.result(()) for plan in plans]
        again = self._fresh and self.connected and COMMIT not in plans
        try:
            results = yield from self._send(text, plans)
        except LostConnectionError:
            if not again:
                raise
            # An idle connection died unseen, and nothing was done on it: once more on a new one.
            yield from self._drop()
            results = yield from self._send(text, plans)
        self._fresh = False
        found = iter(results)
        return [plan.result([next(found) for _ in plan.calls]) for plan in plans]

    def _send(self, text: str, plans: Sequence[Plan]) -> Wire[list[Rows]]:
        yield from self._ensure()
        if BEGIN in plans:
            self.at("truth.begin")
            # Before it is sent: when its answer is lost, a transaction may be open.
            self._open = True
        commits, before = COMMIT in plans, self._committed
        if commits:
            self.at("truth.before_commit")
            self._committed = True
        try:
            results = yield from self._ask(text)
        except TruthError as error:
            if self._undone(error, plans):
                self._committed = before
            raise
        self._open = _open_after(plans, begun=self._open)
        if commits:
            self.at("truth.after_commit")
        return results

    def _undone(self, error: TruthError, plans: Sequence[Plan]) -> bool:
        """Return whether the server answered, before it came to the only Commit, at the end."""
        answered = self._demoted or not isinstance(error, LostConnectionError)
        return answered and plans.count(COMMIT) == 1 and plans[-1] == COMMIT

    def _ask(self, text: str, *, named: bool = False) -> Wire[list[Rows]]:
        self._demoted = False
        try:
            results: list[Rows] = yield Ask(text, named)
        except Refusal as refusal:
            self._demoted = refusal.number in READ_ONLY
            raise self._refused(truth_error(refusal)) from None
        except BrokenError as error:
            raise self._refused(LostConnectionError(str(error))) from None
        return results

    def _refused(self, error: TruthError) -> TruthError:
        # A lost connection stays so until the program asks for another, or ends.
        self._broken = self._broken or isinstance(error, LostConnectionError)
        self._open = self._open and not isinstance(error, DeadlockError)
        return error

    # --- the connection ------------------------------------------------------------------------

    def _control(self, statement: Reconnect | TakeLane) -> Wire[None]:
        if isinstance(statement, Reconnect):
            yield from self._drop()
            return
        if self.lane not in ("", statement.lane):
            self._left.append(self.lane)
        self.lane = statement.lane
        if self.connected:
            yield from self._hold_lane()
        else:
            yield from self._ensure()

    def _ensure(self) -> Wire[None]:
        if self._broken:
            raise LostConnectionError("the connection broke before")
        if self.connected:
            return
        try:
            yield Connect()
        except Refusal as refusal:
            raise LostConnectionError(f"no connection: error {refusal.number}") from None
        except BrokenError as error:
            raise LostConnectionError(f"no connection: {error}") from None
        self.connected = True
        self.connects += 1
        yield from self._ask(SETUP)
        if self.lane:
            yield from self._hold_lane()

    def _drop(self) -> Wire[None]:
        self._open = self._broken = False
        if self.connected:
            self.connected = False
            yield Drop()

    def _hold_lane(self) -> Wire[None]:
        """Take the lane's named lock, ending whoever holds it: an older session of ours."""
        name = literal(f"lane:{self.lane}")
        wait = 0
        for _ in range(LANE_TRIES):
            (((held,),),) = yield from self._ask(f"SELECT GET_LOCK({name}, {wait})")
            if held:
                yield from self._end_left()
                return
            # Refused when its holder has ended in between.
            with suppress(ServerError):
                yield from self._ask(f"KILL IS_USED_LOCK({name})")
            wait = LANE_WAIT_S
        self._broken = True
        raise LostConnectionError("the lane stayed taken")

    def _end_left(self) -> Wire[None]:
        while self._left:
            name = literal(f"lane:{self._left[0]}")
            # It may be this very session that holds it, which goes on.
            yield from self._ask(f"DO RELEASE_LOCK({name})")
            with suppress(ServerError):
                yield from self._ask(f"KILL IS_USED_LOCK({name})")
            self._left.pop(0)


def _open_after(plans: Sequence[Plan], *, begun: bool) -> bool:
    """Return whether a transaction is open once these have run."""
    for plan in plans:
        if plan in (BEGIN, COMMIT, ROLLBACK):
            begun = plan == BEGIN
    return begun
