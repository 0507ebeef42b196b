"""`creditctl decision verify`, `pack` and `key`: proofs from a copy of the data folder, offline."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import click

from adapters.inbound.cli import decision_views as views
from adapters.inbound.cli.failures import BadUsage, ExitCode
from adapters.inbound.cli.files import write_private
from adapters.inbound.cli.options import data_option, folder, json_option, wiring_of
from adapters.inbound.cli.output import Output

#: The program that checks a pack; it needs Python 3.8 and nothing else.
VERIFIER: Final = Path(__file__).parent / "verify_pack.py"
NEW_FILE: Final = click.Path(path_type=Path, dir_okay=False)

anchor_option: Final = click.option(
    "--anchor",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="The file of anchors (else that of the data folder, if there is one).",
)


@click.command()
@click.argument("decision_id", required=False)
@data_option
@anchor_option
@json_option
def verify(
    output: Output, *, decision_id: str | None, data: Path | None, anchor: Path | None
) -> ExitCode:
    """Prove offline that no recorded decision was changed, or that this one was not."""
    wiring, place = wiring_of(), folder(data)
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
@data_option
@anchor_option
@json_option
def pack(
    output: Output,
    *,
    decision_id: str | None,
    out: Path | None,
    verifier: bool,
    data: Path | None,
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
    written = wiring_of().pack_decision(folder(data), decision_id, anchor)
    write_private(out, written)
    document = {"decision_id": decision_id, "file": str(out), "bytes": len(written)}
    output.show(document, lambda page: page.line(f"The pack is in {out}; it is personal data."))


@click.command()
@data_option
@json_option
def key(output: Output, *, data: Path | None) -> None:
    """Show the public keys that packs are checked with; give them to whom you give packs."""
    document = wiring_of().signing_keys(folder(data))
    output.show(document, lambda page: views.signing_keys(page, document))


def _give_verifier(out: Path | None) -> None:
    text = VERIFIER.read_text(encoding="utf-8")
    if out is None:
        click.echo(text, nl=False)
    else:
        write_private(out, text.encode())


PROOFS: Final[Sequence[click.Command]] = (verify, pack, key)
