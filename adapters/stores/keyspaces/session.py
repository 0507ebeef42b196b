"""
The driver's sessions: connected, prepared, taken in turn.

The driver keeps one connection a host and session, and Keyspaces serves 3,000 statements a second
on a connection: more sessions are more connections. They share one cluster object, hence one
control connection and one set of prepared statements. Everything here blocks: it runs in a thread.
"""

import logging
import ssl
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import cycle
from typing import Any, Final

from cassandra import ConsistencyLevel
from cassandra.auth import PlainTextAuthProvider
from cassandra.cluster import (
    EXEC_PROFILE_DEFAULT,
    Cluster,
    ExecutionProfile,
    NoHostAvailable,
)
from cassandra.policies import DCAwareRoundRobinPolicy, FallthroughRetryPolicy
from cassandra.query import tuple_factory

from adapters.stores.keyspaces import schema
from adapters.stores.keyspaces.address import Address, Flavour, Password
from adapters.stores.keyspaces.errors import (
    DRIVER_ERRORS,
    WrongDatacenterError,
    settled,
    translated,
)
from adapters.stores.keyspaces.retrying import Retries
from adapters.stores.keyspaces.sigv4 import SigV4Provider
from adapters.stores.keyspaces.statements import Texts, texts
from domain.ports.time import Clock

#: The read-back of a write in doubt.
SERIAL: Final = "serial"
#: The one that Keyspaces speaks: tests on Cassandra then speak as production does.
PROTOCOL: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """
    How much may be under way, and how long things may take.

    `request_s` bounds one attempt, whatever the deadline allows. After `timeouts_max` attempts in a
    row without an answer, over at least `request_s`, the sessions are opened afresh: a connection
    that is half open says nothing. `reconnect_s` lies between two tries to connect. `heartbeat_s`
    is how often an idle connection is tried, 0 never: where a process may be frozen (Lambda), set 0
    and `idle_s`, the age at which unused sessions are opened afresh instead of trusted. `page` rows
    travel together.
    """

    sessions: int = 1
    in_flight: int = 256
    waiting: int = 4_096
    connect_s: float = 2.0
    request_s: float = 2.0
    reconnect_s: float = 1.0
    heartbeat_s: float = 10.0
    timeouts_max: int = 4
    idle_s: float = float("inf")
    page: int = 1_000
    retries: Retries = field(default_factory=Retries)


@dataclass(frozen=True, slots=True)
class Reconnection:
    """When the driver tries a lost host again: at once, as few losses are outages, then slowly."""

    seconds: float

    def new_schedule(self) -> Iterator[float]:
        """Yield the waits before each try."""
        yield from (0.0, min(0.1, self.seconds))
        while True:
            yield self.seconds


@dataclass(frozen=True, slots=True)
class Prepared:
    """The statements of `Texts`, prepared."""

    read: Any
    page: Any
    held: Any
    many: Any
    replace: tuple[Any, Any]
    add: tuple[Any, Any]
    append: dict[tuple[str, ...], tuple[Any, Any]]
    remove: Any


class Sessions:
    """Open sessions; `next()` gives them in turn."""

    def __init__(self, cluster: Any, sessions: list[Any], prepared: Prepared) -> None:
        self._cluster = cluster
        self.next: Callable[[], Any] = cycle(sessions).__next__
        self.prepared = prepared

    def close(self) -> None:
        """End every connection."""
        self._cluster.shutdown()


def opened(address: Address, limits: Limits, clock: Clock) -> Sessions:
    """
    Connect, look at the schema and prepare every statement; blocks.

    Raises:
        SettingsError: the server answers, and what it has or demands does not fit.
        TransientError: it is away or too slow.
    """
    cluster = new_cluster(address, limits, clock)
    try:
        sessions = connected(cluster, address, limits.sessions)
        for session in sessions:
            session.default_fetch_size = limits.page
        schema.check(asking(sessions[0]), address.flavour, address.keyspace)
        return Sessions(cluster, sessions, _prepared(sessions[0], texts(address.keyspace)))
    except DRIVER_ERRORS as error:
        cluster.shutdown()
        raise settled(translated(error)) from None
    except BaseException:
        cluster.shutdown()
        raise


