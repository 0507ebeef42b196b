"""
One ledger batch as a program: a generator without I/O that every driver runs.

Trip 1 locks the persons and reads the view, the fold decides, trip 2 writes and commits
(ARCHITECTURE.md section 4, item 5). Whatever goes wrong ends in a definite answer for each entry:
recorded, known before, offer it again, or an error with nothing recorded.
"""

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from typing import Final

from decision_engine.record.entry import Again, Entry, Failed, Known
from decision_engine.record.prepare import Lane, Prepared, Results, prepare
from decision_engine.record.statements import (
    InsertBatch,
    LockPersons,
    ReadBatch,
    ReadContracts,
    ReadCustomers,
    ReadKeys,
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
from domain.errors import AmbiguousError, LedgerBusyError, TransientError
from domain.instants import epoch_micros
from domain.ports.time import Chance, Clock, Ids
from domain.ports.truth import (
    Begin,
    Commit,
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
    _sent: Prepared | None = field(default=None, init=False)

    def open_lane(self, note: str) -> Program[None]:
        """Write sequence 0 of a fresh lane: who writes, and where the other lanes stood."""
        row = self.lane.batch_row((), note, epoch_micros(self.clock.now()))
        yield (TakeLane(self.lane.lane_id), Begin(), InsertBatch(row), Commit())
        self.lane.advance(row.root, row.n)

    def record(self, entries: Sequence[Entry]) -> Program[Results]:
        """Settle every entry; the results cover all keys."""
        return (yield from self._settle(tuple(entries), 1))

    # --- what may go wrong ---------------------------------------------------------------------

    def _settle(self, entries: Entries, rounds: int) -> Steps:
        if not entries:
            return {}
        if rounds > MAX_ROUNDS:
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
        return self._after_server_error

    def _after_duplicate(self, entries: Entries, rounds: int) -> Steps:
        # A view read under lost locks is void, so what is not known begins from trip 1.
        yield (Rollback(),)
        (rows,) = yield (ReadKeys(tuple(entry.key for entry in entries)),)
        results: Results = {
            (row.client_id, row.idem_key): Known(row.decision_id, row.command_hash, row.reply)
            for row in rows
        }
        rest = tuple(entry for entry in entries if entry.key not in results)
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

    # --- an unknown commit ---------------------------------------------------------------------

    def _after_lost_connection(self, entries: Entries, rounds: int) -> Steps:
        sent = self._sent
        if rounds > MAX_ROUNDS:
            # Another part of this batch may have left it uncertain before.
            self.uncertain = self.uncertain or sent is not None
            return _all(entries, Failed(AmbiguousError("whether the batch landed is not known")))
        try:
            yield (Reconnect(),)
            yield (TakeLane(self.lane.lane_id),)
            landed = sent is not None and (yield from self._landed(sent))
        except TruthError:
            self._sent = sent
            return (yield from self._after_lost_connection(entries, rounds + 1))
        if landed and sent is not None:
            return self._known_landed(entries, sent)
        return (yield from self._settle(entries, rounds + 1))

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

    def _known_landed(self, entries: Entries, sent: Prepared) -> Results:
        results = sent.results()
        for entry in entries:
            results.setdefault(entry.key, Again("locked"))
        return results

    # --- the two trips -------------------------------------------------------------------------

    def _attempt(self, entries: Entries) -> Steps:
        now = self.clock.now()
        view = yield from self._read_view(entries, epoch_micros(now))
        results, prepared = prepare(entries, view, self.lane, now, (self.ids, self.chance))
        if prepared is None:
            yield (Rollback(),)
            return results
        self._sent = prepared
        yield prepared.write_trip()
        self._sent = None
        self.lane.advance(prepared.batch.root, prepared.batch.n)
        results.update(prepared.results())
        return results

    def _read_view(self, entries: Entries, now_us: int) -> Generator[Trip, list[Rows], View]:
        lockable = _persons(entry for entry in entries if entry.needs_person)
        everyone = _persons(entries)
        customers = tuple(sorted({entry.case.application.customer_id for entry in entries}))
        reviews = tuple(entry.review.review_id for entry in entries if entry.review is not None)
        _, locked, persons, rows, reserved, contracted, known, recent, opened = yield (
            Begin(),
            LockPersons(lockable),
            ReadPersons(lockable),
            ReadCustomers(customers),
            ReadReservations(lockable, now_us),
            ReadContracts(lockable),
            ReadKeys(tuple(entry.key for entry in entries)),
            ReadRecent(everyone, now_us - DUPLICATE_WINDOW_US),
            ReadOpenReviews(reviews),
        )
        view = View(
            locked=frozenset(locked),
            persons=frozenset(persons),
            customers={row.customer_id: row for row in rows},
            commitments=commitments_of([*reserved, *contracted]),
            known={(row.client_id, row.idem_key): row for row in known},
            recent=recent_of(recent),
            open_reviews=frozenset(opened),
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


def _all(entries: Entries, result: Failed) -> Results:
    return {entry.key: result for entry in entries}
