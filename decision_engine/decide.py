"""Deciding a credit application: gather, evaluate, price, record, reply."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from decision_engine.case import CreditCase
from decision_engine.commands import DecideCommand, Recorded
from decision_engine.exposure import NO_EXPOSURE
from decision_engine.gather import Gather
from decision_engine.idempotency import require_same_command
from decision_engine.loss_check import LossCheck
from decision_engine.pricing.schedule import FIRST_DUE_MAX
from decision_engine.record.entry import Again, Done, Entry, Failed, Known, ReviewClosing
from decision_engine.record.lookup import KeyLookup
from decision_engine.record.statements import IdempotencyKey
from decision_engine.record.writer import LedgerWriter
from decision_engine.rulebook import Rulebook, Rulebooks
from decision_engine.snapshot import Gathered, take_snapshot
from decision_engine.turns import Flights, Turns
from domain.application import CreditApplication
from domain.errors import GoneError, InvalidInputError, LedgerBusyError
from domain.instants import business_day
from domain.ports.monitoring import Monitoring
from domain.ports.time import Clock, Deadline

#: A person that moves between customers is gathered again at most this often.
MAX_GATHERS = 3
#: Keys are scoped to the route: a review's key never meets a decision's.
ROUTE = "decide"


@dataclass(frozen=True, slots=True)
class Submission:
    """What identifies a request: caller, key, command and language; a review when it closes one."""

    client_id: str
    idem_key: str
    command_hash: str
    language: str
    deadline: Deadline
    review: ReviewClosing | None = None

    @property
    def key(self) -> IdempotencyKey:
        """What makes the request unique."""
        return (self.client_id, self.idem_key)


@dataclass(slots=True)
class CreditApproval:
    """
    Decide an application once, however often it is delivered, and reply only what is durable.

    - The same key and command get the same bytes; another command under the key is refused.
    - Missing, stale or incomplete data never approves.
    - What a person may still take up is counted under the person's lock.
    """

    gather: Gather
    rulebooks: Rulebooks
    writer: LedgerWriter
    lookup: KeyLookup
    losses: LossCheck
    clock: Clock
    monitoring: Monitoring
    _flights: Flights[IdempotencyKey, Recorded] = field(default_factory=Flights, init=False)
    _turns: Turns = field(default_factory=Turns, init=False)

    async def __call__(self, command: DecideCommand) -> Recorded:
        """
        Return the durable reply.

        Raises:
            InvalidInputError: unknown product, or the key belongs to another command.
            ConflictError: `request-in-progress`, the same key is still being decided.
            GoneError: the decision under this key has been erased.
            TransientError: nothing was recorded; try again with the same key.
            AmbiguousError: the same key tells what was recorded.
        """
        submission = Submission(
            command.client_id,
            f"{ROUTE}:{command.idem_key}",
            command.command_hash,
            command.language,
            command.deadline,
        )
        recorded = await self.submit(submission, command.application)
        self.monitoring.count("decisions_total", replayed=str(recorded.replayed).lower())
        return recorded

    async def submit(self, submission: Submission, application: CreditApplication) -> Recorded:
        """Run a submission; others of its key wait, and get what it recorded, from the ledger."""
        return await self._flights.fly(
            submission.key,
            lambda: self._run(submission, application),
            lambda: submission.deadline.remaining(self.clock),
        )

    async def _run(self, submission: Submission, application: CreditApplication) -> Recorded:
        known = await self.lookup.find(submission.key, submission.deadline)
        if known is not None:
            row = Known(known.decision_id, known.command_hash, known.reply)
            return _reply_of(row, submission.command_hash)
        async with self._turns.turn(application.customer_id):
            return await self._decide(submission, application)

    async def _decide(self, submission: Submission, application: CreditApplication) -> Recorded:
        rulebook = self._rulebook(application)
        as_of = self.clock.now()
        check_first_due_on(application, as_of)
        for turn in range(MAX_GATHERS):
            submission.deadline.check(self.clock)
            # A tier that still names another person would do so again: the next turn asks truth.
            gathered = await self.gather(
                application.customer_id, submission.deadline, from_truth=turn > 0
            )
            entry = _entry(submission, application, rulebook, (gathered, as_of))
            if entry.proposal.offering:
                look = await self.losses.look(
                    application.customer_id, entry.case.person_id, submission.deadline
                )
                entry = entry if look is None else replace(entry, loss=look)
            result = await self.writer.record(entry, submission.deadline)
            if isinstance(result, Again) and result.why == "window":
                self.losses.expect()
            if not isinstance(result, Again):
                return _reply_of(result, submission.command_hash)
        raise LedgerBusyError("the person of this customer keeps changing")

    def _rulebook(self, application: CreditApplication) -> Rulebook:
        rulebook = self.rulebooks.active.get(application.product)
        if rulebook is None:
            raise InvalidInputError.at(
                "/product", "product-unknown", "no active policy decides this product"
            )
        return rulebook


def _entry(
    submission: Submission,
    application: CreditApplication,
    rulebook: Rulebook,
    seen: tuple[Gathered, datetime],
) -> Entry:
    gathered, as_of = seen
    case = CreditCase(
        application=application,
        rulebook=rulebook,
        snapshot=take_snapshot(gathered, rulebook.fields, as_of),
        human=submission.review.human if submission.review else None,
    )
    return Entry(
        client_id=submission.client_id,
        idem_key=submission.idem_key,
        command_hash=submission.command_hash,
        language=submission.language,
        case=case,
        proposal=case.assess(NO_EXPOSURE),
        review=submission.review,
    )


def check_first_due_on(application: CreditApplication, as_of: datetime) -> None:
    """
    Refuse a first due date that no plan of today can have.

    Raises:
        InvalidInputError: `first-due-range`.
    """
    if application.first_due_on is None:
        return
    if not timedelta(0) < application.first_due_on - business_day(as_of) <= FIRST_DUE_MAX:
        raise InvalidInputError.at(
            "/first_due_on", "first-due-range", "first_due_on is 1 to 120 days after today"
        )


def _reply_of(result: Done | Known | Failed, command_hash: str) -> Recorded:
    if isinstance(result, Failed):
        raise result.error
    if isinstance(result, Done):
        return Recorded(result.decision_id, result.reply, replayed=False)
    require_same_command(result.command_hash, command_hash)
    if result.reply is None:
        raise GoneError("the decision under this key is no longer retained")
    return Recorded(result.decision_id, result.reply, replayed=True)
