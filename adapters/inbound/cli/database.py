"""`creditctl db …`: the schema of the store of truth."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from adapters.inbound.cli.failures import ExitCode
from adapters.inbound.cli.options import FOLDER, folder, json_option, wiring_of
from adapters.inbound.cli.output import Output, Page
from adapters.inbound.cli.wiring import Place, SchemaState

NONE = "0000"


class RevisionParam(click.ParamType[str]):
    """A revision: four digits."""

    name = "revision"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the revision."""
        text = str(value)
        if len(text) != len(NONE) or not (text.isascii() and text.isdigit()):
            self.fail("a revision is four digits, like 0001.", param, ctx)
        return text


def place_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--url` and `--data`."""
    url = click.option(
        "--url",
        metavar="URL",
        help="mysql://user:password@host:port/database; better in MYSQL_URL, which no list shows.",
    )
    data = click.option(
        "--data", type=FOLDER, help="The data folder (else MYSQL_URL, else the default folder)."
    )
    return url(data(function))


@click.group()
def db() -> None:
    """Look at the schema of the store of truth, and change it."""


@db.command()
@place_options
@json_option
def status(output: Output, *, url: str | None, data: Path | None) -> ExitCode:
    """Tell which schema is there, and which one this program needs."""
    state = wiring_of().schema_state(_place(url, data))
    _show(output, state)
    return ExitCode.DONE if state.found == state.needed else ExitCode.FOUND_WRONG


@db.command()
@place_options
@json_option
def upgrade(output: Output, *, url: str | None, data: Path | None) -> None:
    """
    Bring the schema to what this program needs.

    Programs of the schema before go on meanwhile; a table that stays locked is tried again and
    then left alone. What broke off goes on when it is run again.
    """
    _show(output, wiring_of().upgrade_schema(_place(url, data)))


@db.command()
@click.option("--to", "revision", type=RevisionParam(), required=True, help="Like 0001.")
@click.option("--force-data-loss", is_flag=True, help="Drop also what holds data.")
@place_options
@json_option
def downgrade(
    output: Output, *, url: str | None, data: Path | None, revision: str, force_data_loss: bool
) -> None:
    """
    Take the schema back to an older revision; 0000 drops everything.

    Refuses while something that would be dropped holds data.
    """
    place = _place(url, data)
    _show(output, wiring_of().downgrade_schema(place, revision, lose=force_data_loss))


def _place(url: str | None, data: Path | None) -> Place:
    if url is None and data is None:
        url = wiring_of().default_mysql()
    elif url is not None and data is not None:
        raise click.UsageError("--url and --data exclude each other.")
    return Place(url, folder(data))


def _show(output: Output, state: SchemaState) -> None:
    document = {
        "place": state.place,
        "found": state.found,
        "needed": state.needed,
        "ok": state.found == state.needed,
    }
    output.show(document, lambda page: _write(page, state))


def _write(page: Page, state: SchemaState) -> None:
    page.line(f"{state.place}: {_sentence(state)}")


def _sentence(state: SchemaState) -> str:
    if state.found == state.needed:
        return f"schema {state.found}, as this program needs it."
    if state.found == NONE:
        return "no schema yet; `creditctl db upgrade` makes it."
    if state.found < state.needed:
        return (
            f"schema {state.found}, older than {state.needed} of this program;"
            " `creditctl db upgrade` brings it there."
        )
    return f"schema {state.found}, newer than {state.needed} of this program."
