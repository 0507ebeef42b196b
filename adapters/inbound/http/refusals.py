"""How the HTTP side refuses a request: a code of the problem table, and the faults it found."""

from collections.abc import Iterable, Mapping

from domain.errors import Problem

HeaderPairs = tuple[tuple[bytes, bytes], ...]


class ProblemError(Exception):
    """
    A request that the HTTP side itself refuses, by the code of a problem.

    `extra` are further members of the document, made by us.
    """

    def __init__(
        self,
        code: str,
        faults: Iterable[Problem] = (),
        headers: HeaderPairs = (),
        extra: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(code)
        self.code = code
        self.faults = tuple(faults)
        self.headers = headers
        self.extra = extra or {}


def fault(pointer: str, code: str, detail: str) -> Problem:
    """Return one fault in a request."""
    return Problem(pointer=pointer, code=code, detail=detail)


def refused(pointer: str, code: str, detail: str) -> ProblemError:
    """Return the refusal (422) of an input with a single fault."""
    return ProblemError("invalid-input", (fault(pointer, code, detail),))


def bad_header(name: str, code: str, detail: str) -> ProblemError:
    """Return the refusal (400) of a header."""
    return ProblemError("bad-header", (fault(f"/headers/{name}", code, detail),))
