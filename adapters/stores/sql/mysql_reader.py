"""
Lists from a reader endpoint while it keeps up, and everything else from the writer.

Decisions, look-ups of keys, replays and single rows never come from a reader: a statement has to be
named here to be asked there, and each of these only fills a page for a person to look at. Pages
are keyset pages, so that one may come from the reader and the next from the writer.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import Final, Protocol, TypeVar

from adapters.stores.sql.mysql_lag import Gauge, UnfitError
from adapters.stores.sql.mysql_limits import seconds_left
from adapters.stores.sql.mysql_truth import Held, MysqlTruth
from adapters.stores.sql.rendering import Rows
from decision_engine.archive import ListDecisions, ListReviews, ListTransactions
from decision_engine.loss_statements import ListWindows
from domain.errors import TransientError
from domain.ports.monitoring import Monitoring
from domain.ports.time import Clock, Deadline
from domain.ports.truth import LostConnectionError, Program, Statement, Truth, TruthError

T = TypeVar("T")

LISTS: Final = frozenset({ListDecisions, ListReviews, ListTransactions, ListWindows})
#: The reader may use this share of what is left of the deadline; the rest is the writer's.
READER_SHARE: Final = 0.5
#: A reader that failed is asked once in this time.
REST_S: Final = 1.0


class FreshReads(Protocol):
    """A reader endpoint."""

    async def read_fresh(self, statements: Sequence[Statement], deadline: Deadline) -> list[Rows]:
        """
        Run reading statements on a state that lags little.

        Raises:
            UnfitError: it lags too much, or nobody knows; nothing was read.
            TransientError: the reader is away or did not answer before the deadline.
            TruthError: it refuses.
        """


@dataclass(slots=True)
class MysqlReplica(MysqlTruth):
    """Connections to a reader endpoint; implements `FreshReads`."""

    _gauges: dict[Held, Gauge] = field(default_factory=dict, init=False)

    async def read_fresh(self, statements: Sequence[Statement], deadline: Deadline) -> list[Rows]:
        """See `FreshReads.read_fresh`; each connection is asked for its lag once a second."""
        async with self._held(deadline) as held:
            gauge = self._gauges.setdefault(held, Gauge())
            reading = gauge.read(held.session, self.clock, statements)
            try:
                async with asyncio.timeout(seconds_left(deadline, self.clock)):
                    return await held.wire.run(held.session, reading)
            except TimeoutError:
                raise TransientError("the reader did not answer in time") from None
            except LostConnectionError as error:
                raise TransientError("the reader is away") from error


@dataclass(slots=True)
class ReaderTruth:
    """
    The truth as lists may see it; implements `domain.ports.truth.Truth`.

    Metric: `truth_reads_total` by `endpoint` (reader, writer) and `why`: `fresh`; `not_a_list`;
    what `Gauge` says; `moved`, the connection changed while it was read; `error`, the reader
    failed; `resting`, it failed less than a second ago.
    """

    writer: Truth
    reader: FreshReads
    clock: Clock
    monitoring: Monitoring
    _rests_until: float = field(default=-inf, init=False)
    _failed: bool = field(default=False, init=False)

    async def transact(self, program: Callable[[], Program[T]], deadline: Deadline) -> T:
        """Run a program, on the writer."""
        return await self.writer.transact(program, deadline)

    async def read(self, statements: Sequence[Statement], deadline: Deadline) -> list[Rows]:
        """Run reading statements: lists on the reader where it may answer, else on the writer."""
        if not all(type(each) in LISTS for each in statements):
            why = "not_a_list"
        elif self._rests():
            why = "resting"
        else:
            try:
                rows = await self._read_fresh(statements, deadline.share(self.clock, READER_SHARE))
            except UnfitError as error:
                why = error.why
            except (TransientError, TruthError):
                why = "error"
            else:
                self.monitoring.count("truth_reads_total", endpoint="reader", why="fresh")
                return rows
        self.monitoring.count("truth_reads_total", endpoint="writer", why=why)
        return await self.writer.read(statements, deadline)

    def _rests(self) -> bool:
        now = self.clock.monotonic()
        if not self._failed:
            return False
        if now < self._rests_until:
            return True
        # This one tries; whoever comes while it does needs not wait for the same.
        self._rests_until = now + REST_S
        return False

    async def _read_fresh(self, statements: Sequence[Statement], deadline: Deadline) -> list[Rows]:
        try:
            rows = await self.reader.read_fresh(statements, deadline)
        except (TransientError, TruthError):
            self._failed = True
            self._rests_until = self.clock.monotonic() + REST_S
            raise
        except UnfitError:
            self._failed = False
            raise
        self._failed = False
        return rows
