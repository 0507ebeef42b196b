"""`creditctl quote`: the price of a loan, without a server and without a customer."""

from collections.abc import Mapping
from datetime import date
from typing import Any

import click

from adapters.inbound.cli.options import DAY, MONEY, json_option, wiring_of
from adapters.inbound.cli.output import Output, Page
from adapters.inbound.cli.wording import count, percent, reais
from adapters.system import SystemClock
from decision_engine.pricing.tables import IofTable
from decision_engine.quote import Quote, quote_reply
from domain.instants import business_day


@click.command()
@click.option("--amount", type=MONEY, required=True, help="Reais, like 20000.00.")
@click.option("--term-months", type=click.IntRange(1, 480), required=True, help="Months.")
@click.option("--monthly-rate", required=True, help="A fraction: 0.025 is 2.5 % a month.")
@click.option(
    "--amortization",
    type=click.Choice(["price", "sac"]),
    default="price",
    show_default=True,
    help="Equal instalments (price) or equal parts of the principal (sac).",
)
@click.option("--signed-on", type=DAY, help="Day of signature; today in São Paulo.")
@click.option("--first-due-on", type=DAY, help="First due date; one month after signing.")
@click.option(
    "--iof",
    type=click.Choice(["financed", "paid_apart", "none"]),
    default="financed",
    show_default=True,
    help="Where the tax on credit goes.",
)
@json_option
def quote(
    output: Output, *, signed_on: date | None, first_due_on: date | None, **asked: Any
) -> None:
    """Price a loan offline: instalments, IOF and CET."""
    signed = signed_on or business_day(SystemClock().now())
    due = {"first_due_on": first_due_on.isoformat()} if first_due_on else {}
    table = IofTable.parse(wiring_of().iof_table())
    loan = Quote(table)({**asked, "signed_on": signed.isoformat(), **due})
    document = quote_reply(loan)
    output.note(f"Signed on {signed.isoformat()}.")
    output.show(document, lambda page: _write(page, document))


def _write(page: Page, document: Mapping[str, Any]) -> None:
    rows = document["instalments"]
    page.line(f"{count(len(rows), 'instalment')}, {reais(rows[0]['instalment'])} the first.")
    money = ("principal", "iof", "net_amount", "total_interest", "total")
    facts = [(name.replace("_", " "), reais(document[name])) for name in money]
    facts.append(("CET a month", percent(document["cet_monthly"])))
    page.facts([*facts, ("CET a year", percent(document["cet_annual"]))])
    columns = (">no.", "due on", ">instalment", ">interest", ">amortization", ">balance")
    page.table(columns, [_row(row) for row in rows])


def _row(row: Mapping[str, Any]) -> tuple[object, ...]:
    money = ("instalment", "interest", "amortization", "balance")
    return row["number"], row["due_on"], *(reais(row[name]) for name in money)
