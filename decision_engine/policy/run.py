"""One evaluation under way, and what every step of a compiled policy promises."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from decision_engine.policy.scorecard import Loss
from decision_engine.policy.values import Function, Value
from domain.errors import PermanentError


class NoAnswerError(Exception):
    """The fast variant found no value: a reason to take the other one, never seen outside."""


@dataclass(slots=True)
class Run:
    """The state of one evaluation."""

    facts: list[Any]
    functions: Mapping[str, Function]
    codes: bytearray
    blames: dict[int, tuple[str, ...]] = field(default_factory=dict)
    losses: list[Loss] = field(default_factory=list)
    uncovered: list[str] = field(default_factory=list)

    def call(self, name: str, arguments: Mapping[str, Value]) -> Mapping[str, Value | None]:
        """
        Call a function of the host.

        Raises:
            PermanentError: the host did not give it.
        """
        function = self.functions.get(name)
        if function is None:
            raise PermanentError(f'the policy calls the function "{name}", which was not given')
        return function(arguments)


class Step(Protocol):
    """One node, ready to run; both ways write the node's facts and results into the run."""

    def fast(self, run: Run) -> None:
        """
        Run with every fact known.

        Raises:
            NoAnswerError, ArithmeticError: a value is missing after all.
        """

    def slow(self, run: Run) -> None:
        """Run in three values."""
