"""
One ledger batch as a program: a generator without I/O that every driver runs.

Trip 1 locks the persons and reads the view, the fold decides, trip 2 writes and commits
(ARCHITECTURE.md section 4, item 5). Whatever goes wrong ends in a definite answer for each entry:
recorded, known before, offer it again, or an error with nothing recorded.
"""

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from decision_engine.record.entry import Entry, Failed, Known
from decision_engine.record.lane_note import lane_note
from decision_engine.record.loss import ReadLoss
from decision_engine.record.prepare import Lane, Prepared, Results, prepare
from decision_engine.record.statements import (
    InsertBatch,
    LockPersons,
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
    Reconnect,
    TakeLane,
)
from decision_engine.record.view import (
    DUPLICATE_WINDOW_US,
    View,
    commitments_of,
    recent_of,
    stale_customers,
)
from domain.errors import AmbiguousError, LedgerBusyError, PermanentError, TransientError
from domain.instants import epoch_micros
from domain.ports.time import Chance, Clock, Ids
from domain.ports.truth import (
    Begin,
    Commit,
    DataError,
    DeadlockError,
    DuplicateKeyError,
    LockWaitError,
    LostConnectionError,
    Program,
    Rollback,
    Rows,
    Trip,
    TruthError,
)
from domain.profile_bytes import profile_from_bytes

#: A single request is given up at its third error of the server.
MAX_TRIES: Final = 3
#: A batch begins again after duplicates, deadlocks and lost connections at most this often.
MAX_ROUNDS: Final = 8
#: What a lost connection left behind is settled within this time, or the lane is left.
RECOVERY_SECONDS: Final = 1.0

Entries = tuple[Entry, ...]
Steps = Generator[Trip, list[Rows], Results]


def _uncounted(_name: str) -> None:
    """Count nothing."""


