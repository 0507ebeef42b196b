"""The demo's summary for people, and how to go on from there."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from rich.console import Console
from rich.table import Table

STATED = (
    "Real: limits, statements, payments, delays and later defaults of 30,000 card customers.\n"
    "Stated: dates moved by 248 months, NT$ 1 = R$ 0.10, income presumed from the limit (a tenth\n"
    "has none), amounts and terms drawn from 4,454 real requests, debt service a tenth of the\n"
    "carried balance; one-month default stands in for twelve. docs/demo.md has all of it."
)


def show_summary(console: Console, document: Mapping[str, Any]) -> None:
    """Print what a credit manager wants to know."""
    table = Table(title="Personal loans decided", show_header=False, title_justify="left")
    table.add_column(style="bold")
    table.add_column()
    for name, value in _lines(document):
        table.add_row(name, value)
    console.print(table)
    console.print(STATED, style="dim", highlight=False)


def show_how_to_go_on(console: Console, url: str, metrics: str, token: str | None) -> None:
    """Print addresses and one request to try."""
    console.print(f"API       {url}   documentation {url}/docs", highlight=False)
    console.print(f"Metrics   {metrics}", highlight=False)
    if token is not None:
        console.print("Try it:\n" + sample_curl(url, token), highlight=False, soft_wrap=True)
    console.print("Ctrl-C ends it.", highlight=False)


def sample_curl(url: str, token: str) -> str:
    """Return a request that decides, ready to be pasted."""
    return (
        f"curl -s {url}/v1/credit-decisions -H 'Authorization: Bearer {token}' "
        "-H 'Content-Type: application/json' -H 'Idempotency-Key: try-1' "
        '-d \'{"customer_id": "c-000009", "product": "personal_loan", '
        '"amount": "5000.00", "term_months": 24}\''
    )


def percent(fraction: str) -> str:
    """Return a fraction as a percentage with one decimal."""
    return f"{Decimal(fraction) * 100:.1f} %"


def reais(text: str) -> str:
    """Return money as people in Brazil write it."""
    whole = f"{Decimal(text):,.2f}"
    return "R$ " + whole.replace(",", "_").replace(".", ",").replace("_", ".")


def _lines(document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    outcomes, total = document["outcomes"], document["applications"]
    yield "applications", f"{total:,} of {document['customers']:,} customers"
    for outcome, count in outcomes.items():
        share = 100 * count / total if total else 0
        yield outcome.lower().replace("_", " "), f"{count:,} ({share:.1f} %)"
    yield (
        "defaults among approved",
        f"{percent(document['bad_rate_approved'])}, overall {percent(document['bad_rate_all'])}",
    )
    yield from _offer_lines(document["offers"])
    for reason in document["top_reasons"]:
        yield f"reason {reason['code']}", f"{reason['count']:,} times {reason['text']}"
    yield from _proof_lines(document)


def _offer_lines(offers: Mapping[str, str | None]) -> Iterator[tuple[str, str]]:
    amount, rate = offers["median_amount"], offers["median_monthly_rate"]
    instalment, cet = offers["median_instalment"], offers["median_cet_annual"]
    if amount and rate and instalment and cet:
        yield "median offer", f"{reais(amount)} at {Decimal(rate) * 100:.2f} % a month"
        yield "median instalment", f"{reais(instalment)}, CET {percent(cet)} a year"


def _proof_lines(document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    latency = document["latency_ms"]
    yield "events", f"{document['events']:,}, {document['events_per_second']:,.0f} a second"
    speed = ", ".join(f"{name} {value} ms" for name, value in latency.items())
    yield "decisions", f"{document['decisions_per_second']:,.0f} a second; {speed}"
    yield "repeats refused", f"{document['duplicates_refused']:,}, each with the first reply"
    replays, stores = document["replays"], document["stores"]
    yield "replays", f"{replays['equal']:,} of {replays['tried']:,} equal to the byte"
    yield "stores", f"{stores['compared']:,} rows compared, {stores['differing']:,} differ"
    yield "fingerprint", document["fingerprint"]
