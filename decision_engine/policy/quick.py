"""
The two-valued way through a compiled policy: an evaluation when every fact is known, else None.

A policy that is all code (see `fused`) is one function from the inputs to the derived values. Any
other takes its blocks and steps in turn, with the facts in between.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import getcontext, setcontext
from typing import Any, Protocol

from decision_engine.policy.answers import Answers
from decision_engine.policy.evaluation import Evaluation
from decision_engine.policy.fused import Fast, Whole
from decision_engine.policy.reading import ReadAll, Take, taker, types_of
from decision_engine.policy.run import NoAnswerError, Run
from decision_engine.policy.schema import Field
from decision_engine.policy.values import EXACT, Function


class Quick(Protocol):
    """Evaluates inputs, or gives None: then something is missing, or has no result."""

    def __call__(
        self, inputs: Mapping[str, Any], functions: Mapping[str, Function]
    ) -> Evaluation | None:
        """Return the evaluation, or None."""


@dataclass(frozen=True, slots=True)
class BySteps:
    """Takes blocks and steps in order; `blank` follows the inputs among the facts."""

    read_all: ReadAll
    steps: tuple[Fast, ...]
    blank: tuple[Any, ...]
    derived: tuple[str, ...]
    span: slice
    answers: Answers

    def __call__(
        self, inputs: Mapping[str, Any], functions: Mapping[str, Function]
    ) -> Evaluation | None:
        """Return the evaluation, or None."""
        facts = self.read_all(inputs)
        if facts is None:
            return None
        facts += self.blank
        run = Run(facts, functions, self.answers.blank())
        try:
            for step in self.steps:
                step(run)
        except (NoAnswerError, ArithmeticError):
            return None
        values = dict(zip(self.derived, run.facts[self.span], strict=True))
        return self.answers.known(values, run.codes, tuple(run.losses))


@dataclass(frozen=True, slots=True)
class AtOnce:
    """Calls the one function of a policy that is all code."""

    take: Take
    of_values: Callable[[tuple[Any, ...]], Evaluation | None]

    def __call__(
        self, inputs: Mapping[str, Any], functions: Mapping[str, Function]
    ) -> Evaluation | None:
        """Return the evaluation, or None."""
        del functions  # a policy that is all code calls none
        try:
            values = self.take(inputs)
        except KeyError:
            return None
        return self.of_values(values)


def at_once(fields: Sequence[Field], whole: Whole, answers: Answers) -> AtOnce:
    """Return the quick way of a policy whose function is `whole`."""
    kinds, blank, known = types_of(fields), answers.blank, answers.known

    def of_values(values: tuple[Any, ...]) -> Evaluation | None:
        if tuple(map(type, values)) != kinds:
            return None
        codes = blank()
        before = getcontext()
        setcontext(EXACT)
        try:
            derived = whole(values, codes)
        except (NoAnswerError, ArithmeticError):
            return None
        finally:
            setcontext(before)
        return known(derived, codes, ())

    return AtOnce(taker([field.name for field in fields]), of_values)
