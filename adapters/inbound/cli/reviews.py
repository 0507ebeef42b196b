"""`creditctl review …`."""

from collections.abc import Mapping, Sequence
from typing import Any

import click

from adapters.inbound.cli import decision_views
from adapters.inbound.cli.client import Api, path_of, posted
from adapters.inbound.cli.options import (
    json_option,
    key_option,
    language_option,
    page_options,
    with_api,
)
from adapters.inbound.cli.output import Output, Page
from adapters.inbound.cli.wording import count, said, words


@click.group()
def review() -> None:
    """List, request and close the cases that a person decides."""


@review.command("list")
@click.option("--state", type=click.Choice(["OPEN", "CLOSED"]), help="Only cases in this state.")
@page_options
@with_api
@json_option
def list_(api: Api, output: Output, **query: Any) -> None:
    """List cases, newest first."""
    document = api.get(path_of("reviews"), **query)
    output.show(document, lambda page: _write(page, document))


@review.command()
@click.argument("decision_id")
@click.option("--note", help="What the person says; no personal data.")
@key_option
@with_api
@json_option
def request(api: Api, output: Output, *, decision_id: str, note: str | None, key: str) -> None:
    """Ask for a review of a decision, which is every person's right."""
    path = path_of("credit-decisions", decision_id, "review")
    body = {"note": note} if note else {}
    document = api.send(posted(path, body, Idempotency_Key=key)).document
    output.show(
        document, lambda page: page.line(f"Review {said(document.get('review_id'))} is open.")
    )


@review.command()
@click.argument("review_id")
@click.option(
    "--outcome",
    type=click.Choice(["APPROVED", "DECLINED"]),
    required=True,
    help="APPROVED waives what referred the case; limits and prices hold.",
)
@click.option(
    "--reason", "reasons", multiple=True, required=True, help="Reason code; may be several."
)
@click.option("--note", help="Why; no personal data.")
@key_option
@language_option
@with_api
@json_option
def close(api: Api, output: Output, *, key: str, language: str, **verdict: Any) -> None:
    """Close a case: it ends in a new decision, linked to the first."""
    path = path_of("reviews", verdict.pop("review_id"), "decision")
    request = posted(path, _verdict(**verdict), Idempotency_Key=key, Accept_Language=language)
    document = api.send(request).document
    output.show(document, lambda page: decision_views.decision(page, document))


def _verdict(outcome: str, reasons: Sequence[str], note: str | None) -> dict[str, object]:
    body: dict[str, object] = {"outcome": outcome, "reasons": list(reasons)}
    return body | ({"note": note} if note else {})


def _write(page: Page, document: Mapping[str, Any]) -> None:
    items = document.get("items") or []
    columns = ("review", "state", "cause", "opened at", "decision", "customer")
    if items:
        page.table(columns, [_row(item) for item in items])
    more = document.get("next_cursor")
    page.line(count(len(items), "case") + (f"; go on with --cursor {more}" if more else "."))


def _row(item: Mapping[str, Any]) -> tuple[object, ...]:
    names = ("review_id", "state", "cause", "opened_at", "decision_id", "customer_id")
    return tuple(words(item[n]) if n == "cause" else item.get(n) for n in names)
