"""Routes of decisions: decide, read, list, explain, replay, ask for a review."""

from dataclasses import dataclass
from typing import Final

from adapters.inbound.http import examples
from adapters.inbound.http.bodies import ApplicationBody, EmptyBody, ReviewBody
from adapters.inbound.http.cursors import Cursors
from adapters.inbound.http.messages import Call, Reply, to_json
from adapters.inbound.http.operation import Operation, Success
from adapters.inbound.http.pages import limit_of, page_reply, place_of
from adapters.inbound.http.queries import (
    CURSOR,
    CUSTOMER_ID,
    FROM,
    LANGUAGE,
    LIMIT,
    OUTCOME,
    POLICY,
    TO,
    path_id,
)
from adapters.inbound.http.refusals import HeaderPairs
from adapters.inbound.http.replies import (
    DecisionPage,
    DecisionReply,
    ExplanationReply,
    ReplayReply,
    ReviewReply,
)
from adapters.inbound.http.use_cases import Document, UseCases
from adapters.inbound.http.validation import read_model
from adapters.security.request_keys import RequestKeys
from decision_engine.commands import Created, DecideCommand, RequestReviewCommand
from decision_engine.decisions import DecisionQuery

DECISIONS: Final = "/v1/credit-decisions"
ONE_DECISION: Final = f"{DECISIONS}/{{id}}"
LIST_PARAMETERS: Final = (CUSTOMER_ID, OUTCOME, POLICY, FROM, TO, LIMIT, CURSOR)
REPLAYED: Final = (b"idempotency-replayed", b"true")
NOTHING: Final[HeaderPairs] = ()
DECIDED: Final = Success(
    status=201,
    description="The decision is recorded.",
    model=DecisionReply,
    example=examples.DECISION,
    headers={
        "Location": "The decision.",
        "Idempotency-Replayed": "`true` when this reply was given before.",
    },
    links={
        f"GET {ONE_DECISION}": "decision_id",
        f"GET {ONE_DECISION}/explanation": "decision_id",
        f"POST {ONE_DECISION}/replay": "decision_id",
        f"POST {ONE_DECISION}/review": "decision_id",
    },
)


REVIEW_OPEN: Final = Success(
    status=201,
    description="The case is open.",
    model=ReviewReply,
    example=examples.REVIEW,
    headers={"Idempotency-Replayed": "`true` when this reply was given before."},
    links={"POST /v1/reviews/{id}/decision": "review_id"},
)


@dataclass(frozen=True, slots=True)
class DecisionHandlers:
    """From a request about decisions to the use case, and back to bytes."""

    use_cases: UseCases
    keys: RequestKeys
    cursors: Cursors

    async def decide_request(self, call: Call) -> Reply:
        """Decide: the hot path from the bytes of a request to the bytes of its reply."""
        application = read_model(ApplicationBody, call.body).application()
        recorded = await self.use_cases.decide(
            DecideCommand(
                client_id=call.principal.sub,
                idem_key=call.idem_key,
                command_hash=self.keys.command_hash("decide", application.canonical()),
                application=application,
                language=call.language,
                deadline=call.deadline,
            )
        )
        return Reply(201, recorded.reply, created(recorded.decision_id, replayed=recorded.replayed))

    async def read(self, call: Call) -> Reply:
        """Read one decision."""
        found = await self.use_cases.read_decision(path_id(call.path), call.language, call.deadline)
        return Reply(200, body_of(found))

    async def list(self, call: Call) -> Reply:
        """List decisions, newest first."""
        query = call.query
        page = await self.use_cases.list_decisions(
            DecisionQuery(
                limit=limit_of(query),
                before=place_of(self.cursors, DECISIONS, query),
                deadline=call.deadline,
                customer_id=query.get("customer_id", ""),
                outcome=query.get("outcome", ""),
                policy=query.get("policy", ""),
                from_us=query.get("from"),
                to_us=query.get("to"),
            )
        )
        return page_reply(self.cursors, DECISIONS, query, page)

    async def explain(self, call: Call) -> Reply:
        """Explain one decision rule by rule."""
        query = call.query
        language = query.get("language", call.language)
        explained = await self.use_cases.explain(path_id(call.path), language, call.deadline)
        return Reply(200, to_json(explained))

    async def replay(self, call: Call) -> Reply:
        """Decide again from the stored evidence."""
        read_model(EmptyBody, call.body)
        replayed = await self.use_cases.replay(path_id(call.path), call.deadline)
        return Reply(200, to_json(replayed))

    async def request_review(self, call: Call) -> Reply:
        """Open a review for a person who asks for one."""
        note = read_model(ReviewBody, call.body).note or ""
        decision_id = path_id(call.path)
        command = {"decision_id": decision_id} | ({"note": note} if note else {})
        created = await self.use_cases.request_review(
            RequestReviewCommand(
                decision_id=decision_id,
                client_id=call.principal.sub,
                idem_key=call.idem_key,
                command_hash=self.keys.command_hash("request-review", command),
                note=note,
                deadline=call.deadline,
            )
        )
        return reply_of(created)


