"""
The table in versions, how it is made, and the look at it before a start.

Keyspace and table are made apart: a keyspace's replication differs between the two servers and is
not the table's business. Amazon Keyspaces answers a statement before it has done it, so whoever
makes something waits until the server calls it active. A version is known by its columns: there
is no table of versions that could say something else than the table itself.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from adapters.stores.keyspaces.address import Flavour
from adapters.stores.keyspaces.errors import (
    ForeignTableError,
    MissingKeyspaceError,
    MissingTableError,
    TtlDisabledError,
)
from adapters.stores.keyspaces.statements import COLUMNS, KEY, TABLE
from domain.errors import TransientError

#: How long a schema statement may take to become active, and how often that is asked.
ACTIVE_S: Final = 120.0
POLL_S: Final = 0.2

Ask = Callable[[str], Sequence[Sequence[Any]]]

REPLICATION: Final[Mapping[Flavour, str]] = {
    Flavour.CASSANDRA: "{'class': 'SimpleStrategy', 'replication_factor': 1}",
    Flavour.KEYSPACES: "{'class': 'SingleRegionStrategy'}",
}
#: On Keyspaces rows may expire only where that was switched on, once and for ever. There is no
#: default time: profiles stay.
OPTIONS: Final[Mapping[Flavour, str]] = {
    Flavour.CASSANDRA: "",
    Flavour.KEYSPACES: " AND CUSTOM_PROPERTIES = {'ttl': {'status': 'enabled'}}",
}


@dataclass(frozen=True, slots=True)
class Version:
    """What leads from the version before to this one, and the columns that are there then."""

    number: int
    statements: tuple[str, ...]
    columns: Mapping[str, str]


FIRST_COLUMNS: Final = {
    "customer_id": "text",
    "data_type": "text",
    "transaction_id": "text",
    "amount": "decimal",
    "status": "text",
    "credit_score": "int",
    "monthly_income": "decimal",
    "existing_debts": "decimal",
    "created_at": "timestamp",
    "updated_at": "timestamp",
    "ttl": "timestamp",
    "version": "bigint",
    "event_id": "text",
    "payload": "text",
}
#: Newest first is the only order that anybody asks for.
VERSIONS: Final[tuple[Version, ...]] = (
    Version(
        1,
        (
            f"CREATE TABLE IF NOT EXISTS {{keyspace}}.{TABLE} ("
            + ", ".join(f"{name} {kind}" for name, kind in FIRST_COLUMNS.items())
            + f", PRIMARY KEY ({', '.join(KEY)})"
            + ") WITH CLUSTERING ORDER BY (data_type DESC){options}",
        ),
        FIRST_COLUMNS,
    ),
)
LATEST: Final = VERSIONS[-1]

SEE_KEYSPACE: Final = (
    "SELECT keyspace_name FROM system_schema.keyspaces WHERE keyspace_name = '{keyspace}'"
)
SEE_COLUMNS: Final = (
    "SELECT column_name, type, kind, position FROM system_schema.columns"
    " WHERE keyspace_name = '{keyspace}' AND table_name = 'creditdata'"
)
SEE_STATUS: Final[Mapping[Flavour, str]] = {
    Flavour.CASSANDRA: "SELECT table_name FROM system_schema.tables"
    " WHERE keyspace_name = '{keyspace}' AND table_name = 'creditdata'",
    Flavour.KEYSPACES: "SELECT status, custom_properties FROM system_schema_mcs.tables"
    " WHERE keyspace_name = '{keyspace}' AND table_name = 'creditdata'",
}
ACTIVE: Final = "ACTIVE"
CREATE: Final = "run `creditctl stores prepare`, or correct the address"


def keyspace_statement(flavour: Flavour, keyspace: str) -> str:
    """Return what makes the keyspace; an operator may make it with another replication instead."""
    return f"CREATE KEYSPACE IF NOT EXISTS {keyspace} WITH REPLICATION = {REPLICATION[flavour]}"


def table_statements(flavour: Flavour, keyspace: str, above: int = 0) -> Sequence[str]:
    """Return what makes the table of the newest version from the version that is there."""
    names = {"keyspace": keyspace, "options": OPTIONS[flavour]}
    return [
        text.replace("{keyspace}", names["keyspace"]).replace("{options}", names["options"])
        for version in VERSIONS
        if version.number > above
        for text in version.statements
    ]


def create(ask: Ask, flavour: Flavour, keyspace: str, wait: Callable[[float], None]) -> None:
    """
    Make keyspace and table where they are missing; `wait` sleeps for some seconds.

    Raises:
        TransientError: the server has not finished after `ACTIVE_S`.
    """
    ask(keyspace_statement(flavour, keyspace))
    _until(lambda: bool(ask(SEE_KEYSPACE.format(keyspace=keyspace))), wait)
    for text in table_statements(flavour, keyspace, version_of(ask, keyspace)):
        ask(text)
        _until(lambda: active(ask, flavour, keyspace), wait)


def active(ask: Ask, flavour: Flavour, keyspace: str) -> bool:
    """Return whether the server has finished the table."""
    found = ask(SEE_STATUS[flavour].format(keyspace=keyspace))
    if flavour is Flavour.CASSANDRA:
        return bool(found)
    return bool(found) and found[0][0] == ACTIVE


def version_of(ask: Ask, keyspace: str) -> int:
    """Return the highest version whose columns are all there; 0 when there is no table."""
    found = _columns(ask, keyspace)
    numbers = [each.number for each in VERSIONS if each.columns.items() <= found.items()]
    return max(numbers, default=0)


def check(ask: Ask, flavour: Flavour, keyspace: str) -> None:
    """
    Look whether the table is there and ours.

    Raises:
        MissingKeyspaceError, MissingTableError, ForeignTableError, TtlDisabledError: it is not.
        TransientError: the server is still making it.
    """
    found = _columns(ask, keyspace)
    if not found:
        if not ask(SEE_KEYSPACE.format(keyspace=keyspace)):
            raise MissingKeyspaceError(f"there is no keyspace {keyspace}: {CREATE}")
        raise MissingTableError(f"the keyspace {keyspace} has no table {TABLE}: {CREATE}")
    _check_columns(found, _key(ask, keyspace), keyspace)
    if flavour is Flavour.KEYSPACES:
        _check_properties(ask(SEE_STATUS[flavour].format(keyspace=keyspace)), keyspace)


def _check_columns(found: Mapping[str, str], key: Sequence[str], keyspace: str) -> None:
    lacking = [name for name in COLUMNS if name not in found]
    if lacking:
        raise ForeignTableError(
            f"the table {keyspace}.{TABLE} lacks {', '.join(lacking[:3])}: {CREATE}, unless the"
            " table is somebody else's"
        )
    other = [name for name, kind in LATEST.columns.items() if found[name] != kind]
    if other:
        raise ForeignTableError(
            f"the table {keyspace}.{TABLE} has other types than ours for {', '.join(other[:3])}:"
            " it is somebody else's, so name another keyspace"
        )
    if tuple(key) != KEY:
        raise ForeignTableError(
            f"the table {keyspace}.{TABLE} has another primary key than ours: it is somebody"
            " else's, so name another keyspace"
        )


def _check_properties(found: Sequence[Sequence[Any]], keyspace: str) -> None:
    """Look at what only Keyspaces tells; a login that may not see it learns it when it writes."""
    if not found:
        return
    status, properties = found[0][0], found[0][1]
    if status != ACTIVE:
        raise TransientError(f"the table {keyspace}.{TABLE} is not ready yet")
    ttl = (properties or {}).get("ttl")
    if ttl is not None and "enabled" not in str(ttl):
        raise TtlDisabledError(
            f"rows of {keyspace}.{TABLE} cannot expire: run ALTER TABLE {keyspace}.{TABLE} WITH"
            " CUSTOM_PROPERTIES = {'ttl': {'status': 'enabled'}}"
        )


def _columns(ask: Ask, keyspace: str) -> dict[str, str]:
    return {name: kind for name, kind, *_ in ask(SEE_COLUMNS.format(keyspace=keyspace))}


def _key(ask: Ask, keyspace: str) -> list[str]:
    rows = ask(SEE_COLUMNS.format(keyspace=keyspace))
    parts = [(kind != "partition_key", place, name) for name, _, kind, place in rows
             if kind in ("partition_key", "clustering")]  # fmt: skip
    return [name for *_, name in sorted(parts)]


def _until(done: Callable[[], bool], wait: Callable[[float], None]) -> None:
    for _ in range(round(ACTIVE_S / POLL_S)):
        if done():
            return
        wait(POLL_S)
    raise TransientError("the wide store has not finished its schema: look again later")
