"""
Where REFERRED goes, and a person's right to a review (LGPD art. 20).

A review ends in a *new* decision linked to the first one, which stays as it is. The reviewer's
approval waives what referred the case; declines, limits and prices hold as for everybody.
"""

from dataclasses import dataclass

from decision_engine.archive import (
    InsertKey,
    ListReviews,
    ReadKey,
    ReadReview,
    ReadReviewsOf,
    StoredKey,
    StoredReview,
)
from decision_engine.commands import CloseReviewCommand, Created, Recorded, RequestReviewCommand
from decision_engine.decide import CreditApproval, Submission
from decision_engine.evidence import Evidence
from decision_engine.idempotency import in_progress, require_same_command
from decision_engine.pages import Page, page_of
from decision_engine.record.entry import HumanVerdict, ReviewClosing
from decision_engine.record.statements import InsertReviews, ReviewRow
from decision_engine.replay import read_decision
from domain.canonical import encode
from domain.errors import GoneError, NotFoundError
from domain.instants import epoch_micros, from_epoch_micros, instant_millis
from domain.ports.time import Clock, Deadline, Ids
from domain.ports.truth import Begin, Commit, DuplicateKeyError, Program, Rollback, Truth

REQUESTED = "REQUESTED"
CREATED = 201


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewQuery:
    """A page of cases, newest first; an empty state means "any"."""

    limit: int
    before: tuple[int, str] | None
    state: str
    deadline: Deadline


@dataclass(frozen=True, slots=True)
class Reviews:
    """Opens, lists and closes cases."""

    truth: Truth
    approval: CreditApproval
    clock: Clock
    ids: Ids

    async def page(self, query: ReviewQuery) -> Page:
        """Return a page of cases."""
        statement = ListReviews(query.limit + 1, query.before, query.state)
        (rows,) = await self.truth.read([statement], query.deadline)
        return page_of(rows, query.limit, lambda row: (row.opened_us, row.review_id), shown)

    async def request(self, command: RequestReviewCommand) -> Created:
        """
        Open a case for a decision, once a key; an open case of the decision is returned as it is.

        Raises:
            NotFoundError: no such decision.
            InvalidInputError: the key belongs to another command.
        """
        stored = await read_decision(self.truth, command.decision_id, command.deadline)
        scope = f"{command.client_id}|review"
        row = ReviewRow(
            review_id=self.ids.uuid7(self.clock.now()),
            decision_id=stored.decision_id,
            customer_id=stored.customer_id,
            state="OPEN",
            cause=REQUESTED,
            opened_us=epoch_micros(self.clock.now()),
        )
        kept = await self.truth.transact(
            lambda: _request_program(row, scope, command), command.deadline
        )
        require_same_command(kept.command_hash, command.command_hash)
        replayed = kept.created_us != row.opened_us or row.review_id.encode() not in kept.reply
        return Created(kept.status, kept.reply, replayed)

    async def close(self, command: CloseReviewCommand) -> Recorded:
        """
        Decide the case of a review again, and close it in the same transaction.

        Raises:
            NotFoundError: no such review.
            ConflictError: `review-closed`; somebody else was first.
            GoneError: the decision under review has been erased.
        """
        review = await self._read(command.review_id, command.deadline)
        stored = await read_decision(self.truth, review.decision_id, command.deadline)
        if stored.evidence is None:
            raise GoneError("the decision under review is no longer retained")
        closing = ReviewClosing(
            review_id=review.review_id,
            reviewed_decision=review.decision_id,
            reviewer=command.client_id,
            note=command.note,
            human=HumanVerdict(command.outcome, command.reasons),
        )
        submission = Submission(
            command.client_id,
            f"review:{review.review_id}:{command.idem_key}",
            command.command_hash,
            command.language,
            command.deadline,
            closing,
        )
        application = Evidence.parse(stored.evidence).application
        return await self.approval.submit(submission, application)

    async def _read(self, review_id: str, deadline: Deadline) -> StoredReview:
        (rows,) = await self.truth.read([ReadReview(review_id)], deadline)
        if not rows:
            raise NotFoundError("no review has this id")
        found: StoredReview = rows[0]
        return found


def shown(row: StoredReview) -> dict[str, object]:
    """Return the public form of a case."""
    form: dict[str, object] = {
        "review_id": row.review_id,
        "decision_id": row.decision_id,
        "customer_id": row.customer_id,
        "state": row.state,
        "cause": row.cause,
        "opened_at": instant_millis(from_epoch_micros(row.opened_us)),
        "links": {"decision": f"/v1/credit-decisions/{row.decision_id}"},
    }
    if row.state == "CLOSED":
        form["closed_at"] = instant_millis(from_epoch_micros(row.closed_us))
        form["closed_by"] = row.closed_by
    return form


def _request_program(
    row: ReviewRow, scope: str, command: RequestReviewCommand
) -> Program[StoredKey]:
    _, known, open_reviews = yield (
        Begin(),
        ReadKey(scope, command.idem_key),
        ReadReviewsOf(row.decision_id),
    )
    if known:
        yield (Rollback(),)
        held: StoredKey = known[0]
        return held
    existing = [review for review in open_reviews if review.state == "OPEN"]
    body = shown(existing[0] if existing else _stored(row))
    key = StoredKey(
        scope, command.idem_key, command.command_hash, CREATED, encode(body), row.opened_us
    )
    writes = [InsertKey(key)] if existing else [InsertKey(key), InsertReviews((row,))]
    try:
        yield (*writes, Commit())
    except DuplicateKeyError as error:
        yield (Rollback(),)
        raise in_progress() from error
    return key


def _stored(row: ReviewRow) -> StoredReview:
    return StoredReview(
        row.review_id,
        row.decision_id,
        row.customer_id,
        row.state,
        row.cause,
        row.opened_us,
        "",
        "",
        "",
        0,
    )
