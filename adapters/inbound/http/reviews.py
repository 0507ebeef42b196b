"""Routes of reviews: list the cases, close one by a new decision."""

from dataclasses import dataclass
from typing import Final

from adapters.inbound.http import examples
from adapters.inbound.http.bodies import ReviewDecisionBody
from adapters.inbound.http.cursors import Cursors
from adapters.inbound.http.decisions import DECIDED, created
from adapters.inbound.http.messages import Call, Reply
from adapters.inbound.http.operation import Operation, Success
from adapters.inbound.http.pages import limit_of, page_reply, place_of
from adapters.inbound.http.queries import CURSOR, LIMIT, STATE, path_id
from adapters.inbound.http.replies import ReviewPage
from adapters.inbound.http.use_cases import UseCases
from adapters.inbound.http.validation import read_model
from adapters.security.request_keys import RequestKeys
from decision_engine.commands import CloseReviewCommand
from decision_engine.review import ReviewQuery

REVIEWS: Final = "/v1/reviews"
LIST_PARAMETERS: Final = (STATE, LIMIT, CURSOR)


@dataclass(frozen=True, slots=True)
class ReviewHandlers:
    """From a reviewer's request to the use case, and back to bytes."""

    use_cases: UseCases
    keys: RequestKeys
    cursors: Cursors

    async def list(self, call: Call) -> Reply:
        """List cases, newest first."""
        query = call.query
        page = await self.use_cases.list_reviews(
            ReviewQuery(
                limit=limit_of(query),
                before=place_of(self.cursors, REVIEWS, query),
                state=query.get("state", ""),
                deadline=call.deadline,
            )
        )
        return page_reply(self.cursors, REVIEWS, query, page)

    async def close(self, call: Call) -> Reply:
        """Close a case by a new decision, linked to the one under review."""
        body = read_model(ReviewDecisionBody, call.body)
        review_id = path_id(call.path)
        command = {"review_id": review_id, **body.canonical()}
        recorded = await self.use_cases.close_review(
            CloseReviewCommand(
                review_id=review_id,
                client_id=call.principal.sub,
                idem_key=call.idem_key,
                command_hash=self.keys.command_hash("close-review", command),
                outcome=body.outcome,
                reasons=body.reasons,
                note=body.note or "",
                language=call.language,
                deadline=call.deadline,
            )
        )
        return Reply(201, recorded.reply, created(recorded.decision_id, replayed=recorded.replayed))


def review_operations(handlers: ReviewHandlers) -> list[Operation]:
    """Return the routes of reviews."""
    return [
        Operation(
            method="GET",
            path=REVIEWS,
            handler=handlers.list,
            tag="reviews",
            summary="List cases, newest first",
            scope="reviews",
            query=LIST_PARAMETERS,
            success=Success(model=ReviewPage, example=examples.REVIEW_PAGE),
        ),
        Operation(
            method="POST",
            path=f"{REVIEWS}/{{id}}/decision",
            handler=handlers.close,
            tag="reviews",
            summary="Close a case by a new decision",
            description=(
                "The decision under review stays as it is; the new one is linked to it. An "
                "approval waives what referred the case, while declines and limits still hold."
            ),
            scope="reviews",
            body=ReviewDecisionBody,
            body_example=examples.REVIEW_DECISION_BODY,
            idempotent=True,
            success=DECIDED,
            problems=("not-found", "gone", "review-closed", "review-not-decidable"),
        ),
    ]
