"""Routes of loss windows: open one, list them, release one."""

from dataclasses import dataclass
from typing import Final

from adapters.inbound.http import examples
from adapters.inbound.http.bodies import LossReleaseBody, LossWindowBody
from adapters.inbound.http.cursors import Cursors
from adapters.inbound.http.decisions import reply_of
from adapters.inbound.http.messages import Call, Reply
from adapters.inbound.http.operation import Operation, Success
from adapters.inbound.http.pages import limit_of, page_reply, place_of
from adapters.inbound.http.queries import CURSOR, LIMIT, path_id
from adapters.inbound.http.replies import LossReleaseReply, LossWindowPage, LossWindowReply
from adapters.inbound.http.use_cases import UseCases
from adapters.inbound.http.validation import read_model
from adapters.security.request_keys import RequestKeys
from decision_engine.loss_window import OpenWindowCommand, ReleaseWindowCommand, WindowQuery

LOSS_WINDOWS: Final = "/v1/loss-windows"
REPLAYED: Final = {"Idempotency-Replayed": "`true` when this reply was given before."}


@dataclass(frozen=True, slots=True)
class LossWindowHandlers:
    """From an operator's request to the use case, and back to bytes."""

    use_cases: UseCases
    keys: RequestKeys
    cursors: Cursors

    async def open(self, call: Call) -> Reply:
        """Open a window: from now on approvals and offers wait where a decision is missing."""
        body = read_model(LossWindowBody, call.body)
        command = {"cause": body.cause, "reason": body.reason}
        return reply_of(
            await self.use_cases.open_loss_window(
                OpenWindowCommand(
                    client_id=call.principal.sub,
                    idem_key=call.idem_key,
                    command_hash=self.keys.command_hash("open-loss-window", command),
                    cause=body.cause,
                    reason=body.reason,
                    deadline=call.deadline,
                )
            )
        )

    async def list(self, call: Call) -> Reply:
        """List windows, newest first."""
        query = call.query
        place = place_of(self.cursors, LOSS_WINDOWS, query)
        page = await self.use_cases.list_loss_windows(
            WindowQuery(limit=limit_of(query), before=place, deadline=call.deadline)
        )
        return page_reply(self.cursors, LOSS_WINDOWS, query, page)

    async def release(self, call: Call) -> Reply:
        """Release a window."""
        body = read_model(LossReleaseBody, call.body)
        window_id = path_id(call.path)
        command = {"window_id": window_id, "note": body.note}
        return reply_of(
            await self.use_cases.release_loss_window(
                ReleaseWindowCommand(
                    window_id=window_id,
                    client_id=call.principal.sub,
                    idem_key=call.idem_key,
                    command_hash=self.keys.command_hash("release-loss-window", command),
                    note=body.note,
                    deadline=call.deadline,
                )
            )
        )


def loss_window_operations(handlers: LossWindowHandlers) -> list[Operation]:
    """Return the routes of loss windows."""
    return [
        _open(handlers),
        Operation(
            method="GET",
            path=LOSS_WINDOWS,
            handler=handlers.list,
            tag="operations",
            summary="List loss windows, newest first",
            scope="operations",
            query=(LIMIT, CURSOR),
            success=Success(model=LossWindowPage, example=examples.LOSS_WINDOW_PAGE),
        ),
        _release(handlers),
    ]


def _open(handlers: LossWindowHandlers) -> Operation:
    return Operation(
        method="POST",
        path=LOSS_WINDOWS,
        handler=handlers.open,
        tag="operations",
        summary="Open a loss window",
        description=(
            "After a region was lost or the ledger restored: what would be approved or offered "
            "is REFERRED (R92) for every person with a decision that other stores know and the "
            "ledger lacks, and for everybody while that cannot be read. One window is open at a "
            "time."
        ),
        scope="operations",
        body=LossWindowBody,
        body_example=examples.LOSS_WINDOW_BODY,
        idempotent=True,
        success=Success(
            status=201,
            description="The window is open.",
            model=LossWindowReply,
            example=examples.LOSS_WINDOW,
            headers=REPLAYED,
            links={f"POST {LOSS_WINDOWS}/{{id}}/release": "window_id"},
        ),
        problems=("loss-window-open",),
    )


def _release(handlers: LossWindowHandlers) -> Operation:
    return Operation(
        method="POST",
        path=f"{LOSS_WINDOWS}/{{id}}/release",
        handler=handlers.release,
        tag="operations",
        summary="Release a loss window",
        description=(
            "`persons_waiting` says how many persons with an open case of cause LOSS_WINDOW it "
            "still held up; their cases stay open."
        ),
        scope="operations",
        body=LossReleaseBody,
        body_example=examples.LOSS_RELEASE_BODY,
        idempotent=True,
        success=Success(
            status=201,
            description="The window is released.",
            model=LossReleaseReply,
            example=examples.LOSS_RELEASE,
            headers=REPLAYED,
        ),
        problems=("not-found", "loss-window-released"),
    )
