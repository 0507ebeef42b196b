"""`creditctl db …`: the schema of the store of truth, and the index of persons."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import click

from adapters.inbound.cli.failures import ExitCode
from adapters.inbound.cli.options import FOLDER, folder, json_option, wiring_of
from adapters.inbound.cli.output import Output, Page
from adapters.inbound.cli.wiring import Place, SchemaState
from adapters.inbound.cli.wording import count

NONE = "0000"
#: Why persons cannot be found under a version that they have no pointer for.
LOST: Final = {
    "erased": "their keys are destroyed",
    "unknown": "their sealed CPF is no longer held",
    "unread": "their sealed CPF does not open",
}


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
    """Look at the schema of the store of truth, change it, and index persons anew."""


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


@db.command("back-fill-index")
@click.option("--after", default="", help="Go on behind this customer, which a run before named.")
@json_option
def back_fill_index(output: Output, *, after: str) -> ExitCode:
    """
    Let every person be found under the newest version of the index key.

    After a new version of index.key is in use everywhere. Processes go on meanwhile; it may be
    run again, from the beginning or behind a customer. Until it says so, no old version may be
    taken out. Settings come from the environment, as for `up --profile services`.
    """

    def told(last: str, customers: int) -> None:
        output.note(f"{count(customers, 'customer')}; to go on from here: --after {last}")

    counts = wiring_of().back_fill_index(after, told)
    lost = sum(counts[name] for name in LOST)
    # Of those before `after` this run knows nothing.
    may_go = not after and not lost
    document = {**counts, "old_versions_may_go": may_go}
    output.show(document, lambda page: _write_indexed(page, counts, may_go=may_go))
    return ExitCode.FOUND_WRONG if lost else ExitCode.DONE


def _write_indexed(page: Page, counts: Mapping[str, int], *, may_go: bool) -> None:
    handled, made = count(counts["customers"], "customer"), count(counts["missing"], "pointer")
    page.line(f"{handled}; {made} made.")
    for name, why in LOST.items():
        if counts[name]:
            page.line(
                f"{count(counts[name], 'person')} cannot be found without an old version: {why}."
            )
    if may_go:
        page.line("Everybody is found under every version: an old one may be taken out.")
    else:
        page.line("Keep old versions of the key until a whole run finds everybody.")


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
