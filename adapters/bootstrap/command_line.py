"""The program behind `creditctl`: binds the commands to the platform."""

import asyncio
import os
import shutil
import sys
import zoneinfo
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from adapters.bootstrap import evidence, shipped
from adapters.bootstrap.serving import run_demo, run_platform
from adapters.inbound.cli.main import build_cli
from adapters.inbound.cli.wiring import Check, DemoOptions, Place, SchemaState, UpOptions
from adapters.inbound.http.server import new_event_loop
from adapters.security.tokens import TokenKey
from adapters.settings import (
    CommandLineSettings,
    EmbeddedSettings,
    ServicesSettings,
    ServingSettings,
)
from domain.errors import CreditError, InvalidInputError, NotFoundError

TOKEN_KEY: Final = "token.key"  # noqa: S105 - a file's name
PYTHON_MIN: Final = (3, 11)
FREE_BYTES_MIN: Final = 1 << 30
RESTORE: Final = "creditctl decision verify names what was changed; compare with a backup"


class SchemaTool(Protocol):
    """What works on the schema of one place (`adapters.bootstrap.schema_tool`)."""

    def state(self) -> SchemaState:
        """Look."""

    def upgrade(self) -> SchemaState:
        """Bring it to the schema of this program."""

    def downgrade(self, revision: str, *, lose: bool) -> SchemaState:
        """Take it back."""


@dataclass(frozen=True, slots=True)
class EmbeddedWiring:
    """Implements the command line's `Wiring` for the embedded profile."""

    settings: CommandLineSettings

    def up(self, options: UpOptions) -> int:
        """Run the platform until it is told to stop."""
        settings = _settings(options)
        with asyncio.Runner(loop_factory=new_event_loop) as runner:
            return runner.run(run_platform(settings))

    def demo(self, options: DemoOptions) -> int:
        """Run the demo."""
        with asyncio.Runner(loop_factory=new_event_loop) as runner:
            return runner.run(run_demo(options))

    def issue_token(self, data: Path, scopes: Sequence[str], subject: str) -> str:
        """Return a token signed with the folder's key."""
        path = data.expanduser() / TOKEN_KEY
        if not path.exists():
            raise NotFoundError("this folder has no signing key yet: start the platform first")
        return TokenKey.load_or_create(path).issue(subject, scopes)

    def verify_ledger(self, data: Path, anchors: Path | None = None) -> dict[str, object]:
        """Verify every lane of a folder's ledger."""
        return evidence.verify_ledger(data.expanduser(), anchors)

    def verify_decision(
        self, data: Path, decision_id: str, anchors: Path | None = None
    ) -> dict[str, object]:
        """Prove one decision of a folder's ledger."""
        return evidence.verify_decision(data.expanduser(), decision_id, anchors)

    def pack_decision(self, data: Path, decision_id: str, anchors: Path | None = None) -> bytes:
        """Return the signed evidence pack of a decision."""
        return evidence.pack_decision(data.expanduser(), decision_id, anchors)

    def signing_keys(self, data: Path) -> dict[str, object]:
        """Return the public keys of a folder."""
        return evidence.signing_keys(data.expanduser())

    def doctor(self, data: Path) -> list[Check]:
        """Look at the machine and the folder."""
        return [_python(), _disk(data), _folder(data), self._ledger(data), _zones()]

    def schema_state(self, place: Place) -> SchemaState:
        """Look at the schema of a place."""
        return _schema_tool(place).state()

    def upgrade_schema(self, place: Place) -> SchemaState:
        """Bring a place to the schema of this program."""
        return _schema_tool(place).upgrade()

    def downgrade_schema(self, place: Place, revision: str, *, lose: bool) -> SchemaState:
        """Take a place back to an older schema."""
        return _schema_tool(place).downgrade(revision, lose=lose)

    def default_mysql(self) -> str | None:
        """Return the URL of the database in the environment."""
        return self.settings.mysql_url

    def iof_table(self) -> bytes:
        """Return the shipped table of IOF rates."""
        return shipped.iof_table()

    def funding_table(self) -> bytes:
        """Return the shipped table of what money costs."""
        return shipped.funding_table()

    def default_token(self) -> str | None:
        """Return the token of the environment."""
        return self.settings.token

    def default_url(self) -> str:
        """Return the address of the environment, or the default one."""
        return self.settings.url

    def default_data(self) -> Path:
        """Return the data folder of the environment, or the default one."""
        return self.settings.data

    def _ledger(self, data: Path) -> Check:
        try:
            found = self.verify_ledger(data)
        except NotFoundError as error:
            return Check("ledger", ok=True, detail=str(error))
        except CreditError as error:
            return Check("ledger", ok=False, detail=str(error), remedy=RESTORE)
        detail = f"{found['decisions']} decisions in {found['batches']} batches"
        valid = found["valid"] is True
        return Check("ledger", ok=valid, detail=detail, remedy="" if valid else RESTORE)


def creditctl() -> None:
    """Run the command line."""
    wiring = EmbeddedWiring(CommandLineSettings.from_environment())
    build_cli(wiring)()


def _schema_tool(place: Place) -> SchemaTool:
    # Alembic costs a quarter of a second, and no other command needs it.
    from adapters.bootstrap.schema_tool import schema_tool  # noqa: PLC0415

    return schema_tool(place)


def _settings(options: UpOptions) -> ServingSettings:
    given = {
        "port": options.port,
        "metrics_port": options.metrics_port,
        "anchors": options.anchors,
    }
    if options.profile == EmbeddedSettings.profile:
        return EmbeddedSettings.model_validate({"data": options.data, **given})
    if options.profile == ServicesSettings.profile:
        return ServicesSettings.from_environment(options.data, given)
    raise InvalidInputError(f"the profile {options.profile} arrives with its issue")


def _python() -> Check:
    found = ".".join(map(str, sys.version_info[:3]))
    ok = sys.version_info[:2] >= PYTHON_MIN
    return Check("python", ok, found, "" if ok else "install Python 3.11 or newer")


def _disk(data: Path) -> Check:
    place = data.expanduser()
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    ok = free >= FREE_BYTES_MIN
    return Check("disk", ok, f"{free >> 20} MiB free", "" if ok else "free at least 1 GiB")


def _folder(data: Path) -> Check:
    root = data.expanduser()
    if not root.exists():
        return Check("data folder", ok=True, detail="not there yet; it is made at the first start")
    mode = root.stat().st_mode & 0o077
    ok = mode == 0 and os.access(root, os.R_OK | os.W_OK)
    remedy = "" if ok else "chmod 700: nobody else may read the data folder"
    return Check("data folder", ok, "private" if ok else "others can read it", remedy)


def _zones() -> Check:
    ok = not zoneinfo.TZPATH
    return Check("time zones", ok, "the pinned tzdata package" if ok else "the host's own")
