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
    Make table, keyspace and stream where they are not there, and look whether they are right.

    Settings come from the environment, as for `up --profile services`. On AWS the infrastructure
    makes them.
    """
    places = wiring_of().prepare_stores()
    document = {"prepared": [{"name": name, "place": place} for name, place in places.items()]}
    output.show(document, lambda page: _write(page, places))


def _write(page: Page, places: dict[str, str]) -> None:
    for name, place in places.items():
        page.line(f"{name}: ready at {place}.")
