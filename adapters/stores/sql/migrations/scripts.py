"""The revisions as Alembic reads them: for commands only, for importing Alembic takes long."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Final

from alembic.config import Config
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import Script, ScriptDirectory

from domain.errors import ConflictError

HERE: Final = Path(__file__).parent
BASE: Final = "0000"


@dataclass(frozen=True, slots=True)
class Loss:
    """A table, or one column of it, that a downgrade drops."""

    table: str
    column: str

    @property
    def question(self) -> str:
        """Return SQL that finds a row when there is something to lose."""
        held = f" WHERE {self.column} IS NOT NULL" if self.column else ""
        return f"SELECT 1 FROM {self.table}{held} LIMIT 1"  # noqa: S608 - names of a revision

    def __str__(self) -> str:
        return f"{self.table}.{self.column}" if self.column else self.table


def configured(more: Sequence[Path] = ()) -> Config:
    """Return Alembic's settings; `more` are folders with further revisions."""
    config = Config()
    config.set_main_option("script_location", str(HERE))
    config.set_main_option("path_separator", "newline")
    folders = (HERE / "versions", *more)
    config.set_main_option("version_locations", "\n".join(map(str, folders)))
    return config


def revisions(config: Config) -> list[Script]:
    """Return every revision, the first one first."""
    found = list(ScriptDirectory.from_config(config).walk_revisions())
    return found[::-1]


def losses(config: Config, found: str, target: str) -> Iterator[Loss]:
    """Yield what a downgrade from `found` to `target` drops."""
    for script in revisions(config):
        if target < script.revision <= found:
            for name in script.module.LOSES:
                table, _, column = name.partition(".")
                yield Loss(table, column)


def refuse_losses(held: Sequence[str]) -> None:
    """
    Let a downgrade pass that drops nothing with data in it.

    Raises:
        ConflictError: it would; the sentence names what.
    """
    if held:
        raise ConflictError(
            f"going back would drop {', '.join(held)} with what they hold:"
            " keep a copy, then say --force-data-loss",
            code="data-loss",
        )


def sqlite_text(script: Script, direction: str) -> str:
    """Return one revision as SQL for SQLite; `direction` is `upgrade` or `downgrade`."""
    written = StringIO()
    context = MigrationContext.configure(
        dialect_name="sqlite", opts={"as_sql": True, "output_buffer": written}
    )
    with Operations.context(context):
        getattr(script.module, direction)()
    lines = (line.rstrip() for line in written.getvalue().splitlines())
    return "\n".join(line for line in lines if line) + "\n"
