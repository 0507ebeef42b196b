"""`creditctl customer …`."""

from collections.abc import Mapping
from typing import Any, Final

import click

from adapters.inbound.cli.client import Api, path_of
from adapters.inbound.cli.options import json_option, with_api
from adapters.inbound.cli.output import Output, Page
from adapters.inbound.cli.wording import said

MASK: Final = "***"
HIDDEN: Final = "on file, not shown"


@click.group()
def customer() -> None:
    """Read what is known about customers."""


@customer.command()
@click.argument("customer_id")
@with_api
@json_option
def show(api: Api, output: Output, *, customer_id: str) -> None:
    """Show a masked profile, and where each attribute comes from."""
    document = api.get(path_of("customers", customer_id))
    output.show(document, lambda page: _write(page, document))


def _write(page: Page, document: Mapping[str, Any]) -> None:
    status = said(document.get("status")).lower()
    version = said(document.get("profile_version"))
    page.line(f"Customer {said(document.get('customer_id'))}: {status}, profile version {version}.")
    identity = document.get("identity") or {}
    if identity:
        page.line(f"Identity on file, encrypted: {', '.join(sorted(identity))}.")
    attributes = document.get("attributes") or {}
    rows = [_row(name, held) for name, held in attributes.items() if isinstance(held, dict)]
    page.table(("attribute", ">value", "as of", "from", ">version"), rows)
    for tier in document.get("degraded") or ():
        page.line(f"Not reached while reading: {said(tier)}.")


def _row(name: str, held: Mapping[str, Any]) -> tuple[object, ...]:
    value = HIDDEN if held.get("value") == MASK else held.get("value")
    return name, value, held.get("as_of"), held.get("tier"), held.get("version")
