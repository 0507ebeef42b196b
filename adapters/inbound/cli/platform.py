"""`creditctl up`, `demo`, `token` and `doctor`: the platform on this machine."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import click

from adapters.inbound.cli.failures import ExitCode
from adapters.inbound.cli.options import SUBJECT, data_option, folder, json_option, wiring_of
from adapters.inbound.cli.output import Output, Page
from adapters.inbound.cli.wiring import Check, DemoOptions, Level, UpOptions
from adapters.inbound.cli.wording import count
from adapters.security.tokens import SCOPES
from adapters.settings import DEFAULT_METRICS_PORT

PORT = click.IntRange(0, 65_535)
RESULTS: Final = {Level.WELL: "well", Level.WARNING: "warning", Level.FAULT: "NOT WELL"}
#: What the last line counts, the worst first.
SHOWN: Final = (Level.FAULT, Level.WARNING)

profile_option: Final = click.option(
    "--profile",
    type=click.Choice(["embedded", "services", "aws"]),
    default="embedded",
    show_default=True,
    help="Which stores to use.",
)


@click.command()
@data_option
@click.option("--port", type=PORT, help="Port of the API (else 8080, or a free one).")
@click.option(
    "--metrics-port",
    type=PORT,
    default=DEFAULT_METRICS_PORT,
    show_default=True,
    help="Port of /metrics on this machine; a free one when it is taken.",
)
@profile_option
@click.option(
    "--anchors",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The file that says each minute where the ledger stood; best on another disk or host "
    "(else in the data folder).",
)
@json_option
def up(
    output: Output,
    *,
    data: Path | None,
    port: int | None,
    metrics_port: int,
    profile: str,
    anchors: Path | None,
) -> int:
    """Start the platform and keep it up until Ctrl-C."""
    place = folder(data)
    options = UpOptions(
        data=place, port=port, metrics_port=metrics_port, profile=profile, anchors=anchors
    )
    code = wiring_of().up(options)
    if output.as_json:
        output.show({"data": str(place), "profile": profile, "exit_code": code}, _nothing)
    return code


@click.command()
@data_option
@click.option("--once", is_flag=True, help="End after the summary instead of staying up.")
@click.option("--port", type=PORT, help="Port of the API (else 8080, or a free one).")
@click.option("--customers", type=click.IntRange(1), hidden=True)
@json_option
def demo(
    output: Output, *, data: Path | None, once: bool, port: int | None, customers: int | None
) -> int:
    """Try it: real customers, events, decisions, and a summary."""
    options = DemoOptions(
        data=folder(data), once=once, as_json=output.as_json, customers=customers, port=port
    )
    return wiring_of().demo(options)


@click.command()
@data_option
@click.option(
    "--scope",
    "scopes",
    type=click.Choice(SCOPES),
    multiple=True,
    metavar="SCOPE",
    help=f"What the token may do, as often as needed; everything when none is given. One of: "
    f"{', '.join(SCOPES)}.",
)
@click.option("--subject", default=SUBJECT, show_default=True, help="Who the token speaks for.")
@json_option
def token(output: Output, *, data: Path | None, scopes: Sequence[str], subject: str) -> None:
    """Make a token with the key of the data folder; it is the last line."""
    granted = tuple(scopes) or SCOPES
    made = wiring_of().issue_token(folder(data), granted, subject)
    output.note(f"A token for {subject} with {count(len(granted), 'scope')}; keep it secret.")
    document = {"token": made, "subject": subject, "scopes": list(granted)}
    output.show(document, lambda page: page.line(made))


@click.command()
@data_option
@profile_option
@json_option
def doctor(output: Output, *, data: Path | None, profile: str) -> ExitCode:
    """
    Look for what would stop the platform, and say what to do about it.

    Changes nothing. Warnings stop nothing; the exit code is 1 for faults only.
    """
    checks = wiring_of().doctor(folder(data), profile)
    well = all(check.ok for check in checks)
    document = {"ok": well, "checks": [_plain(check) for check in checks]}
    output.show(document, lambda page: _write(page, checks))
    return ExitCode.DONE if well else ExitCode.FOUND_WRONG


def _plain(check: Check) -> dict[str, object]:
    return {
        "name": check.name,
        "ok": check.ok,
        "level": check.level.value,
        "detail": check.detail,
        "remedy": check.remedy,
    }


def _write(page: Page, checks: Sequence[Check]) -> None:
    page.table(
        ("check", "result", "detail", "what to do"),
        [(c.name, RESULTS[c.level], c.detail, c.remedy) for c in checks],
    )
    levels = Counter(check.level for check in checks)
    found = [count(levels[level], level.value) for level in SHOWN if levels[level]]
    page.line(f"{' and '.join(found)} found." if found else "Everything is well.")


def _nothing(_page: Page) -> None:
    """Write nothing for a person: what there was to say has been said while it ran."""
