"""Works on the schema of a place. Imports Alembic, so only the commands of `creditctl db` do."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import apsw

from adapters.bootstrap.stores import truth_layout
from adapters.inbound.cli.wiring import Place, SchemaState
from adapters.stores.embedded.directory import TRUTH, DataFolder
from adapters.stores.embedded.opening import open_reader, open_writer, version_of
from adapters.stores.sql.migrations.embedded import step_down
from adapters.stores.sql.migrations.scripts import (
    BASE,
    configured,
    losses,
    refuse_losses,
    revisions,
)
from adapters.stores.sql.migrations.server import Server
from adapters.stores.sql.migrations.version import REVISION
from domain.errors import InvalidInputError

WIDTH: Final = len(BASE)


@dataclass(frozen=True, slots=True)
class ServerSchema:
    """The schema of a MySQL database."""

    server: Server

    def state(self) -> SchemaState:
        """Look at it."""
        return self._state(self.server.found())

    def upgrade(self) -> SchemaState:
        """Bring it to the schema of this program."""
        return self._state(self.server.upgrade())

    def downgrade(self, revision: str, *, lose: bool) -> SchemaState:
        """Take it back."""
        return self._state(self.server.downgrade(_known(revision), lose=lose))

    def _state(self, found: str) -> SchemaState:
        return SchemaState(self.server.place, found, REVISION)


@dataclass(frozen=True, slots=True)
class FileSchema:
    """The schema of a data folder's file, which has no other owner while it is changed."""

    data: Path

    def state(self) -> SchemaState:
        """Look at it; the platform may be up."""
        path = self.data / TRUTH
        if not path.exists():
            return self._state(0)
        with closing(open_reader(path, None)) as connection:
            return self._state(version_of(connection))

    def upgrade(self) -> SchemaState:
        """Open it as the platform does, which brings it up to date."""
        with self._owned() as connection:
            return self._state(version_of(connection))

    def downgrade(self, revision: str, *, lose: bool) -> SchemaState:
        """Take it back."""
        target = int(_known(revision))
        before = self.state()
        if target >= int(before.found):
            return before
        with self._owned() as connection:
            refuse_losses(
                [
                    str(loss)
                    for loss in losses(configured(), REVISION, revision)
                    if not lose and connection.execute(loss.question).fetchall()
                ]
            )
            step_down(connection, target)
            return self._state(version_of(connection))

    @contextmanager
    def _owned(self) -> Iterator[apsw.Connection]:
        folder = DataFolder.claim(self.data)
        try:
            with closing(open_writer(folder.truth, truth_layout(), None)) as connection:
                yield connection
        finally:
            folder.release()

    def _state(self, version: int) -> SchemaState:
        return SchemaState(str(self.data), f"{version:0{WIDTH}d}", REVISION)


def schema_tool(place: Place) -> ServerSchema | FileSchema:
    """Return what works on a place."""
    if place.url is not None:
        return ServerSchema(Server.at(place.url))
    return FileSchema(place.data)


def _known(revision: str) -> str:
    known = [BASE, *(script.revision for script in revisions(configured()))]
    if revision not in known:
        raise InvalidInputError(f"there is no such revision; there are {', '.join(known)}")
    return revision
