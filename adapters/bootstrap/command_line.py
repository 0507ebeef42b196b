"""The program behind `creditctl`: binds the commands to the platform."""

import asyncio
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from adapters.bootstrap import evidence, shipped
from adapters.bootstrap.doctor.examine import examine
from adapters.bootstrap.doctor.start import refuse_half_configured
from adapters.bootstrap.index_back_fill import back_fill_index
from adapters.bootstrap.projection_servers import prepared
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
from adapters.stores.embedded.directory import TOKEN_KEY
from adapters.system import SystemClock
from domain.errors import InvalidInputError, NotFoundError


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
        if isinstance(settings, ServicesSettings):
            for line in refuse_half_configured(settings, SystemClock()):
                sys.stderr.write(f"{line}\n")
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

    def verify_ledger(self, place: Place, anchors: Path | None = None) -> dict[str, object]:
        """Verify every lane of a ledger."""
        return evidence.verify_ledger(place.data.expanduser(), anchors, place.url)

    def verify_decision(
        self, place: Place, decision_id: str, anchors: Path | None = None
    ) -> dict[str, object]:
        """Prove one decision of a ledger."""
        return evidence.verify_decision(place.data.expanduser(), decision_id, anchors, place.url)

    def pack_decision(self, place: Place, decision_id: str, anchors: Path | None = None) -> bytes:
        """Return the signed evidence pack of a decision."""
        data = place.data.expanduser()
        return evidence.pack_decision(data, decision_id, anchors, place.url, self._keys(place))

    def signing_keys(self, place: Place) -> dict[str, object]:
        """Return the public keys of a place."""
        return evidence.signing_keys(self._keys(place) or place.data.expanduser())

    def doctor(self, data: Path, profile: str) -> Sequence[Check]:
        """Look at the machine, the folder, and what the profile needs."""
        _known(profile)
        return examine(data, profile)

    def schema_state(self, place: Place) -> SchemaState:
        """Look at the schema of a place."""
        return _schema_tool(place).state()

    def prepare_stores(self) -> dict[str, str]:
        """Make what projections and stream need on their servers."""
        settings = ServicesSettings.from_environment(self.settings.data, {})
        if settings.projections == "files" and settings.shared_breakers == "no":
            raise InvalidInputError("PROJECTIONS=files needs no servers: there is nothing to make")
        return asyncio.run(prepared(settings))

    def upgrade_schema(self, place: Place) -> SchemaState:
        """Bring a place to the schema of this program."""
        return _schema_tool(place).upgrade()

    def downgrade_schema(self, place: Place, revision: str, *, lose: bool) -> SchemaState:
        """Take a place back to an older schema."""
        return _schema_tool(place).downgrade(revision, lose=lose)

    def back_fill_index(self, after: str, told: Callable[[str, int], None]) -> dict[str, int]:
        """Let persons be found under every version of the index key."""
        settings = ServicesSettings.from_environment(self.settings.data, {})
        return asyncio.run(back_fill_index(settings, after, told))

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

    def _keys(self, place: Place) -> Path | None:
        """Return the folder of the key files that processes on a database share."""
        keys = self.settings.keys
        return None if place.url is None or keys is None else keys.expanduser()


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
    _known(options.profile)
    if options.profile == ServicesSettings.profile:
        return ServicesSettings.from_environment(options.data, given)
    return EmbeddedSettings.model_validate({"data": options.data, **given})


def _known(profile: str) -> None:
    if profile not in {EmbeddedSettings.profile, ServicesSettings.profile}:
        raise InvalidInputError(f"the profile {profile} arrives with its issue")
