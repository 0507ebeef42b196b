"""
How far a reader is behind its writer, found out on the connection that answers.

A reader endpoint may lead each connection to another server, so that a lag holds for one connection
and no other. Like `Session` these are generators without IO.

Aurora tells the lag of each instance. A replica of MySQL or MariaDB tells seconds, none while
replication stands still, and zero while its source is silent: until `slave_net_timeout`, a minute
unless somebody says less. Where that is more than a list may lag, its word is worth nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import inf
from typing import Any, Final

from adapters.stores.sql.mysql_session import Session, Wire
from adapters.stores.sql.rendering import Rows
from domain.ports.time import Clock
from domain.ports.truth import ServerError, Statement, TruthError

#: What is further behind answers nothing.
LAG_MAX_S: Final = 5.0
#: A connection is asked again after this time, when it is used.
ASKED_EVERY_S: Final = 1.0

#: Every other server refuses it.
AURORA: Final = "SELECT @@aurora_server_id"
AURORA_LAG: Final = (
    "SELECT replica_lag_in_milliseconds / 1000 AS lag FROM information_schema.replica_host_status"
    " WHERE server_id = @@aurora_server_id"
)
#: MariaDB from 10.5.1 and MySQL from 8.0.22 on; it has more columns in each release.
REPLICA_LAG: Final = "SHOW REPLICA STATUS"
#: By Aurora, by MariaDB, by MySQL.
COLUMNS: Final = ("lag", "Seconds_Behind_Master", "Seconds_Behind_Source")
#: By MySQL from 8.0.26 on, by MariaDB.
SILENCES: Final = ("SELECT @@replica_net_timeout", "SELECT @@slave_net_timeout")


class UnfitError(Exception):
    """The connection must not answer; `why` is one of a small closed set."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


@dataclass(slots=True)
class Gauge:
    """
    What is known of one connection: why it must not answer, if so.

    `stopped`: replication stands still. `lagging`: too far behind. `no_replica`: the server copies
    from nobody, which is well when it is the writer itself, and then the writer may as well be
    asked; it may also be a server without our data. `blind`: it would not notice a silent source.
    """

    _asked: str = field(default="", init=False)
    _why: str = field(default="", init=False)
    _at: float = field(default=-inf, init=False)
    _connection: int = field(default=0, init=False)
    _blind: bool = field(default=False, init=False)

    def read(
        self, session: Session, clock: Clock, statements: Sequence[Statement]
    ) -> Wire[list[Rows]]:
        """
        Run reading statements where the lag was at most `LAG_MAX_S`, `ASKED_EVERY_S` ago or less.

        Raises:
            UnfitError: it is more, or not known.
            TruthError: the server failed.
        """
        if not self._holds(session) or clock.monotonic() - self._at >= ASKED_EVERY_S:
            yield from self._measure(session, clock)
        if self._why:
            raise UnfitError(self._why)
        rows = yield from session.read(statements)
        if not self._holds(session):
            # The connection had died unseen, and another one answered.
            raise UnfitError("moved")
        return rows

    def _holds(self, session: Session) -> bool:
        return session.connected and session.connects == self._connection

    def _measure(self, session: Session, clock: Clock) -> Wire[None]:
        # The answer speaks of a moment after this one.
        began = clock.monotonic()
        try:
            if not self._holds(session):
                yield from self._find_out(session)
            rows = yield from session.ask(self._asked, named=True)
        except TruthError:
            yield from session.tidy()
            raise
        self._why = why_unfit(rows) or ("blind" if self._blind else "")
        self._connection, self._at = session.connects, began

    def _find_out(self, session: Session) -> Wire[None]:
        try:
            yield from session.ask(AURORA)
        except ServerError:
            self._asked = REPLICA_LAG
            self._blind = (yield from _silence_s(session)) > LAG_MAX_S
        else:
            self._asked, self._blind = AURORA_LAG, False


def why_unfit(rows: Sequence[dict[str, Any]]) -> str:
    """Return why a server with such a status must not answer; empty when it may."""
    if not rows:
        return "no_replica"
    # A server may copy from several: it is as far as the last of them.
    lags = [row[name] for row in rows for name in COLUMNS if name in row]
    if not lags or None in lags:
        return "stopped"
    return "lagging" if max(map(float, lags)) > LAG_MAX_S else ""


def _silence_s(session: Session) -> Wire[float]:
    """Return for how many seconds a source may be silent before its replica notices."""
    newer, older = SILENCES
    try:
        rows = yield from session.ask(newer)
    except ServerError:
        rows = yield from session.ask(older)
    ((seconds,),) = rows
    return float(seconds)
