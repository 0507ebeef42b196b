"""One finding, and how a start ends on it."""

from dataclasses import dataclass

from adapters.inbound.cli.wiring import Check
from adapters.settings import RefusedError
from domain.errors import CreditError


@dataclass(frozen=True, slots=True)
class Found(Check):
    """A check; `error` is how a start ends on a fault, None where it goes on without."""

    error: type[CreditError] | None = None

    def sentence(self) -> str:
        """Return what was found and what to do, for one line."""
        return f"{self.detail}: {self.remedy}" if self.remedy else self.detail


def well(name: str, detail: str) -> Found:
    """Return what nobody has to care about."""
    return Found(name, ok=True, detail=detail)


def warned(name: str, detail: str, remedy: str) -> Found:
    """Return what works and should be better."""
    return Found(name, ok=True, detail=detail, remedy=remedy, warning=True)


def fault(
    name: str, detail: str, remedy: str, error: type[CreditError] | None = RefusedError
) -> Found:
    """Return what does not work."""
    return Found(name, ok=False, detail=detail, remedy=remedy, error=error)


def faulty(name: str, error: CreditError, kind: type[CreditError] | None = RefusedError) -> Found:
    """Return the fault that an error names as `what: what to do`."""
    detail, _, remedy = str(error).partition(": ")
    return fault(name, detail, remedy, kind)
