"""Golden cases of a policy: a TOML file of inputs and what must come out of them."""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from adapters.inbound.cli.failures import BadUsage, Failure
from adapters.inbound.cli.files import read_file
from adapters.inbound.cli.policy_runs import Run, Runner, flat

FIELDS: Final = frozenset(
    {"name", "input", "missing", "stale", "outcome", "reasons", "rules", "values", "offers"}
)
NEEDED: Final = ("name", "outcome")


@dataclass(frozen=True, slots=True, kw_only=True)
class GoldenCase:
    """One case: inputs by dotted name, and the parts of the result that were written down."""

    name: str
    inputs: Mapping[str, Any]
    stale: frozenset[str]
    outcome: str
    reasons: tuple[str, ...] | None = None
    rules: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, Any] = field(default_factory=dict)
    offers: tuple[Mapping[str, Any], ...] | None = None


@dataclass(frozen=True, slots=True)
class CaseVerdict:
    """How a case came out; without differences it holds."""

    name: str
    outcome: str
    differences: tuple[str, ...]


def read_cases(path: Path) -> list[GoldenCase]:
    """
    Read a file of cases: `[base]`, the inputs of every case, and `[[case]]`, each with its own.

    Raises:
        Failure: `BAD_USAGE`, with the name of the case and what is wrong with it.
    """
    try:
        table = tomllib.loads(read_file(path).decode(), parse_float=Decimal)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadUsage(f"{path.name} is not TOML: {error}.") from error
    base, entries = table.get("base", {}), table.get("case", [])
    if not isinstance(base, dict) or not isinstance(entries, list) or not entries:
        raise BadUsage(f"{path.name} needs [[case]] entries, and may have one [base].")
    return [_case(entry, flat(base)) for entry in entries]


def judge(runner: Runner, case: GoldenCase) -> CaseVerdict:
    """Run a case and compare what it wrote down."""
    try:
        run = runner.run(case.inputs, case.stale)
    except Failure as failure:
        raise BadUsage(f"{case.name}: {failure.message}", failure.pointers) from failure
    return CaseVerdict(case.name, run.outcome, tuple(_differences(case, run)))


def _case(entry: Any, base: Mapping[str, Any]) -> GoldenCase:
    name = str(entry.get("name", "")) if isinstance(entry, dict) else ""
    if not name:
        raise BadUsage("Every case needs a name.")
    if lacking := [each for each in NEEDED if each not in entry]:
        raise BadUsage(f"The case “{name}” lacks a field.", lacking)
    if unknown := sorted(entry.keys() - FIELDS):
        raise BadUsage(f"The case “{name}” has a field that no case has.", unknown)
    gone = dict.fromkeys(entry.get("missing", ()))
    reasons, offers = entry.get("reasons"), entry.get("offers")
    return GoldenCase(
        name=name,
        inputs={**base, **flat(entry.get("input", {})), **gone},
        stale=frozenset(entry.get("stale", ())),
        outcome=str(entry["outcome"]),
        reasons=None if reasons is None else tuple(reasons),
        rules=entry.get("rules", {}),
        values=flat(entry.get("values", {})),
        offers=None if offers is None else tuple(offers),
    )


def _differences(case: GoldenCase, run: Run) -> Iterator[str]:
    yield from _compared("outcome", case.outcome, run.outcome)
    if case.reasons is not None:
        codes = tuple(reason.code for reason in run.reasons)
        yield from _compared("reasons", list(case.reasons), list(codes))
    results = {result.rule_id: result.result for result in run.evaluation.results}
    for rule, expected in case.rules.items():
        yield from _compared(f"rules.{rule}", expected, results.get(rule, "no such rule"))
    for name, expected in case.values.items():
        yield from _compared(f"values.{name}", expected, run.values.get(name))
    if case.offers is not None:
        yield from _compared("offers", len(case.offers), len(run.offers))
        for number, (terms, made) in enumerate(zip(case.offers, run.offers, strict=False)):
            for name, value in terms.items():
                yield from _compared(f"offers.{number}.{name}", value, made.get(name))


def _compared(name: str, expected: Any, found: Any) -> Iterator[str]:
    if _plain(expected) != _plain(found):
        yield f"{name}: {_plain(found)} instead of {_plain(expected)}"


def _plain(value: Any) -> Any:
    """Return a value so that 563, "563" and "563.0" are the same."""
    if isinstance(value, bool):
        return "true" if value else "false"
    try:
        return format(Decimal(str(value)).normalize(), "f")
    except ArithmeticError:
        return "nothing" if value is None else value
