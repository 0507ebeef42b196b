"""`creditctl ops …`: what operators do."""

from collections.abc import Mapping
from typing import Any

import click

from adapters.inbound.cli.client import Api, path_of, posted
from adapters.inbound.cli.options import json_option, key_option, page_options, with_api
from adapters.inbound.cli.output import Output, Page
from adapters.inbound.cli.wording import count, said, words


@click.group()
def ops() -> None:
    """Run the platform in bad times; every command is audited."""


@ops.group("loss-window")
def loss_window() -> None:
    """Make approvals wait after a region was lost or the ledger restored."""


@loss_window.command("open")
@click.option(
    "--cause",
    type=click.Choice(["RESTORE", "REGION_LOSS", "OTHER"]),
    required=True,
    help="What was lost.",
)
@click.option("--reason", required=True, help="In words; no personal data.")
@key_option
@with_api
@json_option
def open_(api: Api, output: Output, *, cause: str, reason: str, key: str) -> None:
    """Open a loss window; there is one at a time."""
    body = {"cause": cause, "reason": reason}
    document = api.send(posted(path_of("loss-windows"), body, Idempotency_Key=key)).document
    window = said(document.get("window_id"))
    output.show(document, lambda page: page.line(f"Loss window {window} is open."))


@loss_window.command("list")
@page_options
@with_api
@json_option
def list_(api: Api, output: Output, **query: Any) -> None:
    """List loss windows, newest first."""
    document = api.get(path_of("loss-windows"), **query)
    output.show(document, lambda page: _write(page, document))


@loss_window.command()
@click.argument("window_id")
@click.option("--note", required=True, help="Why it is safe to approve again; no personal data.")
@key_option
@with_api
@json_option
def release(api: Api, output: Output, *, window_id: str, note: str, key: str) -> None:
    """Release a loss window, and say how many persons it still held up."""
    path = path_of("loss-windows", window_id, "release")
    document = api.send(posted(path, {"note": note}, Idempotency_Key=key)).document
    output.show(document, lambda page: _write_released(page, document))


@ops.group("hot-data")
def hot_data() -> None:
    """Look at the hot store: keys and readable columns, no personal data."""


@hot_data.command("by-type")
@click.argument("data_type", metavar="TYPE")
@page_options
@with_api
@json_option
def by_type(api: Api, output: Output, *, data_type: str, **query: Any) -> None:
    """List rows of a type (CUSTOMER_PROFILE, DECISION_LATEST), the one updated last first."""
    document = api.get(path_of("hot-data", "types", data_type), **query)
    output.show(document, lambda page: _write_rows(page, document))


@hot_data.command("by-status")
@click.argument("status")
@page_options
@with_api
@json_option
def by_status(api: Api, output: Output, *, status: str, **query: Any) -> None:
    """List rows of a status (ACTIVE, INCOMPLETE, an outcome), the one created last first."""
    document = api.get(path_of("hot-data", "statuses", status), **query)
    output.show(document, lambda page: _write_rows(page, document))


def _write_rows(page: Page, document: Mapping[str, Any]) -> None:
    items = document.get("items") or []
    names = ("customer_id", "data_type", "version", "status", "created_at", "updated_at")
    columns = ("customer", "type", "version", "status", "created at", "updated at")
    if items:
        page.table(columns, [tuple(item.get(name) for name in names) for item in items])
    more = document.get("next_cursor")
    page.line(count(len(items), "row") + (f"; go on with --cursor {more}" if more else "."))


def _write(page: Page, document: Mapping[str, Any]) -> None:
    items = document.get("items") or []
    columns = ("window", "state", "cause", "opened at", "opened by", "released at", "reason")
    if items:
        page.table(columns, [_row(item) for item in items])
    more = document.get("next_cursor")
    end = f"; go on with --cursor {more}" if more else "."
    page.line(count(len(items), "loss window") + end)


def _row(item: Mapping[str, Any]) -> tuple[object, ...]:
    names = ("window_id", "state", "cause", "opened_at", "opened_by", "released_at", "reason")
    return tuple(words(item[n]) if n == "cause" else item.get(n) for n in names)


def _write_released(page: Page, document: Mapping[str, Any]) -> None:
    page.line(f"Loss window {said(document.get('window_id'))} is released.")
    waiting = int(document.get("persons_waiting") or 0)
    page.line(f"{count(waiting, 'person')} still had an open case because of it.")
