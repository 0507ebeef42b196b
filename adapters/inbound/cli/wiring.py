"""What the command line asks of the program that wires it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class UpOptions:
    """
    How to start the platform; `port` None takes the default one, or a free one.

    `anchors` None keeps the ledger's anchors in the data folder.
    """

    data: Path
    port: int | None
    metrics_port: int
    profile: str
    anchors: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoOptions:
    """How to run the demo; `customers` None takes the whole book."""

    data: Path
    once: bool
    as_json: bool
    customers: int | None
    port: int | None


class Level(StrEnum):
    """How well something is: a warning stops nothing, but somebody should do something."""

    WELL = "well"
    WARNING = "warning"
    FAULT = "fault"


@dataclass(frozen=True, slots=True)
class Check:
    """
    One thing that `doctor` looked at; `remedy` says what to do when it is not all well.

    `warning` is for what is `ok` and should be better.
    """

    name: str
    ok: bool
    detail: str
    remedy: str = ""
    warning: bool = False

    @property
    def level(self) -> Level:
        """How well it is."""
        if not self.ok:
            return Level.FAULT
        return Level.WARNING if self.warning else Level.WELL


@dataclass(frozen=True, slots=True)
class Place:
    """A store of truth: a MySQL database by its URL, else the file of a data folder."""

    url: str | None = field(repr=False)
    data: Path


@dataclass(frozen=True, slots=True)
class SchemaState:
    """What schema a place has, and which one this program needs; `0000` is none."""

    place: str
    found: str
    needed: str


class Wiring(Protocol):
    """
    The platform behind the commands; what is expected to fail raises a `CreditError`.

    Nothing here writes on standard output, except `demo`, which ends with its summary there (one
    JSON document under `as_json`). Progress goes to standard error.
    """

    def up(self, options: UpOptions) -> int:
        """Run the platform until SIGINT or SIGTERM; return the exit code."""

    def demo(self, options: DemoOptions) -> int:
        """Run the demo on a data folder; return the exit code."""

    def issue_token(self, data: Path, scopes: Sequence[str], subject: str) -> str:
        """
        Return a token signed with the key of a data folder; no folder and no key is ever made.

        Raises:
            NotFoundError: the folder has no signing key yet.
            PermanentError: the key file cannot be used.
        """

    def verify_ledger(self, place: Place, anchors: Path | None = None) -> dict[str, object]:
        """
        Verify the chain of batches and every leaf, on a copy of a data folder or on a database.

        `anchors` is a file of anchors; None takes that of the folder, if there is one. The
        document has at least `valid` (bool), `batches` and `decisions` (int), `seconds` and
        `problems` (list of sentences); more members are shown as they are.

        Raises:
            NotFoundError: there is no ledger in the folder, or no such file.
            RefusedError, TransientError: the database refuses, or is away.
        """

    def verify_decision(
        self, place: Place, decision_id: str, anchors: Path | None = None
    ) -> dict[str, object]:
        """
        Prove one decision: its leaf, the path to its batch's root, the chain to the lane's head.

        The document has at least `valid` and `problems`, as that of `verify_ledger`.

        Raises:
            NotFoundError: as `verify_ledger`, or no such decision.
        """

    def pack_decision(self, place: Place, decision_id: str, anchors: Path | None = None) -> bytes:
        """
        Return the signed evidence pack of a decision: one person's data, never to be printed.

        Raises:
            NotFoundError: as `verify_decision`, or the folder has no signing key.
            PermanentError: the ledger does not prove the decision.
        """

    def signing_keys(self, place: Place) -> dict[str, object]:
        """
        Return `current` and `public_keys`, the keys that packs of a place are checked with.

        Raises:
            NotFoundError: the folder has no signing key.
        """

    def doctor(self, data: Path, profile: str) -> Sequence[Check]:
        """
        Look at a data folder, the machine, and what the profile needs; changes nothing.

        Never raises for what it can report.

        Raises:
            InvalidInputError: the profile is not there yet.
        """

    def schema_state(self, place: Place) -> SchemaState:
        """Look at the schema of a place; changes nothing."""

    def prepare_stores(self) -> dict[str, str]:
        """
        Make what projections and stream need where it is missing; return where each is.

        Raises:
            InvalidInputError: a setting is missing or malformed.
            PermanentError: a server refuses, or has something else there.
            TransientError: a server is away.
        """

    def upgrade_schema(self, place: Place) -> SchemaState:
        """
        Bring a place to the schema of this program; again when it broke off.

        Raises:
            ConflictError: another migration runs.
            PermanentError: the schema is newer, or the folder is in use.
            TransientError: a lock was held all the time, or nothing answers.
        """

    def downgrade_schema(self, place: Place, revision: str, *, lose: bool) -> SchemaState:
        """
        Take a place back to an older schema.

        Raises:
            ConflictError: something with data in it would be dropped, and `lose` is not set.
            InvalidInputError: there is no such revision.
            PermanentError, TransientError: as `upgrade_schema`.
        """

    def back_fill_index(self, after: str, told: Callable[[str, int], None]) -> dict[str, int]:
        """
        Let every person behind customer `after` be found under each version of the index key.

        `told` hears, step by step, behind whom a later run may go on and how many customers were
        handled. The counts: `customers`; `missing`, ways to persons that were made; `erased`,
        `unknown` and `unread`, persons who cannot be found without an old version.

        Raises:
            InvalidInputError: a setting of the profile services is missing.
            NotFoundError, PermanentError: key files or schema are not there, or do not fit.
            TransientError: a database is away; the sentence says how to go on.
        """

    def default_mysql(self) -> str | None:
        """Return the URL of the database in the settings, if there is one."""

    def iof_table(self) -> bytes:
        """Return the shipped table of IOF rates."""

    def funding_table(self) -> bytes:
        """Return the shipped table of what money costs."""

    def default_token(self) -> str | None:
        """Return the token of the settings, if there is one."""

    def default_url(self) -> str:
        """Return the address of the settings."""

    def default_data(self) -> Path:
        """Return the data folder of the settings."""