def created(decision_id: str, *, replayed: bool) -> HeaderPairs:
    """Return the headers of a reply that made a decision, or gave it again."""
    location = (b"location", f"{DECISIONS}/{decision_id}".encode("ascii"))
    return (location, REPLAYED) if replayed else (location,)


def reply_of(made: Created) -> Reply:
    """Return the reply to a creating POST other than a decision."""
    return Reply(made.status, made.body, (REPLAYED,) if made.replayed else NOTHING)


def body_of(found: bytes | Document) -> bytes:
    """Return stored bytes as they are, a document as JSON."""
    return found if isinstance(found, bytes) else to_json(found)


def decision_operations(handlers: DecisionHandlers) -> list[Operation]:
    """Return the routes of decisions."""
    return [
        _decide(handlers),
        _list(handlers),
        _read(handlers),
        _explain(handlers),
        _replay(handlers),
        _request_review(handlers),
    ]


def _decide(handlers: DecisionHandlers) -> Operation:
    return Operation(
        method="POST",
        path=DECISIONS,
        handler=handlers.decide_request,
        tag="decisions",
        summary="Decide a credit application",
        description=(
            "Decides once, however often it is sent: the same Idempotency-Key and command get "
            "the same status and bytes. The decision is durable before the reply. An unknown "
            "customer is a decision too (REFERRED, R90)."
        ),
        scope="decisions:write",
        body=ApplicationBody,
        body_example=examples.APPLICATION,
        idempotent=True,
        success=DECIDED,
        problems=("gone",),
    )


def _list(handlers: DecisionHandlers) -> Operation:
    return Operation(
        method="GET",
        path=DECISIONS,
        handler=handlers.list,
        tag="decisions",
        summary="List decisions, newest first",
        scope="decisions:read",
        query=LIST_PARAMETERS,
        success=Success(model=DecisionPage, example=examples.DECISION_PAGE),
    )


def _read(handlers: DecisionHandlers) -> Operation:
    return Operation(
        method="GET",
        path=ONE_DECISION,
        handler=handlers.read,
        tag="decisions",
        summary="Read a decision",
        scope="decisions:read",
        success=Success(model=DecisionReply, example=examples.DECISION),
        problems=("not-found", "gone"),
    )


def _explain(handlers: DecisionHandlers) -> Operation:
    return Operation(
        method="GET",
        path=f"{ONE_DECISION}/explanation",
        handler=handlers.explain,
        tag="decisions",
        summary="Explain a decision",
        description="Every rule with its result, the ranked reasons, and what would help.",
        scope="decisions:read",
        query=(LANGUAGE,),
        success=Success(model=ExplanationReply, example=examples.EXPLANATION),
        problems=("not-found", "gone"),
    )


def _replay(handlers: DecisionHandlers) -> Operation:
    return Operation(
        method="POST",
        path=f"{ONE_DECISION}/replay",
        handler=handlers.replay,
        tag="decisions",
        summary="Decide again from the stored evidence",
        scope="decisions:read",
        body=EmptyBody,
        body_example={},
        body_required=False,
        success=Success(model=ReplayReply, example=examples.REPLAY),
        problems=("not-found",),
    )


def _request_review(handlers: DecisionHandlers) -> Operation:
    return Operation(
        method="POST",
        path=f"{ONE_DECISION}/review",
        handler=handlers.request_review,
        tag="reviews",
        summary="Ask for a review by a person",
        scope="decisions:write",
        body=ReviewBody,
        body_example=examples.REVIEW_BODY,
        body_required=False,
        idempotent=True,
        success=REVIEW_OPEN,
        problems=("not-found", "gone"),
    )
