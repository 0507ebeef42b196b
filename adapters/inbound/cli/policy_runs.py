"""Running a policy on given inputs without a server: what cannot be run is bad usage."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from adapters.inbound.cli.failures import BadUsage
from decision_engine import trial
from decision_engine.trial import Run

__all__ = ["Run", "Runner", "flat"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Runner(trial.Runner):
    """Evaluates one policy; see `trial.Runner`."""

    def run(self, given: Mapping[str, Any], stale: frozenset[str] = frozenset()) -> Run:
        """
        Return what the policy says to inputs by dotted name, nested or not; null is missing.

        Raises:
            Failure: `BAD_USAGE`, for a name that is no input.
            InvalidInputError: an amount or term that nobody can ask for.
        """
        with _usable():
            return trial.Runner.run(self, given, stale)


def flat(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return nested objects as one object with dotted names."""
    with _usable():
        return trial.flat(given)


@contextmanager
def _usable() -> Iterator[None]:
    try:
        yield
    except trial.UnusableInputError as error:
        raise BadUsage(f"{error.detail[0].upper()}{error.detail[1:]}.", error.names) from error
