"""Where a command writes: its result on standard output, everything else on standard error."""

import json
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, TextIO

import click
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from adapters.inbound.cli.wording import clean, said

#: Wide enough that a pipe never sees a broken word.
PIPE_WIDTH: Final = 200


@dataclass(frozen=True, slots=True)
class Output:
    """The result of one command: a document for programs, or sentences and tables for people."""

    as_json: bool

    def show(self, document: object, human: "Callable[[Page], None]") -> None:
        """Print the document, or what `human` writes about it."""
        if self.as_json:
            print_document(document)
        else:
            human(Page.open())

    def note(self, sentence: str) -> None:
        """Say something beside the result."""
        click.echo(clean(sentence), err=True)


@dataclass(frozen=True, slots=True)
class Page:
    """Writes for a person: no colour and no control character where no terminal is."""

    console: Console

    @classmethod
    def open(cls) -> "Page":
        """Return a page on standard output."""
        return cls(_console(sys.stdout))

    def line(self, sentence: str = "") -> None:
        """Write one sentence."""
        self.console.print(Text(clean(sentence)), soft_wrap=True)

    def heading(self, title: str) -> None:
        """Write a title after an empty line."""
        self.console.print()
        self.console.print(Text(clean(title), style="bold"), soft_wrap=True)

    def table(self, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        """Write a table; a column whose name begins with `>` is set right."""
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        for name in columns:
            justify: Any = "right" if name.startswith(">") else "left"
            table.add_column(name.removeprefix(">"), justify=justify, overflow="fold")
        for row in rows:
            table.add_row(*(Text(said(cell)) for cell in row))
        self.console.print(table)

    def facts(self, pairs: Iterable[tuple[str, object]]) -> None:
        """Write names and values in two columns."""
        grid = Table.grid(padding=(0, 2))
        for name, value in pairs:
            grid.add_row(Text(name), Text(said(value)))
        self.console.print(grid)


def print_document(document: object) -> None:
    """Print one JSON document in ASCII, so that no locale can break it."""
    click.echo(json.dumps(document, indent=2))


def _console(stream: TextIO) -> Console:
    # A stream that cannot hold a letter shows "?" in its place; it never breaks the command.
    getattr(stream, "reconfigure", lambda **_: None)(errors="replace")
    terminal = stream.isatty()
    return Console(
        file=stream,
        color_system="auto" if terminal else None,
        width=None if terminal else PIPE_WIDTH,
        highlight=False,
        markup=False,
        emoji=False,
    )
