"""
The shapes of replies, for the OpenAPI document and for tests.

The core makes the replies; these models only say what a caller may rely on. Fields may be added.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Money = Annotated[str, Field(pattern=r"^-?(0|[1-9][0-9]*)\.[0-9]{2}$", examples=["8000.00"])]
Fraction = Annotated[str, Field(pattern=r"^-?[0-9]+(\.[0-9]+)?$", examples=["0.0231"])]
Instant = Annotated[
    str,
    Field(
        pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z$",
        examples=["2026-12-10T14:03:11.512Z"],
    ),
]
Day = Annotated[str, Field(pattern="^[0-9]{4}-[0-9]{2}-[0-9]{2}$", examples=["2027-01-10"])]
Outcome = Literal["APPROVED", "COUNTER_OFFER", "DECLINED", "REFERRED"]
Cursor = Annotated[str | None, Field(description="For `?cursor=`; null on the last page.")]


class ReplyModel(BaseModel):
    """Any reply: known fields, and room for more."""

    model_config = ConfigDict(extra="allow")


class PolicyReference(ReplyModel):
    """The policy version that decided."""

    id: str
    version: int
    hash: str
    role: Literal["champion", "challenger"]


class ModelReference(ReplyModel):
    """The scorecard that scored."""

    id: str
    version: int
    hash: str


class Score(ReplyModel):
    """The points and their band."""

    value: int
    band: str


class Reason(ReplyModel):
    """Why the answer is not the one asked for."""

    code: str
    family: str
    text: str


class Offer(ReplyModel):
    """Priced terms that can be accepted until they expire."""

    offer_id: str
    amount: Money
    term_months: int
    amortization: Literal["price", "sac"]
    monthly_rate: Fraction
    principal: Money
    iof: Money
    instalment: Money
    last_instalment: Money
    total: Money
    cet_annual: Fraction
    cet_monthly: Fraction
    first_due_on: Day
    expires_at: Instant


class Evidence(ReplyModel):
    """What the decision read, from where."""

    profile_version: int | None = None
    sources: list[dict[str, Any]] = Field(default_factory=list)
    degraded: list[str] = Field(default_factory=list)


class DecisionReply(ReplyModel):
    """A recorded decision."""

    decision_id: str
    outcome: Outcome
    customer_id: str
    decided_at: Instant
    policy: PolicyReference
    model: ModelReference | None = None
    score: Score | None = None
    reasons: list[Reason]
    offers: list[Offer]
    evidence: Evidence
    links: dict[str, str]


class DecisionSummary(ReplyModel):
    """A decision in a list."""

    decision_id: str
    customer_id: str
    product: str
    amount: Money
    term_months: int
    outcome: Outcome
    decided_at: Instant
    policy: dict[str, Any]
    links: dict[str, str]


class DecisionPage(ReplyModel):
    """A page of decisions, newest first."""

    items: list[DecisionSummary]
    next_cursor: Cursor


class RuleResult(ReplyModel):
    """One rule: what it compared, and what came out."""

    rule: str
    result: Literal["hit", "no_hit", "not_evaluable", "not_reached"]


class ExplanationReply(ReplyModel):
    """Why a decision is what it is."""

    decision_id: str
    outcome: Outcome
    reasons: list[dict[str, Any]]
    rules: list[RuleResult]


class ReplayReply(ReplyModel):
    """What deciding again from the evidence gave."""

    verdict: Literal["EQUAL", "EQUAL_OTHER_ENGINE", "DIFFERENT", "ERASED"]
    stored_hash: str
    replayed_hash: str
    differences: list[str]


class WhatIfReply(ReplyModel):
    """An evaluation that was not recorded."""

    recorded: Literal[False]
    outcome: Outcome
    reasons: list[Reason]
    offers: list[dict[str, Any]]


class Instalment(ReplyModel):
    """One row of a plan."""

    number: int
    due_on: Day
    instalment: Money
    interest: Money
    amortization: Money
    balance: Money


class QuoteReply(ReplyModel):
    """A priced loan."""

    principal: Money
    iof: Money
    instalments: list[Instalment]
    total: Money
    total_interest: Money
    cet_annual: Fraction
    cet_monthly: Fraction


class ReviewReply(ReplyModel):
    """A case for a person."""

    review_id: str
    decision_id: str
    customer_id: str
    state: Literal["OPEN", "CLOSED"]
    cause: Literal["REFERRED", "REQUESTED", "LOSS_WINDOW"]
    opened_at: Instant


class ReviewPage(ReplyModel):
    """A page of cases, newest first."""

    items: list[ReviewReply]
    next_cursor: Cursor


class CustomerReply(ReplyModel):
    """A masked profile; each attribute with where it comes from."""

    customer_id: str
    profile_version: int
    attributes: dict[str, dict[str, Any]]


class TransactionReply(ReplyModel):
    """One dated fact."""

    event_id: str
    kind: str
    occurred_at: Instant
    reversed: bool


class TransactionPage(ReplyModel):
    """A page of a customer's history, newest first; `degraded` names stores that were away."""

    items: list[TransactionReply]
    next_cursor: Cursor
    degraded: list[str] | None = None


