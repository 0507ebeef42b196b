"""`creditctl decision verify`, `pack` and `key`: proofs from the ledger itself, without the API."""

from collections.abc import Callable, Sequence
from functools import wraps
from pathlib import Path
from typing import Any, Final

import click

from adapters.inbound.cli import decision_views as views
from adapters.inbound.cli.failures import BadUsage, ExitCode
from adapters.inbound.cli.files import write_private
from adapters.inbound.cli.options import FOLDER, folder, json_option, wiring_of
from adapters.inbound.cli.output import Output
from adapters.inbound.cli.wiring import Place

#: The program that checks a pack; it needs Python 3.8 and nothing else.
VERIFIER: Final = Path(__file__).parent / "verify_pack.py"
NEW_FILE: Final = click.Path(path_type=Path, dir_okay=False)

anchor_option: Final = click.option(
    "--anchor",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="The file of anchors (else that of the data folder, if there is one).",
)


def ledger_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--mysql-url` and `--data`; the command gets a `place` in their stead."""

    @click.option(
        "--mysql-url",
        "url",
        metavar="URL",
        help="The database of the ledger, mysql://user:password@host:port/database; better in"
        " MYSQL_URL, which no list shows and which is taken when neither option is given.",
    )
    @click.option(
        "--data",
        type=FOLDER,
        help="The data folder, whose ledger is read unless --mysql-url names another; its anchors"
        " and keys go with either (else CREDITCTL_DATA, else the one in your home).",
    )
    @wraps(function)
    def command(*, url: str | None, data: Path | None, **rest: Any) -> Any:
        if url is None and data is None:
            url = wiring_of().default_mysql()
        return function(place=Place(url, folder(data)), **rest)

    return command


@click.command()
@click.argument("decision_id", required=False)
@ledger_options
@anchor_option
@json_option
def verify(
    output: Output, *, decision_id: str | None, place: Place, anchor: Path | None
) -> ExitCode:
    """
    Prove that no recorded decision was changed, or that this one was not.

    Reads a data folder offline, or one snapshot of a database while the platform goes on.
    """
    wiring = wiring_of()
    if decision_id is None:
        document = wiring.verify_ledger(place, anchor)
        output.show(document, lambda page: views.verification(page, document))
    else:
        document = wiring.verify_decision(place, decision_id, anchor)
        output.show(document, lambda page: views.proof(page, document))
    return ExitCode.DONE if document.get("valid") is True else ExitCode.FOUND_WRONG


@click.command()
@click.argument("decision_id", required=False)
@click.option("--out", type=NEW_FILE, help="The file to write; it must not be there yet.")
@click.option("--verifier", is_flag=True, help="Give the program that checks packs instead.")
@ledger_options
@anchor_option
@json_option
def pack(
    output: Output,
    *,
    decision_id: str | None,
    out: Path | None,
    verifier: bool,
    place: Place,
    anchor: Path | None,
) -> None:
    """
    Write the signed evidence of one decision, which others can check.

    It holds the inputs, the rules, the reply and the proof. The file holds one person's data: it
    is made for you alone (mode 0600) and never shown here.
    """
    if verifier:
        _give_verifier(out)
        return
    if decision_id is None or out is None:
        raise BadUsage("Name a decision, and a new file by --out.")
    written = wiring_of().pack_decision(place, decision_id, anchor)
    write_private(out, written)
    document = {"decision_id": decision_id, "file": str(out), "bytes": len(written)}
    output.show(document, lambda page: page.line(f"The pack is in {out}; it is personal data."))


@click.command()
@ledger_options
@json_option
def key(output: Output, *, place: Place) -> None:
    """Show the public keys that packs are checked with; give them to whom you give packs."""
    document = wiring_of().signing_keys(place)
    output.show(document, lambda page: views.signing_keys(page, document))


def _give_verifier(out: Path | None) -> None:
    text = VERIFIER.read_text(encoding="utf-8")
    if out is None:
        click.echo(text, nl=False)
    else:
        write_private(out, text.encode())


PROOFS: Final[Sequence[click.Command]] = (verify, pack, key)
