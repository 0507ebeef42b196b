"""`creditctl policy diff|explain|bench`: what analysts ask of policy files."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Any, Final

import click

from adapters.inbound.cli import policy_tool_views as views
from adapters.inbound.cli.failures import BadUsage, Failure
from adapters.inbound.cli.options import FILE, STREAM, json_option, language_option
from adapters.inbound.cli.output import Output
from adapters.inbound.cli.policies import day_option, policy_options, runner_of
from adapters.inbound.cli.policy_bench import generated, measured
from adapters.inbound.cli.policy_cases import read_cases
from adapters.inbound.cli.policy_files import Examined, Sources, examine
from adapters.inbound.cli.policy_inputs import read_inputs
from adapters.inbound.cli.policy_runs import Run, Runner
from adapters.inbound.cli.policy_views import identity
from decision_engine.comparison import Effect, effect, known_to, summary
from decision_engine.policy.diff import diff, diff_models
from decision_engine.policy.document import PolicyDocument
from decision_engine.policy.reason_table import language_of
from decision_engine.policy.story import decided, nearest
from domain.errors import InvalidInputError


@click.command("diff")
@click.argument("before", type=FILE)
@click.argument("after", type=FILE)
@click.option("--cases", type=FILE, help="TOML file of golden cases: also tell what changes there.")
@day_option
@json_option
def diff_(
    output: Output, *, before: Path, after: Path, cases: Path | None, day: date | None
) -> None:
    """
    Tell what changed between two policy files, in rules.

    Scorecards and reason texts are those beside each file. Exit code 1 only when a file cannot be
    read, or cannot run the cases.
    """
    old, new = (examine(Sources(path)) for path in (before, after))
    changes = [*diff(_document(old), _document(new)), *diff_models(_models(old), _models(new))]
    effects = _effects(before, after, cases, day) if cases else None
    document: dict[str, Any] = {
        "from": identity(old),
        "to": identity(new),
        "changes": [change.plain() for change in changes],
    }
    if effects is not None:
        changed = [each.plain() for each in effects if each.changes]
        document["effect"] = {**summary(effects), "changes": changed}
    output.show(document, lambda page: views.changes(page, document))


@click.command("explain")
@policy_options
@click.option(
    "--input",
    "source",
    type=STREAM,
    required=True,
    help="JSON object of inputs; - is standard input.",
)
@day_option
@language_option
@json_option
def explain(output: Output, *, source: Path, language: str, day: date | None, **rest: Any) -> None:
    """
    Say why a policy FILE answers as it does: the reasons, what decided, what came near.

    Each rule that hit is told with what it would need; of those that did not hit, the nearest
    three. `policy eval --trace` has every condition of every rule.
    """
    found, runner = runner_of(day=day, **rest)
    inputs = read_inputs(source)
    if inputs.many:
        raise BadUsage("One input is explained at a time: give one JSON object.")
    run = runner.run(inputs.values[0])
    labels = {f.name: f.label_in(language_of(language)) for f in runner.rulebook.compiled.reads}
    entries = run.trace()
    document = {
        "policy": identity(found),
        "outcome": run.outcome,
        "reasons": run.case.reasons_shown(run.reasons, language),
        "offers": list(run.offers),
        "decided": [told.plain() for told in decided(entries, labels)],
        "nearest": [told.plain() for told in nearest(entries, labels)],
        "uncovered": list(run.evaluation.uncovered),
        "unusable": dict(run.unusable),
    }
    output.show(document, lambda page: views.story(page, document))


@click.command("bench")
@policy_options
@click.option("--input", "source", type=STREAM, help="Inputs to use; else made from the policy.")
@click.option(
    "--count",
    type=click.IntRange(100, 10_000_000),
    default=20_000,
    show_default=True,
    help="How many evaluations to measure.",
)
@day_option
@json_option
def bench(
    output: Output, *, source: Path | None, count: int, day: date | None, **rest: Any
) -> None:
    """
    Measure how fast a policy FILE evaluates on this machine: one thread, inputs in memory.

    What is measured is one evaluation without a trace: inputs that were read and checked go in,
    the rules that object come out, the price of a loan included where the policy asks for one.
    Reading inputs, counter-offers, recording and the network are not in it.
    """
    found, runner = runner_of(day=day, **rest)
    runs = _runs(runner, source)
    if not runs:
        raise BadUsage("There is no input to measure with: give some by --input.")
    document = {"policy": identity(found), "inputs": len(runs), "generated": source is None}
    document |= measured(runner.rulebook.compiled, runs, count)
    output.show(document, lambda page: views.measured(page, document))


TOOLS: Final[Sequence[click.Command]] = (diff_, explain, bench)


def _runs(runner: Runner, source: Path | None) -> list[Run]:
    if source is not None:
        return [runner.run(values) for values in read_inputs(source).values]
    runs: list[Run] = []
    for values in generated(runner.rulebook.compiled):
        # An amount or term that nobody can ask for never reaches a policy.
        with suppress(InvalidInputError):
            runs.append(runner.run(values))
    return runs


def _document(found: Examined) -> PolicyDocument:
    if found.document is None:
        faults = [f"{path.name}{item.pointer}: {item.sentence}" for path, item in found.errors]
        name = found.sources.policy.name
        raise Failure(f"{name} cannot be read.", faults, code="policy-invalid")
    return found.document


def _models(found: Examined) -> Any:
    return found.compiled.models if found.compiled is not None else {}


def _effects(before: Path, after: Path, cases: Path, day: date | None) -> list[Effect]:
    golden = read_cases(cases)
    old, new = (
        runner_of(file=path, models=(), reasons=None, day=day or golden.on)[1]
        for path in (before, after)
    )
    _check_known(golden.cases, (old, new))
    return [
        effect(case.name, _run(old, case.inputs, case.stale), _run(new, case.inputs, case.stale))
        for case in golden.cases
    ]


def _names(runner: Runner) -> set[str]:
    return {field.name for field in runner.rulebook.compiled.inputs}


def _check_known(cases: Sequence[Any], runners: Sequence[Runner]) -> None:
    known = set[str]().union(*map(_names, runners))
    unknown = sorted({name for case in cases for name in {*case.inputs, *case.stale}} - known)
    if unknown:
        raise BadUsage("Neither policy has such an input.", unknown)


def _run(runner: Runner, inputs: Any, stale: frozenset[str]) -> Run:
    names = _names(runner)
    return runner.run(known_to(names, inputs), stale & names)
