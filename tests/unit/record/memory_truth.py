"""A store of truth in memory that runs ledger programs, with faults at chosen statements."""

import copy
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from decision_engine.loss_statements import ReadCustomersOf, ReadOpenWindows, StoredWindow
from decision_engine.record.loss import ReadLoss, loss_row
from decision_engine.record.statements import (
    BatchRow,
    CloseReview,
    CustomerRow,
    DecisionRow,
    ExposureRow,
    InsertBatch,
    InsertDecisions,
    InsertOffers,
    InsertOutbox,
    InsertReservations,
    InsertReviews,
    LockPersons,
    OfferRow,
    OutboxRow,
    ReadBatch,
    ReadContracts,
    ReadCustomers,
    ReadKeys,
    ReadLaneHeads,
    ReadOpenReviews,
    ReadPersons,
    ReadProfiles,
    ReadRecent,
    ReadReservations,
    RecentRow,
    Reconnect,
    ReplyRow,
    ReservationRow,
    ReviewRow,
    TakeLane,
)
from domain.ports.time import Deadline
from domain.ports.truth import (
    Begin,
    Commit,
    DuplicateKeyError,
    LostConnectionError,
    Program,
    Rollback,
    Statement,
    TruthError,
)


@dataclass
class State:
    """Every row that has been committed."""

    customers: dict[str, CustomerRow] = field(default_factory=dict)
    profiles: dict[str, bytes] = field(default_factory=dict)
    contracts: list[ExposureRow] = field(default_factory=list)
    decisions: dict[tuple[str, str], DecisionRow] = field(default_factory=dict)
    reservations: list[ReservationRow] = field(default_factory=list)
    offers: list[OfferRow] = field(default_factory=list)
    outbox: list[OutboxRow] = field(default_factory=list)
    reviews: dict[str, ReviewRow] = field(default_factory=dict)
    batches: dict[tuple[str, int], BatchRow] = field(default_factory=dict)
    windows: dict[str, StoredWindow] = field(default_factory=dict)


@dataclass
class Fault:
    """Raise `error` at the `nth` statement of a type; a landed commit takes effect all the same."""

    kind: type
    nth: int
    error: TruthError
    landed: bool = False


