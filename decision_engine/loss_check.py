"""
What other stores know of a person's decisions, while a loss window is open.

After a restore the ledger lacks its newest decisions; DynamoDB and Keyspaces still have them. The
latest decision alone would not do: the first decision taken after the restore takes its place. So
the history in Keyspaces is read as well. Whatever cannot be read counts as missing.
"""

import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from decision_engine.loss_statements import ReadCustomersOf, ReadOpenWindows, StoredWindow
from decision_engine.record.loss import LossLook
from decision_engine.turns import in_time
from domain.errors import CreditError, PermanentError
from domain.instants import from_epoch_micros, instant_micros
from domain.ports.monitoring import Monitoring
from domain.ports.storage import DataReader
from domain.ports.stream import StreamProgress
from domain.ports.time import Clock, Deadline
from domain.ports.truth import Truth

LATEST: Final = "DECISION_LATEST"
DECISION: Final = "DECISION#"
#: The look may use this share of what is left of the deadline; recording needs the rest.
LOOK_SHARE: Final = 0.5
#: No restore goes back further: it is the longest retention of Aurora's backups.
HORIZON: Final = timedelta(days=35)
PAGE: Final = 100
#: A person with more of these is not looked into, and so is not approved by itself.
DECISIONS_MAX: Final = 1_000
CUSTOMERS_MAX: Final = 50
TOO_MUCH: Final = "bounds"


class _UnreadError(Exception):
    """Part of the person's decisions cannot be known; the name says which."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


@dataclass(slots=True)
class LossCheck:
    """
    Looks before a decision is recorded, and only while a window is known to be open.

    Whether one is open is settled in the ledger's transaction. What this remembers saves a second
    turn a request: `expect` is called when a batch, or whoever opened it, met a window.
    """

    truth: Truth
    hot: DataReader
    history: DataReader
    progress: StreamProgress
    clock: Clock
    monitoring: Monitoring
    _expected: bool = field(default=False, init=False)
    _projected: set[str] = field(default_factory=set, init=False)

    def expect(self) -> None:
        """From now on look before each decision, until no window is open any more."""
        self._expected = True

    async def look(self, customer_id: str, person_id: str, deadline: Deadline) -> LossLook | None:
        """
        Return what is known of the person's decisions; None when no window is open.

        Raises:
            TransientError: truth is away.
        """
        if not self._expected:
            return None
        windows, customers = await self.truth.read(
            [ReadOpenWindows(), ReadCustomersOf(person_id, CUSTOMERS_MAX + 1)], deadline
        )
        if not windows:
            self._expected = False
            return None
        names = tuple(window.window_id for window in windows)
        try:
            found = await self._within(windows, {customer_id, *customers}, deadline)
        except _UnreadError as error:
            self.monitoring.count("loss_window_unread_total", store=error.name)
            return LossLook(names, (), error.name)
        return LossLook(names, found)

    async def _within(
        self, windows: Sequence[StoredWindow], customers: set[str], deadline: Deadline
    ) -> tuple[str, ...]:
        share = deadline.share(self.clock, LOOK_SHARE)
        looking = self._decisions(windows, customers, share)
        try:
            return await in_time(looking, share.remaining(self.clock))
        except CreditError as error:
            raise _UnreadError("time") from error

    async def _decisions(
        self, windows: Sequence[StoredWindow], customers: set[str], deadline: Deadline
    ) -> tuple[str, ...]:
        if len(customers) > CUSTOMERS_MAX:
            raise _UnreadError(TOO_MUCH)
        # First: what the stream still brings would otherwise be read too early.
        await self._projected_up_to(windows)
        oldest_us = min(window.opened_us for window in windows)
        horizon = instant_micros(from_epoch_micros(oldest_us) - HORIZON)
        found: set[str] = set()
        for customer_id in sorted(customers):
            found |= await self._latest(customer_id, deadline)
            async for name in self._history(customer_id, horizon, deadline):
                found.add(name)
                if len(found) > DECISIONS_MAX:
                    raise _UnreadError(TOO_MUCH)
        return tuple(sorted(found))

    async def _projected_up_to(self, windows: Sequence[StoredWindow]) -> None:
        if self._projected.issuperset(window.window_id for window in windows):
            return
        newest_us = max(window.opened_us for window in windows)
        try:
            waiting_us = await self.progress.oldest_waiting()
        except CreditError as error:
            raise _UnreadError("stream") from error
        if waiting_us is not None and waiting_us <= newest_us:
            raise _UnreadError("stream")
        # A stream is handled in order, so once it is past the opening it stays past it.
        self._projected = {window.window_id for window in windows}

    async def _latest(self, customer_id: str, deadline: Deadline) -> set[str]:
        try:
            row = await self.hot.read_item(customer_id, LATEST, deadline)
            return set() if row is None else {_decision_id(row.payload)}
        except CreditError as error:
            raise _UnreadError("dynamodb") from error

    async def _history(
        self, customer_id: str, horizon: str, deadline: Deadline
    ) -> AsyncIterator[str]:
        before = ""
        while True:
            try:
                rows = await self.history.query(customer_id, DECISION, PAGE, before, deadline)
            except CreditError as error:
                raise _UnreadError("keyspaces") from error
            for row in rows:
                _, instant, decision_id = row.data_type.split("#")
                if instant < horizon:
                    return
                yield decision_id
            if len(rows) < PAGE:
                return
            before = rows[-1].data_type


def _decision_id(payload: bytes) -> str:
    try:
        return str(json.loads(payload)["decision_id"])
    except (ValueError, KeyError, TypeError) as error:
        raise PermanentError("the latest decision cannot be read") from error
