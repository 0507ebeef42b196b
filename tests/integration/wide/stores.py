"""What the tests of the wide store are made of: a server, a way in for an operator, and stores."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Final

from adapters.stores.keyspaces import schema
from adapters.stores.keyspaces.address import KEYSPACE, Address
from adapters.stores.keyspaces.session import Limits, asking, connected, new_cluster
from adapters.stores.keyspaces.storage import KeyspacesStorage
from adapters.system import SystemClock
from domain.ports.storage import ProjectionRow
from domain.ports.time import Clock, Deadline
from tests.contracts.opened import FixedChance
from tests.integration.shared.caches import Loop
from tests.services.server import HOST

#: Long enough for a loaded machine: only what never ends meets it.
PATIENCE_S: Final = 20.0
PATIENT: Final = Limits(connect_s=PATIENCE_S, request_s=PATIENCE_S)
#: For outages: what the network swallows is given up soon, and looked for again soon.
BRISK: Final = Limits(connect_s=1.0, request_s=0.4, reconnect_s=0.1)


@dataclass(frozen=True, slots=True)
class Server:
    """A Cassandra with our table, and an operator's session."""

    address: Address
    operator: Any

    def rows(self, text: str, *values: object) -> list[tuple[Any, ...]]:
        return list(self.operator.execute(text, values))

    def clear(self) -> None:
        self.rows(f"TRUNCATE {KEYSPACE}.creditdata")

    def behind(self, port: int) -> Address:
        """Return the address as seen through a proxy."""
        return replace(self.address, host=HOST, port=port)


def address_of(settings: Any) -> Address:
    return Address.cassandra(settings["CASSANDRA_ADDRESS"], settings["CASSANDRA_DATACENTER"])


@contextmanager
def operated(address: Address) -> Iterator[Server]:
    """Have an operator's session, and the schema."""
    cluster = new_cluster(address, PATIENT, SystemClock())
    try:
        (session,) = connected(cluster, address, 1)
        schema.create(asking(session), address.flavour, address.keyspace, time.sleep)
        yield Server(address, session)
    finally:
        cluster.shutdown()


@contextmanager
def store_on(
    address: Address,
    loop: Loop,
    *,
    clock: Clock | None = None,
    limits: Limits = PATIENT,
    chance: float = 0.5,
) -> Iterator[KeyspacesStorage]:
    """Have a store that is closed afterwards."""
    store = KeyspacesStorage(
        address, clock=clock or SystemClock(), chance=FixedChance(chance), limits=limits
    )
    try:
        yield store
    finally:
        loop(store.aclose())


def soon(seconds: float = PATIENCE_S) -> Deadline:
    return Deadline.after(SystemClock(), seconds)


def profile(version: int = 1, payload: bytes = b"", **changes: Any) -> ProjectionRow:
    row = ProjectionRow("c-1", "CUSTOMER_PROFILE", version, payload or b"payload %d" % version)
    return replace(row, **changes)


def transactions(numbers: Sequence[int], **changes: Any) -> list[ProjectionRow]:
    return [
        profile(data_type=f"TRANSACTION#{number:06d}", payload=b"%d" % number, **changes)
        for number in numbers
    ]