@dataclass(slots=True)
class BatchProgram:
    """Records entries of one lane, one batch at a time."""

    lane: Lane
    clock: Clock
    ids: Ids
    chance: Chance
    count: Callable[[str], None] = _uncounted
    #: What the lane last wrote is not known: it must be left for a fresh one.
    uncertain: bool = field(default=False, init=False)
    #: The batch of the trip that writes, and what was settled without writing, once it is sent.
    _sent: Prepared | None = field(default=None, init=False)
    _settled: Results = field(default_factory=dict, init=False)

    def open_lane(self, writer: str) -> Program[None]:
        """Write sequence 0 of a fresh lane: who writes, and where the other lanes stood."""
        _, heads = yield (TakeLane(self.lane.lane_id), ReadLaneHeads())
        note = lane_note(writer, heads)
        row = self.lane.batch_row((), note, epoch_micros(self.clock.now()))
        yield (Begin(), InsertBatch(row), Commit())
        self.lane.advance(row.root, row.n)

    def record(self, entries: Sequence[Entry]) -> Program[Results]:
        """Settle every entry; the results cover all keys."""
        return (yield from self._settle(tuple(entries), 1))

    # --- what may go wrong ---------------------------------------------------------------------

    def _settle(self, entries: Entries, rounds: int) -> Steps:
        if not entries:
            return {}
        if self.uncertain or rounds > MAX_ROUNDS:
            return _all(entries, Failed(LedgerBusyError("the ledger gives no rest")))
        self._sent = None
        try:
            return (yield from self._attempt(entries))
        except TruthError as error:
            self.count(type(error).__name__)
            recover = self._recovery(error)
        try:
            return (yield from recover(entries, rounds))
        except TruthError as error:
            # Cleaning up failed too: whatever is open is settled on a new connection.
            self.count(type(error).__name__)
            return (yield from self._after_lost_connection(entries, rounds + 1))

    def _recovery(self, error: TruthError) -> Callable[[Entries, int], Steps]:
        if isinstance(error, DuplicateKeyError | DeadlockError):
            return self._after_duplicate
        if isinstance(error, LockWaitError):
            return self._after_lock_wait
        if isinstance(error, LostConnectionError):
            return self._after_lost_connection
        return self._after_bad_value if isinstance(error, DataError) else self._after_server_error

    def _after_duplicate(self, entries: Entries, rounds: int) -> Steps:
        # A view read under lost locks is void, so what is not known begins from trip 1.
        yield (Rollback(),)
        (rows,) = yield (ReadKeys(tuple(entry.key for entry in entries)),)
        results: Results = {
            (row.client_id, row.idem_key): Known(row.decision_id, row.command_hash, row.reply)
            for row in rows
        }
        rest = tuple(entry for entry in entries if entry.key not in results)
        if len(rest) == 1 and rounds >= MAX_TRIES:
            return results | _all(rest, Failed(LedgerBusyError("the ledger gives no rest")))
        results.update((yield from self._settle(rest, rounds + 1)))
        return results

    def _after_lock_wait(self, entries: Entries, rounds: int) -> Steps:
        yield (Rollback(),)
        if len(entries) == 1:
            return _all(entries, Failed(LedgerBusyError("a lock was not granted in time")))
        results: Results = {}
        for entry in entries:
            results.update((yield from self._settle((entry,), rounds)))
        return results

    def _after_server_error(self, entries: Entries, rounds: int) -> Steps:
        yield (Rollback(),)
        if len(entries) > 1:
            middle = len(entries) // 2
            results = yield from self._settle(entries[:middle], 1)
            results.update((yield from self._settle(entries[middle:], 1)))
            return results
        if rounds < MAX_TRIES:
            return (yield from self._settle(entries, rounds + 1))
        return _all(entries, Failed(TransientError("the ledger refuses this request")))

    def _after_bad_value(self, entries: Entries, rounds: int) -> Steps:
        if len(entries) > 1:
            return (yield from self._after_server_error(entries, rounds))
        yield (Rollback(),)
        return _all(entries, Failed(PermanentError("a value of this request cannot be recorded")))

    # --- an unknown commit ---------------------------------------------------------------------

    def _after_lost_connection(self, entries: Entries, rounds: int) -> Steps:
        sent, settled = self._sent, self._settled
        began = self.clock.monotonic()
        while rounds <= MAX_ROUNDS and self.clock.monotonic() - began <= RECOVERY_SECONDS:
            rounds += 1
            try:
                yield (Reconnect(),)
                yield (TakeLane(self.lane.lane_id),)
                landed = sent is not None and (yield from self._landed(sent))
            except TruthError as error:
                self.count(type(error).__name__)
                continue
            if landed and sent is not None:
                return settled | sent.results()
            return (yield from self._settle(entries, rounds))
        return self._unresolved(entries, sent)

    def _unresolved(self, entries: Entries, sent: Prepared | None) -> Results:
        self.count("unresolved")
        if sent is None:
            return _all(entries, Failed(TransientError("the ledger's store does not answer")))
        self.uncertain = True
        return _all(entries, Failed(AmbiguousError("whether the batch landed is not known")))

    def _landed(self, sent: Prepared) -> Generator[Trip, list[Rows], bool]:
        """Arbitrate by a void batch under the same key: one of the two can exist, never both."""
        void = self.lane.batch_row((), "void", epoch_micros(self.clock.now()))
        try:
            yield (Begin(), InsertBatch(void), Commit())
        except DuplicateKeyError:
            yield (Rollback(),)
            (rows,) = yield (ReadBatch(self.lane.lane_id, self.lane.sequence),)
            row = rows[0]
            self.lane.advance(row.root, row.n)
            return bool(row.n > 0 and row.root == sent.batch.root)
        self.lane.advance(void.root, void.n)
        return False

    # --- the two trips -------------------------------------------------------------------------

    def _attempt(self, entries: Entries) -> Steps:
        now = self.clock.now()
        locks = any(entry.needs_person for entry in entries)
        view = yield from (self._read_view if locks else self._read_marks)(
            entries, epoch_micros(now)
        )
        results, prepared = self._prepare(entries, view, now)
        if prepared is None:
            yield (Rollback(),)
            return results
        self._sent, self._settled = prepared, results
        yield prepared.write_trip() if locks else (Begin(), *prepared.write_trip())
        self._sent = None
        self.lane.advance(prepared.batch.root, prepared.batch.n)
        return results | prepared.results()

    def _prepare(
        self, entries: Entries, view: View, now: datetime
    ) -> tuple[Results, Prepared | None]:
        try:
            return prepare(entries, view, self.lane, now, (self.ids, self.chance))
        except (TypeError, ValueError, OverflowError, RecursionError) as error:
            # What one request cannot be written down as (half a character, say) is its own affair.
            raise DataError(f"a value without bytes: {type(error).__name__}") from None

    def _read_marks(self, entries: Entries, now_us: int) -> Generator[Trip, list[Rows], View]:
        """
        Return the view of refusals alone: what marks them as duplicates.

        They lock nobody, so a transaction around the read would promise nothing. A key that is
        known already is found when it is written.
        """
        recent: Rows = []
        everyone = _persons(entries)
        if everyone:
            (recent,) = yield (ReadRecent(everyone, now_us - DUPLICATE_WINDOW_US),)
        return View(frozenset(), frozenset(), {}, {}, {}, recent_of(recent))

    def _read_view(self, entries: Entries, now_us: int) -> Generator[Trip, list[Rows], View]:
        lockable = _persons(entry for entry in entries if entry.needs_person)
        everyone = _persons(entries)
        customers = tuple(sorted({entry.case.application.customer_id for entry in entries}))
        reviews = tuple(
            sorted({entry.review.review_id for entry in entries if entry.review is not None})
        )
        _, locked, persons, rows, reserved, contracted, known, recent, opened, loss = yield (
            Begin(),
            LockPersons(lockable),
            ReadPersons(lockable),
            ReadCustomers(customers),
            ReadReservations(lockable, now_us),
            ReadContracts(lockable),
            ReadKeys(tuple(entry.key for entry in entries)),
            ReadRecent(everyone, now_us - DUPLICATE_WINDOW_US),
            ReadOpenReviews(reviews),
            ReadLoss(_looked_up(entries)),
        )
        view = View(
            locked=frozenset(locked),
            persons=frozenset(persons),
            customers={row.customer_id: row for row in rows},
            commitments=commitments_of([*reserved, *contracted]),
            known={(row.client_id, row.idem_key): row for row in known},
            recent=recent_of(recent),
            open_reviews=frozenset(opened),
            loss=loss[0] if loss else None,
        )
        yield from self._read_newer_profiles(entries, view)
        return view

    def _read_newer_profiles(
        self, entries: Entries, view: View
    ) -> Generator[Trip, list[Rows], None]:
        offering = [entry for entry in entries if entry.needs_person]
        stale = stale_customers(offering, view)
        if not stale:
            return
        self.count("newer_profile")
        (rows,) = yield (ReadProfiles(stale),)
        view.profiles.update({name: profile_from_bytes(payload) for name, payload in rows})


def _persons(entries: "Entries | Generator[Entry, None, None]") -> tuple[str, ...]:
    """Return the known persons in key order, the order in which every writer locks them."""
    return tuple(sorted({entry.case.person_id for entry in entries} - {""}))


def _looked_up(entries: Entries) -> tuple[str, ...]:
    """Return the decisions that other stores know, which the ledger must have to approve."""
    return tuple(sorted({name for e in entries if e.loss for name in e.loss.decision_ids}))


def _all(entries: Entries, result: Failed) -> Results:
    return {entry.key: result for entry in entries}
