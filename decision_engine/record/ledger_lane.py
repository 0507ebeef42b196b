"""One connection to the store of truth with its own chain of batches."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from decision_engine.record.batch import BatchProgram
from decision_engine.record.entry import Again, Entry, Result
from decision_engine.record.prepare import Lane
from domain.errors import AmbiguousError, TransientError
from domain.ports.monitoring import Monitoring
from domain.ports.time import Chance, Clock, Deadline, Ids
from domain.ports.truth import Truth, TruthError

#: A batch, once begun, is waited for as long as it takes; recovery bounds itself.
BATCH_SECONDS: Final = 30.0


@dataclass(slots=True)
class LedgerLane:
    """Writes batches; a lane whose last batch is not known is left, and a fresh one opened."""

    truth: Truth
    clock: Clock
    ids: Ids
    chance: Chance
    monitoring: Monitoring
    note: str
    _program: BatchProgram | None = field(default=None, init=False)

    async def open(self) -> BatchProgram:
        """
        Return the program of the lane that is open, after opening one if there is none.

        Raises:
            TransientError: the store of truth is away.
        """
        if self._program is None:
            self._program = await self._open()
        return self._program

    async def write(self, entries: Sequence[Entry]) -> Sequence[Result | None]:
        """
        Settle entries; None is for those whose person is locked elsewhere.

        Raises:
            CreditError: the same for all of them.
        """
        program = await self.open()
        # Until the end is known, what the lane last wrote is not.
        self._program = None
        results = await self.truth.transact(lambda: program.record(entries), self._deadline())
        if not program.uncertain:
            self._program = program
        return [_unless_locked(results[entry.key]) for entry in entries]

    async def _open(self) -> BatchProgram:
        program = BatchProgram(
            Lane(self.ids.uuid7(self.clock.now())),
            self.clock,
            self.ids,
            self.chance,
            lambda name: self.monitoring.count("ledger_recoveries_total", kind=name),
        )
        try:
            await self.truth.transact(lambda: program.open_lane(self.note), self._deadline())
        except (TruthError, AmbiguousError) as error:
            # Whether the empty first batch landed is of no matter: the next try has a fresh lane.
            raise TransientError("no lane of the ledger could be opened") from error
        self.monitoring.count("ledger_lanes_opened_total")
        return program

    def _deadline(self) -> Deadline:
        return Deadline.after(self.clock, BATCH_SECONDS)


def _unless_locked(result: Result) -> Result | None:
    locked = isinstance(result, Again) and result.why == "locked"
    return None if locked else result
