"""A wiring that records what commands ask of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from adapters.inbound.cli.wiring import Check, DemoOptions, Place, SchemaState, UpOptions
from domain.errors import CreditError, NotFoundError

TABLES = Path(__file__).parents[3] / "policies" / "tables"


@dataclass(slots=True)
class FakeWiring:
    """Keeps the promises of `Wiring` without a platform."""

    data: Path
    url: str = "http://127.0.0.1:1"
    token: str | None = None
    key: str | None = None
    failure: CreditError | OSError | None = None
    code: int = 0
    ledger: dict[str, object] = field(default_factory=dict)
    checks: list[Check] = field(default_factory=list)
    ups: list[UpOptions] = field(default_factory=list)
    demos: list[DemoOptions] = field(default_factory=list)
    profiles: list[str] = field(default_factory=list)
    mysql: str | None = None
    schema: str = "0001"
    places: list[Place] = field(default_factory=list)
    lost: list[bool] = field(default_factory=list)
    not_found: dict[str, int] = field(default_factory=lambda: {"erased": 0, "unknown": 0})
    issued: list[tuple[Path, tuple[str, ...], str]] = field(default_factory=list)

    def up(self, options: UpOptions) -> int:
        self.ups.append(options)
        if self.failure is not None:
            raise self.failure
        return self.code

    def demo(self, options: DemoOptions) -> int:
        self.demos.append(options)
        return self.code

    def prepare_stores(self) -> dict[str, str]:
        if self.failure is not None:
            raise self.failure
        return {"wide store": "here:9042", "stream": "there"}

    def issue_token(self, data: Path, scopes: Sequence[str], subject: str) -> str:
        self.issued.append((data, tuple(scopes), subject))
        if self.key is None:
            raise NotFoundError("this folder has no signing key yet: start the platform first")
        return self.key

    def verify_ledger(self, place: Place, anchors: Path | None = None) -> dict[str, object]:
        self.places.append(place)
        if self.failure is not None:
            raise self.failure
        return {"folder": place.data.name, **_named(anchors), **self.ledger}

    def verify_decision(
        self, place: Place, decision_id: str, anchors: Path | None = None
    ) -> dict[str, object]:
        return {"decision_id": decision_id, **self.verify_ledger(place, anchors)}

    def pack_decision(self, place: Place, decision_id: str, anchors: Path | None = None) -> bytes:
        self.places.append(place)
        if self.failure is not None:
            raise self.failure
        return f"{decision_id} of {place.data.name}, {_named(anchors)}".encode()

    def signing_keys(self, place: Place) -> dict[str, object]:
        self.places.append(place)
        return {"current": "2", "public_keys": {"1": "aa", "2": place.data.name}}

    def doctor(self, data: Path, profile: str) -> list[Check]:
        self.profiles.append(profile)
        return [Check("data folder", ok=True, detail=data.name), *self.checks]

    def schema_state(self, place: Place) -> SchemaState:
        return self._schema(place, "")

    def upgrade_schema(self, place: Place) -> SchemaState:
        return self._schema(place, "0002")

    def downgrade_schema(self, place: Place, revision: str, *, lose: bool) -> SchemaState:
        self.lost.append(lose)
        return self._schema(place, revision)

    def _schema(self, place: Place, made: str) -> SchemaState:
        self.places.append(place)
        if self.failure is not None:
            raise self.failure
        self.schema = made or self.schema
        return SchemaState("here", self.schema, "0002")

    def back_fill_index(self, after: str, told: Callable[[str, int], None]) -> dict[str, int]:
        if self.failure is not None:
            raise self.failure
        told("c-2", 200)
        return {"customers": 203, "missing": 3, **self.not_found, "unread": 0}

    def default_mysql(self) -> str | None:
        return self.mysql

    def iof_table(self) -> bytes:
        return (TABLES / "iof.json").read_bytes()

    def funding_table(self) -> bytes:
        return (TABLES / "funding.json").read_bytes()

    def default_token(self) -> str | None:
        return self.token

    def default_url(self) -> str:
        return self.url

    def default_data(self) -> Path:
        return self.data


def _named(anchors: Path | None) -> dict[str, object]:
    return {"anchor_file": anchors.name} if anchors else {}
