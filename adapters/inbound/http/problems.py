"""
Problem documents (RFC 9457): one shape for every error, and nothing in it that was sent in.

Titles and details are our own texts. A pointer is cut where it leaves the names of the contract,
because a caller chooses the names of unknown fields.
"""

import re
from typing import Final

from adapters.inbound.http.messages import Reply, to_json
from adapters.inbound.http.names import KNOWN_NAMES
from adapters.inbound.http.problem_table import PROBLEMS, code_of
from adapters.inbound.http.refusals import ProblemError
from domain.errors import CreditError, InvalidInputError, Problem

PROBLEM_JSON: Final = b"application/problem+json"
RETRY: Final = b"retry-after"
FAULTS_MAX: Final = 20
INDEX: Final = re.compile(r"0|[1-9][0-9]{0,5}", re.ASCII)
FAULT_CODE: Final = re.compile(r"[a-z][a-z0-9-]{0,63}", re.ASCII)


def problem_of(error: CreditError) -> ProblemError:
    """Return the problem that a domain error is shown as; only its faults have own texts."""
    faults = error.problems if isinstance(error, InvalidInputError) else ()
    return ProblemError(code_of(error), faults)


def problem_reply(problem: ProblemError, correlation_id: str) -> Reply:
    """Return the document of a problem."""
    kind = PROBLEMS[problem.code]
    document: dict[str, object] = {
        **problem.extra,
        "type": f"/problems/{problem.code}",
        "title": kind.title,
        "status": kind.status,
        "detail": kind.detail,
        "code": problem.code,
        "correlation_id": correlation_id,
    }
    if problem.faults:
        document["errors"] = [_shown(each) for each in problem.faults[:FAULTS_MAX]]
    headers = problem.headers
    if kind.retry_after_seconds is not None and not any(name == RETRY for name, _ in headers):
        headers = (*headers, (RETRY, str(kind.retry_after_seconds).encode()))
    return Reply(kind.status, to_json(document), headers, PROBLEM_JSON)


def safe_pointer(pointer: str) -> str:
    """Return the pointer up to the first part that is neither an index nor a name of ours."""
    parts: list[str] = []
    for part in pointer.split("/")[1:]:
        if part not in KNOWN_NAMES and INDEX.fullmatch(part) is None:
            break
        parts.append(f"/{part}")
    return "".join(parts)


def _shown(each: Problem) -> dict[str, str]:
    code = each.code if FAULT_CODE.fullmatch(each.code) else "invalid"
    return {"pointer": safe_pointer(each.pointer), "code": code, "detail": each.detail}