class EventResult(ReplyModel):
    """What became of one event."""

    event_id: str | None = None
    status: Literal["accepted", "refused"]
    reason: str | None = None


class EventsReply(ReplyModel):
    """One result an event, in the order given."""

    results: list[EventResult]


class PolicySummary(ReplyModel):
    """A published policy version."""

    policy_id: str
    version: int
    hash: str
    product: str
    status: str


class PolicyList(ReplyModel):
    """Every policy version."""

    items: list[PolicySummary]
    next_cursor: Cursor


class PolicyReply(PolicySummary):
    """A policy version with its document."""

    document: dict[str, Any]


class PolicyFinding(ReplyModel):
    """What is wrong with a policy, where, and what to do; empty parts have no such place."""

    severity: Literal["error", "warning"]
    node: str
    row: str
    cell: str
    sentence: str


class PolicyCheckReply(ReplyModel):
    """What a check found; without an error the policy could be published."""

    policy: dict[str, Any]
    valid: bool
    findings: list[PolicyFinding]


class SimulatedCase(ReplyModel):
    """One case under both policies, and where they differ."""

    name: str
    active: dict[str, Any]
    submitted: dict[str, Any]
    changes: list[dict[str, str]]


class SimulationReply(ReplyModel):
    """Cases put through two policies; nothing was recorded."""

    recorded: Literal[False]
    active: dict[str, Any]
    submitted: dict[str, Any]
    summary: dict[str, Any]
    cases: list[SimulatedCase]


class PolicyChange(ReplyModel):
    """One change in the words of an analyst, and its parts."""

    kind: str
    action: Literal["added", "removed", "changed", "moved"]
    node: str
    row: str
    position: int
    name: str
    before: str
    after: str
    sentence: str


class PolicyDiffReply(ReplyModel):
    """What changed from one version to another."""

    policy_id: str
    changes: list[PolicyChange]


class LossWindowReply(ReplyModel):
    """A loss window; once released, by whom and why."""

    window_id: str
    state: Literal["OPEN", "RELEASED"]
    cause: Literal["RESTORE", "REGION_LOSS", "OTHER"]
    reason: str
    opened_at: Instant
    opened_by: str
    released_at: Instant | None = None
    released_by: str | None = None
    note: str | None = None


class LossReleaseReply(LossWindowReply):
    """A window that has just been released, with the persons that it still held up."""

    persons_waiting: int


class LossWindowPage(ReplyModel):
    """A page of loss windows, newest first."""

    items: list[LossWindowReply]
    next_cursor: Cursor


class HotRowReply(ReplyModel):
    """A row of the hot store: its key and readable columns, never what it says of the person."""

    customer_id: str
    data_type: str
    version: int
    status: str | None
    created_at: Instant | None
    updated_at: Instant | None


class HotRowPage(ReplyModel):
    """A page of rows of the hot store, newest first."""

    items: list[HotRowReply]
    next_cursor: Cursor


class LiveReply(ReplyModel):
    """The process answers."""

    status: Literal["live"]


class ReadyReply(ReplyModel):
    """Whether requests should come here."""

    status: Literal["ready", "degraded"]
    tiers: dict[str, dict[str, Any]]


class Fault(BaseModel):
    """One fault in a request."""

    pointer: str
    code: str
    detail: str


class ProblemReply(ReplyModel):
    """An error (RFC 9457); nothing that was sent in is in it."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    correlation_id: str
    errors: list[Fault] | None = None
