"""`creditctl policy …`: what the platform decides with, and files before they are published."""

from collections.abc import Callable, Sequence
from datetime import date, datetime, time
from pathlib import Path
from typing import Any, Final

import click

from adapters.inbound.cli import policy_views as views
from adapters.inbound.cli.client import Api, path_of
from adapters.inbound.cli.failures import ExitCode
from adapters.inbound.cli.options import (
    DAY,
    FILE,
    STREAM,
    AnyFunction,
    json_option,
    language_option,
    wiring_of,
    with_api,
)
from adapters.inbound.cli.output import Output
from adapters.inbound.cli.policy_cases import judge, read_cases
from adapters.inbound.cli.policy_files import Examined, Sources, examine
from adapters.inbound.cli.policy_inputs import read_inputs
from adapters.inbound.cli.policy_runs import Runner
from adapters.system import SystemClock
from domain.instants import SAO_PAULO

NOON: Final = time(12)
#: The forms of a trace.
CONDITIONS: Final = "conditions"
ZEN: Final = "zen"


def policy_options(function: AnyFunction) -> AnyFunction:
    """Add FILE, `--model` and `--reasons`."""
    file = click.argument("file", type=FILE)
    model = click.option(
        "--model",
        "models",
        type=FILE,
        multiple=True,
        help="A scorecard file; else those the policy names, beside it.",
    )
    reasons = click.option(
        "--reasons", type=FILE, help="Reason texts; else reasons.json beside the policy."
    )
    return file(model(reasons(function)))


day_option: Final[Callable[[AnyFunction], AnyFunction]] = click.option(
    "--on", "day", type=DAY, help="Day of the decision, for dated tables; today in São Paulo."
)


@click.group()
def policy() -> None:
    """List, show, check, run and test policies."""


@policy.command("list")
@with_api
@json_option
def list_(api: Api, output: Output) -> None:
    """List the policy versions of the platform."""
    document = api.get(path_of("policies"))
    output.show(document, lambda page: views.policies(page, document))


@policy.command()
@click.argument("policy_id")
@with_api
@json_option
def show(api: Api, output: Output, *, policy_id: str) -> None:
    """Show the active version of a policy; --json also gives its document."""
    document = api.get(path_of("policies", policy_id))
    output.show(document, lambda page: views.policy(page, document))


@policy.command()
@policy_options
@json_option
def check(output: Output, *, file: Path, models: Sequence[Path], reasons: Path | None) -> ExitCode:
    """Check a policy FILE without a server; exit code 1 when it could not be published."""
    found = examine(Sources(file, models, reasons))
    output.show(views.checked(found), lambda page: views.findings(page, found))
    return ExitCode.DONE if found.valid else ExitCode.FOUND_WRONG


class _Traced(click.Command):
    """Lets `--trace` stand alone, whatever comes after it, and take the word `zen`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse, with the usual trace where none is named."""
        joined: list[str] = []
        for word in args:
            if word == "zen" and joined and joined[-1] == f"--trace={CONDITIONS}":
                joined[-1] = f"--trace={ZEN}"
            else:
                joined.append(f"--trace={CONDITIONS}" if word == "--trace" else word)
        return super().parse_args(ctx, joined)


@policy.command("eval", cls=_Traced)
@policy_options
@click.option(
    "--input",
    "source",
    type=STREAM,
    required=True,
    help="JSON object of inputs by name, or NDJSON with one a line; - is standard input.",
)
@click.option(
    "--trace",
    "traced",
    type=click.Choice([CONDITIONS, ZEN]),
    metavar="[zen]",
    help="Also say how each condition came out; with zen, as the editor of JDM displays it.",
)
@day_option
@language_option
@json_option
def evaluate(
    output: Output,
    *,
    source: Path,
    traced: str | None,
    language: str,
    day: date | None,
    **rest: Any,
) -> None:
    """
    Run any policy FILE on one input or many, without a server.

    Inputs are named with dots or nested; null, or none, is a missing input. A policy that prices
    loans gets the platform's verdict with its offers. For another the outcome tells what its rules
    ask for: DECLINED, REFERRED, REDUCE, or PASSED when none objects.
    """
    found, runner = runner_of(day=day, **rest)
    inputs = read_inputs(source)
    results = [runner.run(values) for values in inputs.values]
    documents = [result.document(language, traced=traced == CONDITIONS) for result in results]
    if traced == ZEN:
        raw = found.contents[found.sources.policy]
        for document, result in zip(documents, results, strict=True):
            document["zen_trace"] = views.numbers(result.zen_trace(raw))
    head = {"policy": views.identity(found)}
    body = {"results": documents} if inputs.many else documents[0]
    output.show({**head, **body}, lambda page: views.results(page, documents, many=inputs.many))


@policy.command("test")
@policy_options
@click.option("--cases", type=FILE, required=True, help="TOML file of golden cases.")
@day_option
@json_option
def test(output: Output, *, cases: Path, day: date | None, **rest: Any) -> ExitCode:
    """Run the golden cases of a policy FILE; exit code 1 when one comes out otherwise."""
    golden = read_cases(cases)
    found, runner = runner_of(day=day or golden.on, **rest)
    verdicts = [judge(runner, case) for case in golden.cases]
    failed = [verdict for verdict in verdicts if verdict.differences]
    document = {
        "policy": views.identity(found),
        "cases": len(verdicts),
        "failed": len(failed),
        "failures": [{"case": v.name, "differences": list(v.differences)} for v in failed],
    }
    output.show(document, lambda page: views.tested(page, verdicts))
    return ExitCode.FOUND_WRONG if failed else ExitCode.DONE


def runner_of(
    file: Path, models: Sequence[Path], reasons: Path | None, day: date | None
) -> tuple[Examined, Runner]:
    """
    Return a checked policy and what runs it.

    Raises:
        Failure: `FOUND_WRONG` with every error of the policy, `BAD_USAGE` for a file.
    """
    found, wiring = examine(Sources(file, models, reasons)), wiring_of()
    rulebook = found.rulebook(wiring.iof_table(), wiring.funding_table())
    noon = datetime.combine(day, NOON, SAO_PAULO) if day else SystemClock().now()
    return found, Runner(rulebook=rulebook, as_of=noon)
