"""The state of truth as one transaction sees it, and the pure fold of a batch over it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from decision_engine.exposure import Commitment, Exposure
from decision_engine.record.compose import Verdict
from decision_engine.record.entry import Again, Case, Entry, Failed, Known, Result
from decision_engine.record.loss import LossRow, find_loss
from decision_engine.record.statements import (
    CustomerRow,
    ExposureRow,
    IdempotencyKey,
    RecentRow,
    ReplyRow,
)
from domain.customer import CreditData
from domain.decision import Outcome
from domain.errors import ConflictError

#: Same person, product and nearly the same amount within this time is marked as a duplicate.
DUPLICATE_WINDOW: Final = timedelta(hours=24)
DUPLICATE_WINDOW_US: Final = DUPLICATE_WINDOW // timedelta(microseconds=1)
#: Amounts within a tenth of the earlier one are near.
NEAR: Final = 10


@dataclass(slots=True)
class View:
    """What was read under the locks; the fold adds what the batch itself commits to."""

    locked: frozenset[str]
    persons: frozenset[str]
    customers: dict[str, CustomerRow]
    commitments: dict[str, list[Commitment]]
    known: dict[IdempotencyKey, ReplyRow]
    recent: dict[str, list[RecentRow]]
    open_reviews: frozenset[str] = frozenset()
    loss: LossRow | None = None
    profiles: dict[str, CreditData] = field(default_factory=dict)

    def exposure(self, person_id: str) -> Exposure:
        """Return everything the person is committed to, those of this batch included."""
        return Exposure(tuple(self.commitments.get(person_id, ())))


def commitments_of(rows: Iterable[ExposureRow]) -> dict[str, list[Commitment]]:
    """Group exposure rows by person, each group in a stable order."""
    grouped: dict[str, list[Commitment]] = {}
    for row in sorted(rows, key=lambda row: (row.person_id, row.source_id)):
        commitment = Commitment(row.source_id, row.principal, row.instalment)
        grouped.setdefault(row.person_id, []).append(commitment)
    return grouped


def recent_of(rows: Iterable[RecentRow]) -> dict[str, list[RecentRow]]:
    """Group recent decisions by person, oldest first."""
    grouped: dict[str, list[RecentRow]] = {}
    for row in sorted(rows, key=lambda row: (row.decided_us, row.decision_id)):
        grouped.setdefault(row.person_id, []).append(row)
    return grouped


def stale_customers(entries: Sequence[Entry], view: View) -> tuple[str, ...]:
    """Return the customers of offering entries whose profile is newer in truth than as gathered."""
    stale = set()
    for entry in entries:
        row = view.customers.get(entry.case.application.customer_id)
        if row is not None and row.profile_version != entry.case.profile_version:
            stale.add(row.customer_id)
    return tuple(sorted(stale))


def fold(entry: Entry, view: View, decided_us: int) -> Verdict | Result:
    """Return the final verdict on one entry, or why there is none; a verdict enters the view."""
    settled = _settled(entry, view)
    if settled is not None:
        return settled
    case = _current_case(entry, view)
    proposal = entry.proposal
    exposure = view.exposure(case.person_id)
    if case is not entry.case or exposure.commitments:
        proposal = case.assess(exposure)
    if proposal.offering and view.loss is not None:
        finding = find_loss(entry.loss, view.loss)
        if finding is None:
            # Opened after this request had looked, or looked while another window was open.
            return Again("window")
        case = case.with_loss(finding)
        proposal = case.assess(exposure) if finding.blocks else proposal
    if entry.review is not None and proposal.outcome is Outcome.REFERRED:
        return Failed(
            ConflictError("what is missing must be recorded first", code="review-not-decidable")
        )
    verdict = Verdict(entry, case, proposal, _duplicate_of(case, view, decided_us))
    if proposal.offering and case.person_id not in view.locked:
        # A newer profile may turn a refusal into an approval; its person was never locked.
        return Again("person")
    return verdict


def enter(verdict: Verdict, decision_id: str, view: View, decided_us: int) -> None:
    """Add what a verdict commits to, so that the next entries of the batch see it."""
    person_id = verdict.case.person_id
    proposal = verdict.proposal
    if proposal.offering:
        commitment = Commitment(
            decision_id, proposal.reserved_principal, proposal.reserved_instalment
        )
        view.commitments.setdefault(person_id, []).append(commitment)
    application = verdict.case.application
    row = RecentRow(
        person_id, application.product, application.amount.centavos, decided_us, decision_id
    )
    view.recent.setdefault(person_id, []).append(row)
    if verdict.entry.review is not None:
        view.open_reviews -= {verdict.entry.review.review_id}


def _settled(entry: Entry, view: View) -> Result | None:
    row = view.known.get(entry.key)
    if row is not None:
        return Known(row.decision_id, row.command_hash, row.reply)
    if entry.review is not None and entry.review.review_id not in view.open_reviews:
        return Failed(ConflictError("the review is closed", code="review-closed"))
    person_id = entry.case.person_id
    if not entry.needs_person:
        return None
    customer = view.customers.get(entry.case.application.customer_id)
    if customer is not None and customer.person_id != person_id:
        return Again("person")
    if person_id in view.persons and person_id not in view.locked:
        return Again("locked")
    return None


def _current_case(entry: Entry, view: View) -> Case:
    if not entry.needs_person:
        return entry.case
    customer_id = entry.case.application.customer_id
    if customer_id not in view.customers or entry.case.person_id not in view.persons:
        return entry.case.with_profile(None)
    profile = view.profiles.get(customer_id)
    return entry.case if profile is None else entry.case.with_profile(profile)


def _duplicate_of(case: Case, view: View, decided_us: int) -> str:
    application = case.application
    for row in view.recent.get(case.person_id, ()):
        near = abs(row.amount - application.amount.centavos) * NEAR <= row.amount
        recent = decided_us - row.decided_us <= DUPLICATE_WINDOW_US
        if row.product == application.product and near and recent:
            return row.decision_id
    return ""
