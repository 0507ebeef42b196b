"""`creditctl decide` and `creditctl decision …`."""

from datetime import date
from typing import Any

import click

from adapters.inbound.cli import decision_views as views
from adapters.inbound.cli.client import Api, Request, path_of, posted
from adapters.inbound.cli.decision_proofs import PROOFS
from adapters.inbound.cli.failures import ExitCode
from adapters.inbound.cli.options import (
    DAY,
    MONEY,
    json_option,
    key_option,
    language_option,
    page_options,
    with_api,
)
from adapters.inbound.cli.output import Output
from domain.decision import Outcome

DECISIONS = "credit-decisions"
#: How long `--wait` alone goes on.
WAIT_SECONDS = 60
REPLAYED = "This key was used before: what follows is the reply of that time."


@click.command()
@click.option("--customer", "customer_id", required=True, help="Id of the customer.")
@click.option("--amount", type=MONEY, required=True, help="Reais, like 20000.00.")
@click.option("--term", "term_months", type=click.IntRange(1, 480), required=True, help="Months.")
@click.option("--product", default="personal_loan", show_default=True, help="Product.")
@click.option("--amortization", type=click.Choice(["price", "sac"]), help="How it is paid back.")
@click.option("--first-due-on", type=DAY, help="First due date; one month after signing.")
@click.option("--iof", type=click.Choice(["financed", "paid_apart"]), help="Where the tax goes.")
@click.option("--channel", help="Where the application came in.")
@click.option("--external-reference", help="Your own number of the application.")
@click.option(
    "--wait",
    type=click.IntRange(1, 600),
    is_flag=False,
    flag_value=WAIT_SECONDS,
    help="Try again with the same key while the platform is away; seconds, 60 when none are given.",
)
@key_option
@language_option
@with_api
@json_option
def decide(
    api: Api, output: Output, *, key: str, wait: int | None, language: str, **asked: Any
) -> None:
    """Decide a credit application, once: the same key never decides twice."""
    body, path = _application(asked), path_of(DECISIONS)
    request = posted(path, body, Idempotency_Key=key, Accept_Language=language)
    reply = api.send(request, patience_seconds=wait or 0)
    if reply.replayed:
        output.note(REPLAYED)
    output.show(reply.document, lambda page: views.decision(page, reply.document))


def _application(asked: dict[str, Any]) -> dict[str, object]:
    return {name: _plain(value) for name, value in asked.items() if value is not None}


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, date) else value


@click.group()
def decision() -> None:
    """Read, explain, replay and verify decisions."""


@decision.command()
@click.argument("decision_id")
@language_option
@with_api
@json_option
def show(api: Api, output: Output, *, decision_id: str, language: str) -> None:
    """Show a decision as it was recorded."""
    path = path_of(DECISIONS, decision_id)
    headers = {"Accept-Language": language}
    document = api.send(Request(method="GET", path=path, headers=headers)).document
    output.show(document, lambda page: views.decision(page, document))


@decision.command()
@click.argument("decision_id")
@click.option("--all", "whole", is_flag=True, help="Also show the rules that did not hit.")
@language_option
@with_api
@json_option
def explain(api: Api, output: Output, *, decision_id: str, language: str, whole: bool) -> None:
    """Say why: every rule, how far it was from its threshold, and what would help."""
    document = api.get(path_of(DECISIONS, decision_id, "explanation"), language=language)
    output.show(document, lambda page: views.explanation(page, document, whole=whole))


@decision.command()
@click.argument("decision_id")
@with_api
@json_option
def replay(api: Api, output: Output, *, decision_id: str) -> ExitCode:
    """Decide again from the stored evidence and compare; exit code 1 when it differs."""
    path = path_of(DECISIONS, decision_id, "replay")
    document = api.send(Request(method="POST", path=path)).document
    output.show(document, lambda page: views.replay(page, document))
    return ExitCode.FOUND_WRONG if document.get("verdict") == "DIFFERENT" else ExitCode.DONE


@decision.command("list")
@click.option("--customer", "customer_id", help="Only of this customer.")
@click.option("--outcome", type=click.Choice([o.value for o in Outcome]), help="Only this outcome.")
@click.option("--policy", help="Only by this policy.")
@click.option("--from", "since", help="Not before: a day or an instant of the contract.")
@click.option("--to", "until", help="Before: a day or an instant of the contract.")
@page_options
@with_api
@json_option
def list_(api: Api, output: Output, *, since: str | None, until: str | None, **query: Any) -> None:
    """List decisions, newest first."""
    document = api.get(path_of(DECISIONS), **query, **{"from": since, "to": until})
    output.show(document, lambda page: views.decisions(page, document))


for _proof in PROOFS:
    decision.add_command(_proof)
