"""Golden cases of a policy: a TOML file of inputs and what must come out of them."""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from adapters.inbound.cli.failures import BadUsage, Failure
from adapters.inbound.cli.files import read_file
from adapters.inbound.cli.policy_runs import Run, Runner, flat
from decision_engine.policy.reason_table import DATA_MISSING, DATA_STALE
from domain.decision import ReasonCode

#: The fields of a case, and what each may be.
FIELDS: Final[Mapping[str, type]] = {
    "name": str,
    "change": dict,
    "missing": list,
    "stale": list,
    "outcome": str,
    "hit": list,
    "unknown": list,
    "reasons": list,
    "offer": dict,
    "values": dict,
}
FILE_FIELDS: Final = frozenset({"on", "base", "case"})
NOTHING: Final = "nothing"


@dataclass(frozen=True, slots=True, kw_only=True)
class GoldenCase:
    """
    One case: inputs by dotted name, and what must come out.

    `hit` and `unknown` name the rules that hit or cannot be evaluated, every other one does not
    hit. `offer` and `values` are compared as far as they are written down.
    """

    name: str
    inputs: Mapping[str, Any]
    stale: frozenset[str]
    outcome: str
    hit: Sequence[str]
    unknown: Sequence[str]
    reasons: Sequence[str]
    offer: Mapping[str, Any]
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Cases:
    """A file of cases, and the day on which they are decided, if it tells one."""

    cases: tuple[GoldenCase, ...]
    on: date | None


@dataclass(frozen=True, slots=True)
class CaseVerdict:
    """How a case came out; without differences it holds."""

    name: str
    differences: tuple[str, ...]


def read_cases(path: Path) -> Cases:
    """
    Read a file of cases: `[base]`, the inputs that all share, and `[[case]]`, each changing some.

    Raises:
        Failure: `BAD_USAGE`, with the name of the case and what is wrong with it.
    """
    try:
        table = tomllib.loads(read_file(path).decode(), parse_float=Decimal)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadUsage(f"{path.name} is not TOML: {error}.") from error
    base, entries, day = table.get("base", {}), table.get("case"), table.get("on")
    if table.keys() - FILE_FIELDS or not isinstance(base, dict) or not isinstance(entries, list):
        raise BadUsage(f"{path.name} has [[case]] entries, and may have [base] and on = a day.")
    if day is not None and (not isinstance(day, date) or isinstance(day, datetime)):
        raise BadUsage(f"{path.name}: on is a day, like 2026-06-10.")
    return Cases(tuple(_case(entry, flat(base)) for entry in entries), day)


def judge(runner: Runner, case: GoldenCase) -> CaseVerdict:
    """
    Run a case and compare what it wrote down.

    Raises:
        Failure: `BAD_USAGE`, the policy has no such input.
    """
    try:
        run = runner.run(case.inputs, case.stale)
    except Failure as failure:
        raise BadUsage(f"{case.name}: {failure.message}", failure.pointers) from failure
    return CaseVerdict(case.name, tuple(_differences(case, run)))


def _case(entry: Any, base: Mapping[str, Any]) -> GoldenCase:
    if not isinstance(entry, dict) or not isinstance(entry.get("name"), str):
        raise BadUsage("Every [[case]] has a name.")
    wrong = sorted(n for n, value in entry.items() if not isinstance(value, FIELDS.get(n, ())))
    if wrong or "outcome" not in entry:
        raise BadUsage(f"{entry['name']}: a case cannot be like this.", wrong or ["outcome"])
    gone = dict.fromkeys(map(str, entry.get("missing", ())))
    return GoldenCase(
        name=entry["name"],
        inputs={**base, **flat(entry.get("change", {})), **gone},
        stale=frozenset(map(str, entry.get("stale", ()))),
        outcome=entry["outcome"],
        hit=entry.get("hit", []),
        unknown=entry.get("unknown", []),
        reasons=entry.get("reasons", []),
        offer=entry.get("offer", {}),
        values=flat(entry.get("values", {})),
    )


def _differences(case: GoldenCase, run: Run) -> Iterator[str]:
    yield from _compared("outcome", case.outcome, run.outcome)
    yield from _compared("hit", case.hit, run.rules("hit"))
    yield from _compared("unknown", case.unknown, run.rules("not_evaluable"))
    yield from _compared("reasons", case.reasons, [_named(reason) for reason in run.reasons])
    made: Mapping[str, Any] = run.offers[0] if run.offers else {}
    for name, expected in case.offer.items():
        yield from _compared(f"offer.{name}", expected, made.get(name))
    for name, expected in case.values.items():
        yield from _compared(f"values.{name}", expected, run.values.get(name))


def _named(reason: ReasonCode) -> str:
    data = reason.code in {DATA_MISSING, DATA_STALE}
    return f"{reason.code} {reason.attribute}" if data else reason.code


def _compared(name: str, expected: Any, found: Any) -> Iterator[str]:
    if _plain(expected) != _plain(found):
        yield f"{name}: {_plain(found)} instead of {_plain(expected)}"


def _plain(value: Any) -> str:
    """Return the text of a value: 563, "563" and 563.0 are the same."""
    if isinstance(value, list):
        return ", ".join(map(str, value)) or NOTHING
    if value is None or isinstance(value, bool):
        return {None: NOTHING, True: "true", False: "false"}[value]
    try:
        return format(Decimal(str(value)).normalize(), "f")
    except ArithmeticError:
        return str(value)
