"""What a server can do, tried and not believed: documents of different ages disagree."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, Final

from cassandra.query import BatchStatement, BatchType

from adapters.stores.keyspaces import schema
from adapters.stores.keyspaces.address import Address
from adapters.stores.keyspaces.calls import Calls
from adapters.stores.keyspaces.errors import (
    DRIVER_ERRORS,
    StoreRefusedError,
    TtlDisabledError,
    settled,
    translated,
)
from adapters.stores.keyspaces.session import Limits, Prepared, asking, connected, new_cluster
from adapters.stores.keyspaces.statements import READABLE, TABLE
from domain.ports.time import Chance, Clock, Deadline

#: No customer has such an id, and the rows are gone soon even if the probe is interrupted.
PROBE: Final = "#probe"
PROBE_TTL_S: Final = 60
SEE_NODE: Final = "SELECT release_version, data_center FROM system.local"


@dataclass(frozen=True, slots=True)
class Capabilities:
    """
    What the server was seen to do.

    Without `conditional` and `ttl` nothing here works. A logged batch is not used; the figure tells
    operators which generation of Keyspaces they have.
    """

    conditional: bool
    ttl: bool
    logged_batch: bool

    def all(self) -> Sequence[tuple[str, bool]]:
        """Return names and values."""
        return [(field.name, getattr(self, field.name)) for field in fields(self)]


@dataclass(frozen=True, slots=True)
class Seen:
    """What a server says of itself."""

    place: str
    version: str
    datacenter: str
    schema_version: int


async def probed(
    calls: Calls, address: Address, chance: Chance, deadline: Deadline
) -> Capabilities:
    """
    Try each ability on rows of the probe's own, which are removed again.

    Raises:
        TtlDisabledError: rows cannot expire.
        StoreRefusedError: the server refuses conditional writes, or the login may not write.
        TransientError: it is away.
    """
    name = f"PROBE#{chance.token(8).hex()}"
    values = [PROBE, name, 1, "", "", None, *[None] * len(READABLE)]
    try:
        await calls.asked(lambda prepared: prepared.add[1].bind([*values, PROBE_TTL_S]), deadline)
    except StoreRefusedError as error:
        if error.found is None:
            await _without_ttl(calls, address, values, deadline)
        raise
    logged = await _logged(calls, values, deadline)
    await asyncio.gather(*(_remove(calls, each, deadline) for each in (name, f"{name}#2")))
    return Capabilities(conditional=True, ttl=True, logged_batch=logged)


async def _without_ttl(
    calls: Calls, address: Address, values: Sequence[object], deadline: Deadline
) -> None:
    """Raise TtlDisabledError when the same write without a time to live is accepted."""
    await calls.asked(lambda prepared: prepared.add[0].bind(values), deadline)
    await _remove(calls, str(values[1]), deadline)
    raise TtlDisabledError(
        f"rows of {address.keyspace}.{TABLE} cannot expire: run ALTER TABLE"
        f" {address.keyspace}.{TABLE} WITH CUSTOM_PROPERTIES = {{'ttl': {{'status': 'enabled'}}}}"
    )


async def _logged(calls: Calls, values: Sequence[object], deadline: Deadline) -> bool:
    def make(prepared: Prepared) -> Any:
        batch = BatchStatement(batch_type=BatchType.LOGGED)
        for name in (values[1], f"{values[1]}#2"):
            row = [PROBE, name, *values[2:], PROBE_TTL_S]
            batch.add(prepared.append[READABLE][1].bind(row))
        return batch

    try:
        await calls.asked(make, deadline)
    except StoreRefusedError:
        return False
    return True


async def _remove(calls: Calls, name: str, deadline: Deadline) -> None:
    await calls.asked(lambda prepared: prepared.remove.bind((PROBE, name)), deadline)


def look(address: Address, clock: Clock) -> Seen:
    """
    Look at the server and its schema once; blocks for some seconds at most.

    Raises:
        SettingsError: what is there does not fit; class and sentence say what to correct.
        TransientError: it is away.
    """
    limits = Limits(heartbeat_s=0.0)
    cluster = new_cluster(address, limits, clock)
    try:
        (session,) = connected(cluster, address, 1)
        ask = asking(session)
        version, datacenter = ask(SEE_NODE)[0]
        schema.check(ask, address.flavour, address.keyspace)
        number = schema.version_of(ask, address.keyspace)
        return Seen(f"{address.host}:{address.port}", version, datacenter, number)
    except DRIVER_ERRORS as error:
        raise settled(translated(error)) from None
    finally:
        cluster.shutdown()
