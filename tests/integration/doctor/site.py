"""A configured platform on real servers, and its command line, run as a shell would."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import click
from click.testing import CliRunner, Result
from sqlalchemy import make_url

from adapters.bootstrap.command_line import EmbeddedWiring
from adapters.inbound.cli.main import build_cli
from adapters.settings import CommandLineSettings
from tests.integration.sql.database import ask
from tests.services.server import HOST

#: Stands in every address, and must stand in no output.
SECRET: Final = "s3cret-of-the-user"
USER: Final = "service"
RIGHTS: Final = "SELECT, INSERT, UPDATE, DELETE"


@dataclass(frozen=True, slots=True)
class Site:
    """Where everything is: the settings of a platform that would start, and an administrator."""

    admin: str
    redis: str
    folder: Path

    @property
    def settings(self) -> dict[str, str]:
        return {
            "MYSQL_URL": self.mysql(),
            "KEYS_MYSQL_URL": self.mysql(database="persons"),
            "REDIS_URL": self.redis,
            "KEYS_DIR": str(self.keys),
            "PROJECTIONS": "files",
            "CREDITCTL_DATA": str(self.folder / "data"),
        }

    @property
    def keys(self) -> Path:
        return self.folder / "keys"

    @property
    def mysql_port(self) -> int:
        return urlsplit(self.admin).port or 0

    @property
    def redis_port(self) -> int:
        return urlsplit(self.redis).port or 0

    def mysql(self, **changes: Any) -> str:
        """Return the address of the service's user, with something else in it."""
        given = {"username": USER, "password": SECRET, **changes}
        return make_url(self.admin).set(**given).render_as_string(hide_password=False)

    def run(self, statement: str) -> list[tuple[Any, ...]]:
        """Run a statement as the administrator."""
        return ask(self.admin, statement)

    @contextmanager
    def changed(self, statement: str, back: str) -> Iterator[None]:
        """Have something changed by the administrator, and taken back."""
        self.run(statement)
        try:
            yield
        finally:
            self.run(back)

    @contextmanager
    def variable(self, name: str, value: str) -> Iterator[None]:
        """Have a global variable of the server set to something else."""
        ((before,),) = self.run(f"SELECT @@GLOBAL.{name}")
        held = f"'{before}'" if isinstance(before, str) else before
        with self.changed(f"SET GLOBAL {name} = {value}", f"SET GLOBAL {name} = {held}"):
            yield

    @contextmanager
    def user(self, rights: str) -> Iterator[str]:
        """Have a user with other rights in the database of the decisions; give its address."""
        name = f"'less'@'{HOST}'"
        self.run(f"CREATE USER {name} IDENTIFIED BY '{SECRET}'")
        try:
            with suppress(StopIteration):
                self.run(f"GRANT {rights} TO {name}")
            yield self.mysql(username="less")
        finally:
            self.run(f"DROP USER {name}")


@dataclass(frozen=True, slots=True)
class Shell:
    """Runs `creditctl` with settings."""

    settings: Mapping[str, str]

    def __call__(self, *words: str) -> Result:
        result = CliRunner(env=self.settings).invoke(self._cli, words, prog_name="creditctl")
        # Neither a password nor a traceback, whatever is wrong.
        assert SECRET not in result.output
        assert "Traceback" not in result.output
        assert result.exception is None or isinstance(result.exception, SystemExit)
        return result

    def doctor(self, code: int) -> list[dict[str, Any]]:
        """Return what the doctor says is not well, or could be better."""
        result = self("doctor", "--profile", "services", "--json")
        document = json.loads(result.stdout)
        assert (result.exit_code, document["ok"]) == (code, code == 0), document
        return [each for each in document["checks"] if each["level"] != "well"]

    @property
    def _cli(self) -> click.Group:
        return build_cli(EmbeddedWiring(CommandLineSettings.from_environment(self.settings)))
