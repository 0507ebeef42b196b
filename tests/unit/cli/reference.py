"""
The help of every command, as docs/creditctl.md shows it.

`python -m tests.unit.cli.reference` puts the present help into the document.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import click
from click.testing import CliRunner

from adapters.inbound.cli.main import WIDTH, build_cli
from tests.unit.cli.fake_wiring import FakeWiring

DOCUMENT = Path(__file__).parents[3] / "docs" / "creditctl.md"
BLOCK = re.compile(
    r"^### `(?P<name>creditctl[a-z -]*)`\n\n```text\n(?P<help>.*?)```\n", re.MULTILINE | re.DOTALL
)


def helps() -> dict[str, str]:
    """Return the help of every command by its name, groups before what is in them."""
    cli = build_cli(FakeWiring(data=Path("unused")))
    return {" ".join(words): _help(cli, words[1:]) for words in _names(cli, ("creditctl",))}


def documented() -> dict[str, str]:
    """Return what the document shows."""
    text = DOCUMENT.read_text(encoding="utf-8")
    return {found["name"]: found["help"] for found in BLOCK.finditer(text)}


def section(name: str, text: str) -> str:
    """Return the section of one command."""
    return f"### `{name}`\n\n```text\n{text}```\n"


def _names(command: click.Command, words: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    yield words
    if isinstance(command, click.Group):
        for name, inner in command.commands.items():
            yield from _names(inner, (*words, name))


def _help(cli: click.Group, words: tuple[str, ...]) -> str:
    arguments = [*words, "--help"]
    result = CliRunner().invoke(cli, arguments, prog_name="creditctl", terminal_width=WIDTH)
    return result.stdout


def main() -> None:
    """Put the present help into the document; sections keep their place, new ones come last."""
    fresh = helps()
    text = DOCUMENT.read_text(encoding="utf-8")
    known = documented()
    text = BLOCK.sub(lambda found: _kept(found["name"], fresh), text)
    added = [section(name, fresh[name]) for name in fresh if name not in known]
    DOCUMENT.write_text("\n".join([text.rstrip("\n") + "\n", *added]), encoding="utf-8")


def _kept(name: str, fresh: dict[str, str]) -> str:
    return section(name, fresh[name]) if name in fresh else ""


if __name__ == "__main__":
    main()
