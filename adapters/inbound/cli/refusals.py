"""What an answer other than a success means, in one sentence."""

from collections.abc import Iterator
from typing import Any, Final

from adapters.inbound.cli.failures import Document, Failure, NotReachable, Refused
from adapters.inbound.cli.wording import said

#: Waiting longer than this for a `Retry-After` would look like hanging.
PAUSE_MAX_SECONDS: Final = 10.0
PAUSE_MIN_SECONDS: Final = 0.05
#: The one refusal that the same request may overcome by itself.
IN_PROGRESS: Final = "request-in-progress"
POINTERS_MAX: Final = 20
REFUSALS: Final = range(400, 500)
UNAVAILABLE: Final = 503
#: What stands before a platform that is away, and may have it back soon.
GATEWAYS: Final = frozenset({502, 503, 504})


def refusal(status: int, document: Document | None, retry_after: str) -> Failure:
    """Return the failure for a status, a problem document if there is one, and `Retry-After`."""
    kind = Refused if status in REFUSALS else NotReachable
    if document is None or "code" not in document:
        return _foreign(kind, status)
    code = str(document["code"])
    pointers = tuple(_pointers(document))
    failure = kind(_sentence(status, document), pointers, code=code, problem=document)
    if status == UNAVAILABLE or code == IN_PROGRESS:
        failure.retry_after = _pause(retry_after)
    return failure


def _foreign(kind: type[Failure], status: int) -> Failure:
    failure = kind(
        f"What answers there (HTTP {status}) does not speak as this platform: check --url.",
        code="foreign-answer",
    )
    failure.retry_after = 1.0 if status in GATEWAYS else None
    return failure


def _sentence(status: int, document: Document) -> str:
    title, detail = said(document.get("title")), said(document.get("detail"))
    beginning = "Refused" if status in REFUSALS else "Not available"
    number = said(document.get("correlation_id"))
    return f"{beginning} ({status} {title}): {detail} Correlation id {number}."


def _pointers(document: Document) -> Iterator[str]:
    errors: Any = document.get("errors")
    for fault in errors[:POINTERS_MAX] if isinstance(errors, list) else []:
        if isinstance(fault, dict):
            yield f"{said(fault.get('pointer') or '/')}: {said(fault.get('detail'))}"


def _pause(retry_after: str) -> float:
    seconds = float(retry_after) if retry_after.isascii() and retry_after.isdigit() else 1.0
    return min(max(seconds, PAUSE_MIN_SECONDS), PAUSE_MAX_SECONDS)
