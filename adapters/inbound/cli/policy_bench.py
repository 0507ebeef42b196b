"""How fast a policy evaluates: inputs near its thresholds, and times of each evaluation."""

import time
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import cycle, islice
from typing import Any, Final

from adapters.inbound.cli.policy_runs import Run
from decision_engine.policy.compile import CompiledPolicy
from decision_engine.policy.document import expressions_of
from decision_engine.policy.schema import Field
from decision_engine.policy.syntax import Compare, Literal, Ref, walk
from decision_engine.policy.values import Value

#: So many different inputs are made.
MADE: Final = 64
PERCENTILES: Final = (50, 95, 99)
#: What a number may be when no rule compares it: small, usual and large ones.
USUAL: Final = tuple(map(Decimal, (0, 1, 12, 100, 1000, 20000)))


def generated(compiled: CompiledPolicy) -> list[dict[str, Value]]:
    """Return inputs, always the same for a policy: every field there, numbers near thresholds."""
    near = _thresholds(compiled)
    choices = [(field, _choices(field, near.get(field.name, ()))) for field in compiled.inputs]
    # Fields step at different speeds, so that the inputs are no diagonal through the choices.
    return [
        {
            field.name: held[(number * (place % 7 + 1) + place) % len(held)]
            for place, (field, held) in enumerate(choices)
        }
        for number in range(MADE)
    ]


def measured(compiled: CompiledPolicy, runs: Sequence[Run], count: int) -> dict[str, Any]:
    """Return evaluations a second and the percentiles of one evaluation in microseconds."""
    given = [(_checked(compiled, run.inputs), run.functions) for run in runs]
    for inputs, functions in islice(cycle(given), len(given) * 2):
        compiled.evaluate(inputs, functions)
    times: list[int] = []
    for inputs, functions in islice(cycle(given), count):
        began = time.perf_counter_ns()
        compiled.evaluate(inputs, functions)
        times.append(time.perf_counter_ns() - began)
    times.sort()
    micros = {f"p{part}": times[len(times) * part // 100] / 1000 for part in PERCENTILES}
    return {
        "evaluations": count,
        "evaluations_per_second": round(count * 1_000_000_000 / sum(times)),
        "microseconds": {"min": times[0] / 1000, **micros, "max": times[-1] / 1000},
        "rules": len(compiled.rules),
    }


def _checked(
    compiled: CompiledPolicy, inputs: Mapping[str, Value | None]
) -> Mapping[str, Value | None]:
    """Return complete inputs as the policy has them once it has read them."""
    return compiled.struct(inputs) or inputs


def _thresholds(compiled: CompiledPolicy) -> Mapping[str, set[Decimal]]:
    found: dict[str, set[Decimal]] = {}
    for name, value in _compared(compiled):
        found.setdefault(name, set()).add(value)
    return found


def _compared(compiled: CompiledPolicy) -> Iterator[tuple[str, Decimal]]:
    for node in compiled.nodes:
        for _, _, whole in expressions_of(node):
            for expr, _ in walk(whole):
                match expr:
                    case Compare(left=Ref() as subject, right=Literal(value=Decimal() as value)):
                        yield subject.name, value


def _choices(field: Field, near: Sequence[Decimal] | set[Decimal]) -> Sequence[Value]:
    if field.kind == "boolean":
        return (False, True)
    if field.kind == "string":
        return field.enum or ("personal_loan",)
    step = Decimal(1).scaleb(-(field.scale or 0))
    around = {value + away for value in near for away in (-step, Decimal(0), step)}
    read = field.reader()
    ends = {end for end in (field.minimum, field.maximum) if end is not None}
    return sorted(value for value in around or {*USUAL, *ends} if read(value) is not None)
