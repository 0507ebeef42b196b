"""The schema on a server that is told what to answer: Keyspaces is asynchronous, and says more."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from adapters.stores.keyspaces import schema
from adapters.stores.keyspaces.address import Flavour
from adapters.stores.keyspaces.errors import (
    ForeignTableError,
    MissingKeyspaceError,
    MissingTableError,
    SettingsError,
    TtlDisabledError,
)
from adapters.stores.keyspaces.statements import COLUMNS, KEY
from domain.errors import TransientError

NAME = "creditplatform"
TTL_ON = {"ttl": {"status": "enabled"}}


@dataclass(slots=True)
class Told:
    """A server that answers by what a statement asks for."""

    columns: dict[str, str] = field(default_factory=lambda: dict(schema.FIRST_COLUMNS))
    key: Sequence[str] = KEY
    keyspace: bool = True
    #: What `system_schema_mcs` says, one answer a time; the last one holds.
    status: list[tuple[Any, ...]] = field(default_factory=lambda: [("ACTIVE", TTL_ON)])
    said: list[str] = field(default_factory=list)
    waited: float = 0.0

    def __call__(self, text: str) -> Sequence[Sequence[Any]]:
        self.said.append(text)
        if "system_schema.columns" in text:
            return [(name, kind, *self._kind(name)) for name, kind in self.columns.items()]
        if "system_schema.keyspaces" in text:
            return [(NAME,)] if self.keyspace else []
        if "system_schema_mcs" in text:
            return [self.status.pop(0) if len(self.status) > 1 else self.status[0]]
        return [("creditdata",)] if "system_schema.tables" in text else []

    def _kind(self, name: str) -> tuple[str, int]:
        if name not in self.key:
            return ("regular", -1)
        place = self.key.index(name)
        return ("partition_key", 0) if place == 0 else ("clustering", place - 1)

    def wait(self, seconds: float) -> None:
        self.waited += seconds


@pytest.mark.parametrize("flavour", Flavour)
def test_the_right_table_passes(flavour: Flavour) -> None:
    schema.check(Told(), flavour, NAME)


@pytest.mark.parametrize(
    ("server", "kind", "sentence"),
    [
        (Told(columns={}, keyspace=False), MissingKeyspaceError, "no keyspace creditplatform: run"),
        (Told(columns={}), MissingTableError, "no table creditdata: run"),
        (Told(columns={"id": "int"}), ForeignTableError, "lacks customer_id, data_type"),
        (
            Told(columns={**schema.FIRST_COLUMNS, "amount": "double"}),
            ForeignTableError,
            "other types than ours for amount: ",
        ),
        (Told(key=("customer_id",)), ForeignTableError, "another primary key"),
        (Told(status=[("ACTIVE", {"ttl": {"status": "disabled"}})]), TtlDisabledError, "ALTER"),
    ],
)
def test_what_is_wrong_has_a_name_and_a_remedy(
    server: Told, kind: type[SettingsError], sentence: str
) -> None:
    with pytest.raises(kind, match=sentence):
        schema.check(server, Flavour.KEYSPACES, NAME)


def test_more_columns_than_ours_are_no_fault() -> None:
    schema.check(Told(columns={**schema.FIRST_COLUMNS, "later": "text"}), Flavour.CASSANDRA, NAME)


def test_what_the_login_may_not_see_is_no_fault() -> None:
    schema.check(Told(status=[("ACTIVE", None)]), Flavour.KEYSPACES, NAME)


def test_a_table_in_the_making_is_waited_for() -> None:
    making = ("CREATING", None)
    server = Told(columns={}, status=[making, making, making, ("ACTIVE", TTL_ON)])

    schema.create(server, Flavour.KEYSPACES, NAME, server.wait)

    assert server.waited == pytest.approx(3 * schema.POLL_S)
    made = [text for text in server.said if text.startswith("CREATE")]
    assert made[0].endswith("WITH REPLICATION = {'class': 'SingleRegionStrategy'}")
    assert made[1].endswith("AND CUSTOM_PROPERTIES = {'ttl': {'status': 'enabled'}}")
    assert "{" not in made[1].partition(" AND ")[0]


def test_a_table_that_never_gets_ready_is_given_up() -> None:
    server = Told(columns={}, status=[("CREATING", None)])

    with pytest.raises(TransientError):
        schema.create(server, Flavour.KEYSPACES, NAME, server.wait)

    assert server.waited == pytest.approx(schema.ACTIVE_S)


def test_a_start_does_not_work_with_a_table_in_the_making() -> None:
    with pytest.raises(TransientError, match="not ready"):
        schema.check(Told(status=[("CREATING", None)]), Flavour.KEYSPACES, NAME)


def test_a_table_that_is_there_is_left_alone() -> None:
    server = Told()
    schema.create(server, Flavour.CASSANDRA, NAME, server.wait)
    assert not [text for text in server.said if "CREATE TABLE" in text]


def test_the_table_has_the_briefs_columns_and_key() -> None:
    (text,) = schema.table_statements(Flavour.CASSANDRA, NAME)

    assert set(schema.LATEST.columns) == set(COLUMNS)
    for column in (
        "customer_id text", "data_type text", "transaction_id text", "amount decimal",
        "status text", "credit_score int", "monthly_income decimal", "existing_debts decimal",
        "created_at timestamp", "updated_at timestamp", "ttl timestamp", "version bigint",
        "event_id text", "payload text", "PRIMARY KEY (customer_id, data_type)",
    ):  # fmt: skip
        assert column in text
    assert "REPLICATION" not in text.upper()
