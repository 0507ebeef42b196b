"""
Errors by what the caller can do about them.

CreditError
├── InvalidInputError      the caller sent something wrong: correct it (422, 400)
├── NotFoundError          nothing there under this id (404)
├── ConflictError          the state does not allow it (409)
├── GoneError              it was there and has been erased or expired (410)
├── TransientError         try again soon (503)
│   ├── ThrottledError     try again later, with less
│   └── DeadlineExceededError   the budget of this call is used up
├── AmbiguousError         the outcome is unknown: look before trying again
└── PermanentError         trying again cannot help; a person must look
"""

from collections.abc import Sequence
from dataclasses import dataclass


class CreditError(Exception):
    """Base of every error this platform raises on purpose."""

    code = "internal"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One fault in an input: a JSON pointer, a stable code, a sentence without the value."""

    pointer: str
    code: str
    detail: str


class InvalidInputError(CreditError):
    """The input cannot be accepted; `problems` says where and why, never echoing a value."""

    code = "invalid-input"

    def __init__(self, detail: str, problems: Sequence[Problem] = (), *, code: str = "") -> None:
        super().__init__(detail)
        self.detail = detail
        self.problems = tuple(problems)
        if code:
            self.code = code

    @classmethod
    def at(cls, pointer: str, code: str, detail: str) -> "InvalidInputError":
        """Return the error for a single fault."""
        return cls(detail, (Problem(pointer=pointer, code=code, detail=detail),))


class NotFoundError(CreditError):
    """There is nothing under this id."""

    code = "not-found"


class ConflictError(CreditError):
    """The present state does not allow it; `code` names which rule."""

    code = "conflict"

    def __init__(self, detail: str, *, code: str = "") -> None:
        super().__init__(detail)
        if code:
            self.code = code


class GoneError(CreditError):
    """It existed and its retention has ended."""

    code = "gone"


class TransientError(CreditError):
    """It may work when tried again; nothing was changed."""

    code = "unavailable"


class ThrottledError(TransientError):
    """The other side asks for less; try again later."""

    code = "throttled"


class LedgerBusyError(TransientError):
    """The person or the ledger stayed locked for too long; nothing was recorded."""

    code = "ledger-busy"


class DeadlineExceededError(TransientError):
    """The time budget of this call is used up; the same idempotency key tells the outcome."""

    code = "deadline-exceeded"


class AmbiguousError(CreditError):
    """The outcome is unknown: read back before trying again."""

    code = "outcome-unknown"


class PermanentError(CreditError):
    """Trying again cannot help; a person must look."""

    code = "permanent"
