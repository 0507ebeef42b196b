"""
Every problem of the public contract, and which one each error of the domain becomes.

A code has a page in docs/problems/; a test holds table, pages and errors together.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from domain.errors import (
    AmbiguousError,
    ConflictError,
    CreditError,
    DeadlineExceededError,
    GoneError,
    InvalidInputError,
    LedgerBusyError,
    NotFoundError,
    PermanentError,
    ThrottledError,
    TransientError,
)


@dataclass(frozen=True, slots=True)
class ProblemKind:
    """What a code says: the HTTP status, a title, a sentence; seconds before trying again."""

    status: int
    title: str
    detail: str
    retry_after_seconds: int | None = None


PROBLEMS: Final[Mapping[str, ProblemKind]] = {
    "bad-request": ProblemKind(400, "Not HTTP", "The request is not valid HTTP/1.1."),
    "bad-header": ProblemKind(400, "Bad header", "A request header cannot be used; see errors."),
    "idempotency-key-missing": ProblemKind(
        400, "Idempotency-Key missing", "This request creates something: send an Idempotency-Key."
    ),
    "json-malformed": ProblemKind(400, "Not JSON", "The body is not one JSON value."),
    "json-encoding": ProblemKind(400, "Not UTF-8", "The body is not valid Unicode text in UTF-8."),
    "json-duplicate-key": ProblemKind(
        400, "Duplicate key", "An object in the body names the same field twice."
    ),
    "json-depth": ProblemKind(
        400, "Nested too deep", "The body nests objects and lists deeper than 64 levels."
    ),
    "token-missing": ProblemKind(401, "Token missing", "Send Authorization: Bearer <token>."),
    "token-invalid": ProblemKind(
        401, "Token invalid", "The token was not issued for this platform."
    ),
    "token-expired": ProblemKind(401, "Token expired", "The token is no longer valid: renew it."),
    "scope-missing": ProblemKind(
        403, "Not allowed", "The token lacks the scope that this route needs."
    ),
    "not-found": ProblemKind(404, "Not found", "There is nothing under this id."),
    "route-not-found": ProblemKind(404, "No such route", "This path is not of this API."),
    "method-not-allowed": ProblemKind(
        405, "Method not allowed", "This path knows other methods; see Allow."
    ),
    "not-acceptable": ProblemKind(
        406, "Not acceptable", "The reply is application/json, which Accept excludes."
    ),
    "conflict": ProblemKind(409, "Conflict", "The present state does not allow it."),
    "request-in-progress": ProblemKind(
        409, "Still in progress", "The first request with this key is still being processed."
    ),
    "review-closed": ProblemKind(409, "Review closed", "Somebody has already closed this review."),
    "review-not-decidable": ProblemKind(
        409, "Not decidable yet", "What is missing must be recorded before this can be decided."
    ),
    "loss-window-open": ProblemKind(
        409, "Loss window open", "A loss window is open already; there is one at a time."
    ),
    "loss-window-released": ProblemKind(
        409, "Loss window released", "This loss window has been released already."
    ),
    "policy-version-taken": ProblemKind(
        409, "Version taken", "This version of the policy is published with other bytes."
    ),
    "gone": ProblemKind(410, "Gone", "It existed and is no longer retained."),
    "body-too-large": ProblemKind(
        413, "Body too large", "The body is larger than this route takes."
    ),
    "unsupported-media-type": ProblemKind(
        415, "Not JSON", "Send the body as application/json in UTF-8."
    ),
    "invalid-input": ProblemKind(
        422, "Invalid input", "The request was read and cannot be accepted; see errors."
    ),
    "idempotency-key-reused": ProblemKind(
        422, "Key reused", "This idempotency key belongs to another command."
    ),
    "policy-invalid": ProblemKind(
        422, "Policy invalid", "The policy does not pass its checks, so it cannot run."
    ),
    "rate-limited": ProblemKind(
        429, "Too many requests", "This caller asks more often than it may; nothing was begun.", 1
    ),
    "headers-too-large": ProblemKind(
        431, "Headers too large", "Request line and headers are larger than this server takes."
    ),
    "internal": ProblemKind(
        500, "Internal error", "This is a fault of ours; the correlation id finds it in the logs."
    ),
    "permanent": ProblemKind(
        500, "Cannot go on", "Trying again cannot help; the operators must look."
    ),
    "unavailable": ProblemKind(
        503, "Unavailable", "A store that this needs is away; nothing was changed.", 2
    ),
    "throttled": ProblemKind(
        503, "Throttled", "A store asks for less; nothing was changed, try again later.", 5
    ),
    "ledger-busy": ProblemKind(
        503, "Ledger busy", "The person or the ledger stayed locked; nothing was recorded.", 1
    ),
    "deadline-exceeded": ProblemKind(
        503, "Deadline exceeded", "The time of this request is used up; the same key tells.", 1
    ),
    "outcome-unknown": ProblemKind(
        503, "Outcome unknown", "It may have been recorded: ask again with the same key.", 1
    ),
    "overloaded": ProblemKind(503, "Overloaded", "Too many requests are under way.", 1),
}

#: The problem that each domain error becomes, unless its own `code` names one of equal status.
CODE_OF_ERROR: Final[Mapping[type[CreditError], str]] = {
    CreditError: "internal",
    InvalidInputError: "invalid-input",
    NotFoundError: "not-found",
    ConflictError: "conflict",
    GoneError: "gone",
    TransientError: "unavailable",
    ThrottledError: "throttled",
    LedgerBusyError: "ledger-busy",
    DeadlineExceededError: "deadline-exceeded",
    AmbiguousError: "outcome-unknown",
    PermanentError: "permanent",
}


def code_of(error: CreditError) -> str:
    """Return the problem code of a domain error: its own if that is known, else its class's."""
    general = next(CODE_OF_ERROR[kind] for kind in type(error).__mro__ if kind in CODE_OF_ERROR)
    own = PROBLEMS.get(error.code)
    # A code of another status would let a detail of the core change what a caller should do.
    return error.code if own and own.status == PROBLEMS[general].status else general
