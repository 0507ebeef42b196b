"""
The two-valued way through a compiled policy: an evaluation when every fact is known, else None.

A policy that is all code (see `whole`) is one function on scaled integers. Any other takes its
blocks and steps in turn (see `fused`), with exact decimals in between.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol

from decision_engine.policy.answers import Answers
from decision_engine.policy.evaluation import Evaluation
from decision_engine.policy.fused import Fast
from decision_engine.policy.list_values import Reader
from decision_engine.policy.reading import (
    ExactValues,
    ReadAll,
    ReadScaled,
    Take,
    exact_values,
    json_reader,
    scaled_reader,
    taker,
    types_of,
)
from decision_engine.policy.run import NoAnswerError, Run
from decision_engine.policy.schema import Field
from decision_engine.policy.values import Function, Value
from decision_engine.policy.whole import RunWhole, Scales, Whole

Facts = tuple[Any, ...]


class Quick(Protocol):
    """Reads complete inputs into facts of its own form, and evaluates those."""

    def facts_of(self, inputs: Mapping[str, Any]) -> Facts | None:
        """Return the facts, or None when an input is missing."""

    def facts_of_json(self, values: tuple[Any, ...]) -> Facts | None:
        """Return the facts of a value for each input, as JSON has them; None as above."""

    def varied(self, facts: Facts, changes: Mapping[str, Any]) -> Facts | None:
        """Return the facts with some inputs changed, or None when one of these is missing."""

    def values_of(self, facts: Facts) -> dict[str, Value]:
        """Return the exact inputs that the facts stand for, by name."""

    def run(self, facts: Facts, functions: Mapping[str, Function]) -> Evaluation | None:
        """Return the evaluation, or None when something has no result."""


class InputStruct(Mapping[str, Value]):
    """
    The inputs of one policy, complete and checked against its schema once, to evaluate many times.

    As a mapping it has the exact value of each input that the policy reads. Evaluated by its own
    policy it is not read again; to any other policy it is a mapping.
    """

    __slots__ = ("_exact", "facts", "reader")

    def __init__(self, reader: Quick, facts: Facts) -> None:
        self.reader = reader
        self.facts = facts
        self._exact: dict[str, Value] | None = None

    def _values(self) -> dict[str, Value]:
        exact = self._exact
        if exact is None:
            exact = self._exact = self.reader.values_of(self.facts)
        return exact

    def __getitem__(self, name: str) -> Value:
        return self._values()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values())

    def __len__(self) -> int:
        return len(self.facts)


@dataclass(frozen=True, slots=True)
class BySteps:
    """Takes blocks and steps in order; `blank` follows the inputs among the facts."""

    names: tuple[str, ...]
    readers: Mapping[str, tuple[int, Reader]]
    read_all: ReadAll
    steps: tuple[Fast, ...]
    blank: tuple[Any, ...]
    derived: tuple[str, ...]
    span: slice
    answers: Answers

    def facts_of(self, inputs: Mapping[str, Any]) -> Facts | None:
        """Return the facts, or None when an input is missing."""
        facts = self.read_all(inputs)
        return None if facts is None else tuple(facts)

    def facts_of_json(self, values: tuple[Any, ...]) -> Facts | None:
        """Return the facts of a value for each input, as JSON has them; None as above."""
        return self.facts_of(dict(zip(self.names, map(_exact, values), strict=True)))

    def varied(self, facts: Facts, changes: Mapping[str, Any]) -> Facts | None:
        """Return the facts with some inputs changed, or None when one of these is missing."""
        made = list(facts)
        for name, value in changes.items():
            found = self.readers.get(name)
            if found is not None:
                place, read = found
                made[place] = read(value)
                if made[place] is None:
                    return None
        return tuple(made)

    def values_of(self, facts: Facts) -> dict[str, Value]:
        """Return the exact inputs that the facts stand for, by name."""
        return dict(zip(self.names, facts, strict=True))

    def run(self, facts: Facts, functions: Mapping[str, Function]) -> Evaluation | None:
        """Return the evaluation, or None when something has no result."""
        run = Run([*facts, *self.blank], functions, self.answers.blank())
        try:
            for step in self.steps:
                step(run)
        except (NoAnswerError, ArithmeticError):
            return None
        made = tuple(run.facts[self.span])
        return self.answers.known(made, self._named, run.codes, tuple(run.losses))

    def _named(self, made: Facts) -> dict[str, Any]:
        return dict(zip(self.derived, made, strict=True))


def _exact(value: Any) -> Any:
    """Return a number of JSON (see `reading.json_reader`) as a decimal, anything else as it is."""
    if type(value) is int:
        return Decimal(value)
    if type(value) is not bytes:
        return value
    try:
        return Decimal(value.decode())
    except (ArithmeticError, ValueError):
        return None


@dataclass(frozen=True, slots=True)
class AtOnce:
    """Calls the one function of a policy that is all code."""

    take: Take
    kinds: tuple[type, ...]
    read: ReadScaled
    read_json: ReadScaled
    inputs: ExactValues
    whole: RunWhole
    derived: ExactValues
    scales: Scales
    rules: int
    part: Callable[[Any, str], Any]

    def facts_of(self, inputs: Mapping[str, Any]) -> Facts | None:
        """Return the facts, or None when an input is missing."""
        try:
            values = self.take(inputs)
            return self.read(values) if tuple(map(type, values)) == self.kinds else None
        except (KeyError, NoAnswerError, ArithmeticError, ValueError):
            return None

    def facts_of_json(self, values: tuple[Any, ...]) -> Facts | None:
        """Return the facts of a value for each input, as JSON has them; None as above."""
        try:
            return self.read_json(values)
        except (NoAnswerError, ArithmeticError, ValueError, TypeError):
            return None

    def varied(self, facts: Facts, changes: Mapping[str, Any]) -> Facts | None:
        """Return the facts with some inputs changed, or None when one of these is missing."""
        return self.facts_of({**self.inputs(facts), **changes})

    def values_of(self, facts: Facts) -> dict[str, Value]:
        """Return the exact inputs that the facts stand for, by name."""
        return self.inputs(facts)

    def run(self, facts: Facts, functions: Mapping[str, Function]) -> Evaluation | None:
        """Return the evaluation, or None when something has no result."""
        del functions  # a policy that is all code calls none
        codes = bytearray(self.rules)
        try:
            asks, made = self.whole(facts, codes)
        except (NoAnswerError, ArithmeticError):
            return None
        return Evaluation(asks, self.part, (made, self.derived, codes, ()))


def at_once(fields: Sequence[Field], whole: Whole, answers: Answers) -> AtOnce:
    """Return the quick way of a policy whose function is `whole`."""
    return AtOnce(
        take=taker([field.name for field in fields]),
        kinds=types_of(fields),
        read=scaled_reader(fields),
        read_json=json_reader(fields),
        inputs=exact_values(whole.scales.inputs),
        whole=whole.run,
        derived=exact_values(whole.scales.derived),
        scales=whole.scales,
        rules=len(answers.hits),
        part=answers.part,
    )
