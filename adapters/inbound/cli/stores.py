"""`creditctl stores …`: the servers of projections and stream."""

import click

from adapters.inbound.cli.options import json_option, wiring_of
from adapters.inbound.cli.output import Output, Page


@click.group()
def stores() -> None:
    """Make what projections and stream need on their servers."""


@stores.command()
@json_option
def prepare(output: Output) -> None:
    """
    Make the keyspace, the table and the stream where they are missing.

    What is there is only looked at.

    Settings come from the environment, as for `up --profile services`. On AWS the infrastructure
    makes them.
    """
    places = wiring_of().prepare_stores()
    document = {"prepared": [{"name": name, "place": place} for name, place in places.items()]}
    output.show(document, lambda page: _write(page, places))


def _write(page: Page, places: dict[str, str]) -> None:
    for name, place in places.items():
        page.line(f"{name}: ready at {place}.")
