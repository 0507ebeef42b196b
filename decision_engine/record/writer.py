"""
The ledger's writer of a process: entries in batches, on lanes of its own.

Who waits for whom is the `GroupWriter`'s (domain/group_writer.py); what a batch does and how it
recovers is the program's (batch.py). Here they meet: an entry waits for the person it locks, and
requests of persons who stay locked elsewhere go to the second connection, where they hold nobody
up (docs/decisions/0016).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from decision_engine.record.entry import Entry, Result
from decision_engine.record.ledger_lane import LedgerLane
from domain.errors import LedgerBusyError
from domain.group_writer import GroupWriter, Limits
from domain.ports.monitoring import Monitoring
from domain.ports.time import Chance, Clock, Deadline, Ids
from domain.ports.truth import Truth


def _unheard() -> None:
    """Tell nobody of a commit."""


@dataclass(slots=True)
class LedgerWriter:
    """
    Records entries through `truth`, in batches of its own lane.

    `beside` are other connections with a lane each: while the database works on the batch of one,
    the process prepares that of another. `second` is one more, for requests whose person stays
    locked elsewhere. Where one writes at a time (SQLite) none is needed. Their lanes are opened
    when they are first used.
    """

    truth: Truth
    clock: Clock
    ids: Ids
    chance: Chance
    monitoring: Monitoring
    note: str
    #: Called after each batch, so that what it left in the outbox is published at once.
    committed: Callable[[], None] = _unheard
    second: Truth | None = None
    beside: Sequence[Truth] = ()
    limits: Limits = field(default_factory=Limits)
    _lane: LedgerLane = field(init=False)
    _group: GroupWriter[Entry, Result] = field(init=False)

    def __post_init__(self) -> None:
        self._lane = self._lane_on(self.truth)
        self._group = GroupWriter(
            name="ledger",
            first=self._lane.write,
            second=None if self.second is None else self._lane_on(self.second).write,
            beside=[self._lane_on(truth).write for truth in self.beside],
            clock=self.clock,
            chance=self.chance,
            monitoring=self.monitoring,
            group=person_of,
            busy=LedgerBusyError,
            written=self.committed,
            limits=self.limits,
        )

    async def start(self) -> None:
        """
        Open a lane of this process and begin to write.

        Raises:
            TransientError: the store of truth is away.
        """
        await self._lane.open()
        self._group.start()

    async def stop(self, grace_s: float = 0.0) -> None:
        """Take nothing new, go on for `grace_s`, and finish the batches; the rest gets an error."""
        await self._group.stop(grace_s)

    async def record(self, entry: Entry, deadline: Deadline) -> Result:
        """
        Return what became of the entry: recorded, known before, to be gathered again, or failed.

        Raises:
            ThrottledError: the queue is too long or too old.
            DeadlineExceededError: withdrawn before a batch took it; nothing was recorded.
            LedgerBusyError: its person stayed locked, or the writer stops; nothing was recorded.
            TransientError: the store of truth is away; nothing was recorded.
            AmbiguousError: its key tells what was recorded.
        """
        return await self._group.submit(entry, deadline)

    def _lane_on(self, truth: Truth) -> LedgerLane:
        return LedgerLane(truth, self.clock, self.ids, self.chance, self.monitoring, self.note)


def person_of(entry: Entry) -> str | None:
    """Return the person whom the entry locks, or None: a refusal waits for nobody."""
    return entry.case.person_id if entry.needs_person else None
