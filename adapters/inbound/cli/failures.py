"""How a command ends: its exit code, and one clear sentence when it did not do its work."""

from collections.abc import Mapping, Sequence
from enum import IntEnum
from typing import Any, Final

import click

from adapters.inbound.cli.wording import clean
from adapters.settings import RefusedError
from domain.errors import (
    CreditError,
    InvalidInputError,
    NotFoundError,
    TransientError,
)

Document = Mapping[str, Any]


class ExitCode(IntEnum):
    """The exit codes of every command."""

    DONE = 0
    FOUND_WRONG = 1
    BAD_USAGE = 2
    NOT_REACHABLE = 3
    REFUSED = 4


class Failure(click.ClickException):
    """
    The end of a command that could not do its work: here, because something is wrong.

    `code` is for programs, `pointers` say where the faults are, `problem` is the document received.
    """

    exit_code = ExitCode.FOUND_WRONG
    usual_code = "wrong"

    def __init__(
        self,
        sentence: str,
        pointers: Sequence[str] = (),
        *,
        code: str = "",
        problem: Document | None = None,
    ) -> None:
        super().__init__(clean(sentence))
        self.pointers = tuple(clean(pointer) for pointer in pointers)
        self.code = code or self.usual_code
        self.problem = problem
        #: Seconds after which the same request may work; None: trying again cannot help.
        self.retry_after: float | None = None

    def format_message(self) -> str:
        """Return the sentence and, below it, where the faults are."""
        return "\n".join((self.message, *(f"  {pointer}" for pointer in self.pointers)))

    def after(self, sentence: str) -> "Failure":
        """Return the same failure, which also says how far the work had come."""
        told = f"{self.message} {sentence}"
        return type(self)(told, self.pointers, code=self.code, problem=self.problem)


class BadUsage(Failure):
    """The command was given something that it cannot use."""

    exit_code = ExitCode.BAD_USAGE
    usual_code = "bad-usage"


class NotReachable(Failure):
    """There was no answer, or only "not now"; the same may work later."""

    exit_code = ExitCode.NOT_REACHABLE
    usual_code = "not-reachable"


class Refused(Failure):
    """The platform refused the request."""

    exit_code = ExitCode.REFUSED
    usual_code = "refused"


#: How an error of the core ends a command that works without a server.
FAILURE_OF_ERROR: Final[Mapping[type[CreditError], type[Failure]]] = {
    CreditError: Failure,
    InvalidInputError: BadUsage,
    NotFoundError: BadUsage,
    RefusedError: Refused,
    TransientError: NotReachable,
}


def failure_of(error: CreditError) -> Failure:
    """Return how an error of the core ends a command."""
    kinds = type(error).__mro__
    kind = next(FAILURE_OF_ERROR[each] for each in kinds if each in FAILURE_OF_ERROR)
    faults = error.problems if isinstance(error, InvalidInputError) else ()
    pointers = [f"{fault.pointer or '/'}: {fault.detail}" for fault in faults]
    text = str(error) or "it failed"
    return kind(f"{text[:1].upper()}{text[1:]}.", pointers, code=error.code)


def document_of(error: click.ClickException) -> dict[str, object]:
    """Return what `--json` prints in place of a result."""
    shown: dict[str, object] = {
        "code": getattr(error, "code", "bad-usage"),
        "exit_code": int(error.exit_code),
        "message": error.message,
    }
    if isinstance(error, Failure):
        shown["pointers"] = list(error.pointers)
        if error.problem is not None:
            shown["problem"] = error.problem
    return {"error": shown}
