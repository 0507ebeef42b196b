"""What the HTTP side asks of the core: one callable a use case, bound by bootstrap."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from decision_engine.commands import (
    CloseReviewCommand,
    Created,
    DecideCommand,
    Recorded,
    RequestReviewCommand,
    WhatIfCommand,
)
from decision_engine.customers import TransactionQuery
from decision_engine.decisions import DecisionQuery
from decision_engine.hot_lists import HotListQuery
from decision_engine.loss_window import OpenWindowCommand, ReleaseWindowCommand, WindowQuery
from decision_engine.pages import Page
from decision_engine.policy_desk import TrialCase
from decision_engine.review import ReviewQuery
from domain.ports.time import Deadline

Document = Mapping[str, Any]

Decide = Callable[[DecideCommand], Awaitable[Recorded]]
WhatIf = Callable[[WhatIfCommand], Awaitable[Document]]
#: Takes the body of the contract (texts, whole numbers), already validated.
Quote = Callable[[Document], Document]
ListDecisions = Callable[[DecisionQuery], Awaitable[Page]]
Replay = Callable[[str, Deadline], Awaitable[Document]]
RequestReview = Callable[[RequestReviewCommand], Awaitable[Created]]
ListReviews = Callable[[ReviewQuery], Awaitable[Page]]
CloseReview = Callable[[CloseReviewCommand], Awaitable[Recorded]]
ReadCustomer = Callable[[str, Deadline], Awaitable[Document]]
ListTransactions = Callable[[TransactionQuery], Awaitable[Page]]
#: One result an event, in the order given.
AcceptEvents = Callable[[Sequence[object], Deadline], Awaitable[Sequence[Document]]]
ListPolicies = Callable[[Deadline], Awaitable[Document]]
ShowPolicy = Callable[[str, Deadline], Awaitable[Document]]
#: Takes the id of a policy and the bytes of a document.
CheckPolicy = Callable[[str, bytes, Deadline], Awaitable[Document]]
#: Takes the id, another policy (its bytes, a version, None: the active one), and cases.
SimulatePolicy = Callable[
    [str, bytes | int | None, Sequence[TrialCase], Deadline], Awaitable[Document]
]
#: Takes the id and two versions; None: the one before, the active one.
DiffPolicy = Callable[[str, int | None, int | None, Deadline], Awaitable[Document]]
OpenLossWindow = Callable[[OpenWindowCommand], Awaitable[Created]]
ListLossWindows = Callable[[WindowQuery], Awaitable[Page]]
ReleaseLossWindow = Callable[[ReleaseWindowCommand], Awaitable[Created]]
ListHot = Callable[[HotListQuery], Awaitable[Page]]
#: `status` is `ready`, `degraded` or `unavailable`; `tiers` names each with its breaker's state.
Health = Callable[[], Awaitable[Document]]


class ReadDecision(Protocol):
    """Reads a decision, with reason texts in a language."""

    async def __call__(
        self, decision_id: str, language: str, deadline: Deadline
    ) -> bytes | Document:
        """
        Return the reply as recorded.

        Raises:
            NotFoundError: no such decision.
            GoneError: its content has been erased.
        """


class Explain(Protocol):
    """Explains a decision rule by rule."""

    async def __call__(self, decision_id: str, language: str, deadline: Deadline) -> Document:
        """
        Return every rule with its result, and what would help.

        Raises:
            NotFoundError: no such decision.
            GoneError: its content has been erased.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class UseCases:
    """Every use case that has a route."""

    decide: Decide
    what_if: WhatIf
    quote: Quote
    read_decision: ReadDecision
    list_decisions: ListDecisions
    explain: Explain
    replay: Replay
    request_review: RequestReview
    list_reviews: ListReviews
    close_review: CloseReview
    read_customer: ReadCustomer
    list_transactions: ListTransactions
    accept_events: AcceptEvents
    list_policies: ListPolicies
    show_policy: ShowPolicy
    check_policy: CheckPolicy
    simulate_policy: SimulatePolicy
    diff_policy: DiffPolicy
    open_loss_window: OpenLossWindow
    list_loss_windows: ListLossWindows
    release_loss_window: ReleaseLossWindow
    list_hot_by_type: ListHot
    list_hot_by_status: ListHot
    health: Health
