"""
Inputs for a policy, from a seed: many near the policy's own thresholds, one in five faulty.

An input is what JSON holds. What is faulty about it is known here, by construction, and not read
off our engine.
"""

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from decision_engine.policy.compile import CompiledPolicy
from decision_engine.policy.document import expressions_of
from decision_engine.policy.syntax import Compare, Expr, Literal, Member, Ref, Within, walk
from decision_engine.policy.values import Value
from tests.integration.policy.differential.writer import Name

FAULTY: Final = 0.215
NEAR: Final = 0.2
UNREAD: Final = 0.05
_ABSENT: Final = object()
_WRONG: Final[Mapping[str, tuple[Any, ...]]] = {
    "number": (None, None, _ABSENT, _ABSENT, "3", "", True, -10_000, 10_000_000),
    "string": (None, None, _ABSENT, _ABSENT, "", "other", 3, True),
    "boolean": (None, None, _ABSENT, _ABSENT, "true", 0, 1),
    "numbers": (None, _ABSENT, "3", [1, None], [True], [1, 2, 3, 4, 5], [{}]),
    "records": (None, _ABSENT, {}, [{"rest": 1, "late": True}], [None], [1], ["x"]),
}

Thresholds = Mapping[str, tuple[Decimal, ...]]


@dataclass(frozen=True, slots=True)
class Case:
    """
    One input: as JSON for ZEN, as values for us.

    `faulty` names what is missing, null, of a wrong type or not allowed; `near` those numbers that
    are within one step of a threshold of the policy.
    """

    number: int
    context: dict[str, Any]
    values: dict[str, Value | None]
    faulty: frozenset[str]
    near: frozenset[str]


def thresholds_of(policy: CompiledPolicy) -> Thresholds:
    """Return the numbers that each input is compared with in a compiled policy."""
    found: dict[str, set[Decimal]] = {}
    for name, number in _thresholds(policy):
        found.setdefault(name, set()).add(number)
    return {name: tuple(sorted(numbers)) for name, numbers in found.items()}


def _thresholds(policy: CompiledPolicy) -> Iterator[tuple[str, Decimal]]:
    for node in policy.nodes:
        for _, _, expr in expressions_of(node):
            for part, _ in walk(expr):
                yield from _of_test(part)
    for model in policy.models.values():
        for item in model.attributes:
            yield from ((item.name, entry.high) for entry in item.bins if entry.high is not None)


def _of_test(part: Expr) -> Iterator[tuple[str, Decimal]]:
    if isinstance(part, Compare | Member | Within) and isinstance(part.parts[0], Ref):
        for other in part.parts[1:]:
            if isinstance(other, Literal) and isinstance(other.value, Decimal):
                yield part.parts[0].name, other.value


def case(
    place: tuple[int, int, int],
    inputs: tuple[Name, ...],
    thresholds: Thresholds,
    reads: frozenset[str],
) -> Case:
    """
    Return the input at a place: its seed, its policy and its number.

    What is faulty is mostly something that the policy reads.
    """
    rng = random.Random(f"input {' '.join(map(str, place))}")
    raw: dict[str, Any] = {name.name: _value(rng, name, thresholds) for name in inputs}
    likely = [name for name in inputs if name.name in reads or rng.random() < UNREAD]
    read = [name for name in likely if rng.random() < 0.35] or [rng.choice(likely)]
    faulty = read[:2] if rng.random() < FAULTY else []
    for name in faulty:
        raw[name.name] = rng.choice(_WRONG[name.kind])
    return Case(
        place[2],
        _nested({name: _json(value) for name, value in raw.items() if value is not _ABSENT}),
        {name: _ours(value) for name, value in raw.items()},
        frozenset(name.name for name in faulty),
        frozenset(_near(inputs, raw, thresholds)),
    )


def _value(rng: random.Random, name: Name, thresholds: Thresholds) -> Any:
    if name.kind == "boolean":
        return rng.random() < 0.5
    if name.kind == "string":
        return rng.choice(name.words)
    if name.kind in ("numbers", "records"):
        listed = [_element(rng, name.kind) for _ in range(rng.choice((0, 1, 1, 2, 2, 3, 4)))]
        return listed or [_element(rng, name.kind)] if rng.random() < 0.8 else listed
    step = Decimal(1).scaleb(-name.scale)
    if name.name in thresholds and rng.random() < NEAR:
        value = rng.choice(thresholds[name.name]) + step * rng.choice((-1, 0, 0, 1))
        if name.low <= value <= name.high and value == round(value, name.scale):
            return value
    return name.low + step * rng.randint(0, int((name.high - name.low) / step))


def _element(rng: random.Random, kind: str) -> Any:
    number = Decimal(rng.randint(-20, 100)) / 10
    if kind == "numbers":
        return number
    return {"rest": number, "late": rng.random() < 0.5, "tag": rng.choice("xyz")}


def _near(
    inputs: tuple[Name, ...], raw: Mapping[str, Any], thresholds: Thresholds
) -> Iterator[str]:
    for name in inputs:
        value, step = raw[name.name], Decimal(1).scaleb(-name.scale)
        numbers = thresholds.get(name.name, ()) if isinstance(value, Decimal) else ()
        if any(abs(value - number) <= step for number in numbers):
            yield name.name


def _json(value: Any) -> Any:
    """Return a number as JSON has it: whole ones without a fraction."""
    if isinstance(value, list):
        return [_json(item) for item in value]
    if isinstance(value, dict):
        return {key: _json(item) for key, item in value.items()}
    if not isinstance(value, Decimal):
        return value
    return int(value) if value == value.to_integral_value() else float(value)


def _ours(value: Any) -> Any:
    """Return what a host that reads JSON exactly gives to our engine."""
    if value is _ABSENT:
        return None
    if isinstance(value, list):
        return [_ours(item) for item in value]
    if isinstance(value, dict):
        return {key: _ours(item) for key, item in value.items()}
    return Decimal(value) if type(value) is int else value


def _nested(values: Mapping[str, Any]) -> dict[str, Any]:
    context: dict[str, Any] = {}
    for name, value in values.items():
        group, leaf = name.split(".")
        context.setdefault(group, {})[leaf] = value
    return context