def asking(session: Any) -> schema.Ask:
    """Return how statements about the schema are sent; it blocks, and raises as `opened`."""

    def ask(text: str) -> Sequence[Sequence[Any]]:
        try:
            return list(session.execute(text))
        except DRIVER_ERRORS as error:
            raise settled(translated(error)) from None

    return ask


def connected(cluster: Any, address: Address, count: int) -> list[Any]:
    """
    Return sessions of a cluster.

    Raises:
        WrongDatacenterError: there is no node in the datacentre that the address names.
    """
    try:
        sessions = [cluster.connect() for _ in range(count)]
    except NoHostAvailable:
        there = sorted(
            {host.datacenter for host in cluster.metadata.all_hosts() if host.datacenter}
        )
        if there and address.datacenter not in there:
            raise WrongDatacenterError(
                f"the wide store has no datacentre or region of that name: it has"
                f" {', '.join(there[:3])}"
            ) from None
        raise
    for session in sessions:
        # A version guards a row, and the server's clock orders the rest.
        session.use_client_timestamp = False
    return sessions


def new_cluster(address: Address, limits: Limits, clock: Clock) -> Any:
    """Return a cluster that is not connected yet."""
    # What goes wrong is told by our errors and counters; the driver's log would name addresses.
    logging.getLogger("cassandra").setLevel(logging.CRITICAL)
    serial = ConsistencyLevel.LOCAL_SERIAL if address.flavour is Flavour.CASSANDRA else None
    balancing = DCAwareRoundRobinPolicy(local_dc=address.datacenter)

    def profile(consistency: int) -> Any:
        return ExecutionProfile(
            load_balancing_policy=balancing,
            retry_policy=FallthroughRetryPolicy(),
            consistency_level=consistency,
            serial_consistency_level=serial,
            request_timeout=limits.request_s,
            row_factory=tuple_factory,
        )

    return Cluster(
        contact_points=[address.host],
        port=address.port,
        protocol_version=PROTOCOL,
        compression=False,
        auth_provider=_login(address, clock),
        execution_profiles={
            EXEC_PROFILE_DEFAULT: profile(ConsistencyLevel.LOCAL_QUORUM),
            # Keyspaces reads what was written at LOCAL_QUORUM, and has no serial reads.
            SERIAL: profile(serial or ConsistencyLevel.LOCAL_QUORUM),
        },
        reconnection_policy=Reconnection(limits.reconnect_s),
        connect_timeout=limits.connect_s,
        control_connection_timeout=limits.connect_s,
        idle_heartbeat_interval=limits.heartbeat_s,
        idle_heartbeat_timeout=max(limits.heartbeat_s, 1.0),
        schema_metadata_enabled=False,
        token_metadata_enabled=False,
        monitor_reporting_enabled=False,
        prepare_on_all_hosts=False,
        reprepare_on_up=False,
        **_tls(address),
    )


def _login(address: Address, clock: Clock) -> Any:
    login = address.login
    if login is None:
        return None
    if isinstance(login, Password):
        return PlainTextAuthProvider(login.user, login.word)
    return SigV4Provider(address.datacenter, login, clock)


def _tls(address: Address) -> dict[str, Any]:
    if address.tls is None:
        return {}
    context = ssl.create_default_context(cafile=address.tls.ca)
    # Nodes are known by their addresses, and the certificate names the endpoint.
    return {
        "ssl_context": context,
        "ssl_options": {"server_hostname": address.tls.server_name or address.host},
    }


def _prepared(session: Any, wanted: Texts) -> Prepared:
    def prepare(text: str, *, again: bool = True) -> Any:
        statement = session.prepare(text)
        statement.is_idempotent = again
        return statement

    def pair(both: tuple[str, str], *, again: bool = True) -> tuple[Any, Any]:
        return (prepare(both[0], again=again), prepare(both[1], again=again))

    return Prepared(
        read=prepare(wanted.read),
        page=prepare(wanted.page),
        held=prepare(wanted.held),
        many=prepare(wanted.many),
        replace=pair(wanted.replace, again=False),
        add=pair(wanted.add, again=False),
        append={shape: pair(both) for shape, both in wanted.append.items()},
        remove=prepare(wanted.remove),
    )