@dataclass
class MemoryTruth:
    """Implements `Truth` for ledger programs; `locked` persons are locked by somebody else."""

    state: State = field(default_factory=State)
    faults: list[Fault] = field(default_factory=list)
    locked: set[str] = field(default_factory=set)
    before: Callable[[Statement], None] = lambda _: None
    seen: dict[type, int] = field(default_factory=dict)
    log: list[str] = field(default_factory=list)
    _saved: State | None = None

    def add_customer(self, customer: str, person: str, version: int = 1) -> None:
        self.state.customers[customer] = CustomerRow(customer, person, version)

    async def transact(self, program: Callable[[], Program[Any]], _deadline: Deadline) -> Any:
        return self.run(program())

    async def read(self, statements: Any, _deadline: Deadline) -> list[list[Any]]:
        return [self._execute(statement) for statement in statements]

    def run(self, program: Program[Any]) -> Any:
        """Run a program to its end, as a driver would."""
        try:
            trip = next(program)
            while True:
                try:
                    results = [self._execute(statement) for statement in trip]
                except TruthError as error:
                    trip = program.throw(error)
                else:
                    trip = program.send(results)
        except StopIteration as end:
            return end.value
        finally:
            self._execute_rollback()

    def _execute(self, statement: Statement) -> list[Any]:
        kind = type(statement)
        self.before(statement)
        self.log.append(kind.__name__)
        self.seen[kind] = self.seen.get(kind, 0) + 1
        fault = next((f for f in self.faults if f.kind is kind and f.nth == self.seen[kind]), None)
        if fault is not None and not fault.landed:
            if isinstance(fault.error, LostConnectionError):
                self._execute_rollback()
            raise fault.error
        rows: list[Any] = getattr(self, "_on_" + _snake(kind.__name__))(statement)
        if fault is not None:
            raise fault.error
        return rows

    def _on_begin(self, _: Begin) -> list[Any]:
        assert self._saved is None, "a transaction is open already"
        self._saved = copy.deepcopy(self.state)
        return []

    def _on_commit(self, _: Commit) -> list[Any]:
        assert self._saved is not None
        self._saved = None
        return []

    def _on_rollback(self, _: Rollback) -> list[Any]:
        self._execute_rollback()
        return []

    def _execute_rollback(self) -> None:
        if self._saved is not None:
            self.state, self._saved = self._saved, None

    def _on_reconnect(self, _: Reconnect) -> list[Any]:
        self._execute_rollback()
        return []

    def _on_take_lane(self, _: TakeLane) -> list[Any]:
        return []

    # --- reads ---------------------------------------------------------------------------------

    def _persons(self) -> set[str]:
        return {row.person_id for row in self.state.customers.values()}

    def _on_lock_persons(self, s: LockPersons) -> list[Any]:
        return [p for p in s.person_ids if p in self._persons() and p not in self.locked]

    def _on_read_persons(self, s: ReadPersons) -> list[Any]:
        return [p for p in s.person_ids if p in self._persons()]

    def _on_read_customers(self, s: ReadCustomers) -> list[Any]:
        return [self.state.customers[c] for c in s.customer_ids if c in self.state.customers]

    def _on_read_reservations(self, s: ReadReservations) -> list[Any]:
        return [
            ExposureRow(row.person_id, row.decision_id, row.principal, row.instalment)
            for row in self.state.reservations
            if row.person_id in s.person_ids and row.expires_us > s.alive_at_us
        ]

    def _on_read_contracts(self, s: ReadContracts) -> list[Any]:
        return [row for row in self.state.contracts if row.person_id in s.person_ids]

    def _on_read_keys(self, s: ReadKeys) -> list[Any]:
        return [
            ReplyRow(*key, row.command_hash, row.decision_id, row.reply)
            for key in s.keys
            if (row := self.state.decisions.get(key)) is not None
        ]

    def _on_read_recent(self, s: ReadRecent) -> list[Any]:
        return [
            RecentRow(row.person_id, row.product, row.amount, row.decided_us, row.decision_id)
            for row in self.state.decisions.values()
            if row.person_id in s.person_ids and row.decided_us > s.since_us
        ]

    def _on_read_profiles(self, s: ReadProfiles) -> list[Any]:
        return [(c, self.state.profiles[c]) for c in s.customer_ids if c in self.state.profiles]

    def _on_read_open_reviews(self, s: ReadOpenReviews) -> list[Any]:
        reviews = self.state.reviews
        return [r for r in s.review_ids if r in reviews and reviews[r].state == "OPEN"]

    def _on_read_batch(self, s: ReadBatch) -> list[Any]:
        row = self.state.batches.get((s.lane, s.sequence))
        return [] if row is None else [row]

    def _on_read_lane_heads(self, _: ReadLaneHeads) -> list[Any]:
        return list({row.lane: row for _, row in sorted(self.state.batches.items())}.values())

    def _on_read_loss(self, s: ReadLoss) -> list[Any]:
        here = {row.decision_id for row in self.state.decisions.values()}
        windows = [row.window_id for row in self._on_read_open_windows(ReadOpenWindows())]
        return [*loss_row(windows, [name for name in s.decision_ids if name in here])]

    def _on_read_open_windows(self, _: ReadOpenWindows) -> list[Any]:
        return [row for row in self.state.windows.values() if not row.released_us]

    def _on_read_customers_of(self, s: ReadCustomersOf) -> list[Any]:
        rows = self.state.customers.values()
        return sorted(r.customer_id for r in rows if r.person_id == s.person_id)[: s.limit]

    # --- writes --------------------------------------------------------------------------------

    def _on_insert_batch(self, s: InsertBatch) -> list[Any]:
        key = (s.row.lane, s.row.sequence)
        if key in self.state.batches:
            raise DuplicateKeyError("ledger_batches")
        self.state.batches[key] = s.row
        return []

    def _on_insert_decisions(self, s: InsertDecisions) -> list[Any]:
        for row in s.rows:
            key = (row.client_id, row.idem_key)
            if key in self.state.decisions:
                raise DuplicateKeyError("uq_decision_key")
            self.state.decisions[key] = row
        return []

    def _on_insert_reservations(self, s: InsertReservations) -> list[Any]:
        self.state.reservations.extend(s.rows)
        return []

    def _on_insert_offers(self, s: InsertOffers) -> list[Any]:
        self.state.offers.extend(s.rows)
        return []

    def _on_insert_outbox(self, s: InsertOutbox) -> list[Any]:
        self.state.outbox.extend(s.rows)
        return []

    def _on_insert_reviews(self, s: InsertReviews) -> list[Any]:
        self.state.reviews.update({row.review_id: row for row in s.rows})
        return []

    def _on_close_review(self, s: CloseReview) -> list[Any]:
        row = self.state.reviews[s.review_id]
        self.state.reviews[s.review_id] = ReviewRow(
            row.review_id, row.decision_id, row.customer_id, "CLOSED", row.cause, row.opened_us
        )
        return [s.review_id]


def _snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
