"""A Redis Cluster on the loopback, in the clear and over TLS: primaries, and one replica."""

import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import redis

from tests.services.certificate import certificate
from tests.services.lasting import Lasting
from tests.services.redis import redis as plain_redis
from tests.services.server import HOST, Launch, NotReadyError, free_ports

SLOTS: Final = 16_384
PRIMARIES: Final = 3
LIMIT_S: Final = 30.0
POLL_S: Final = 0.05


@dataclass(frozen=True, slots=True)
class Node:
    """One server of the cluster, which may end and come back."""

    server: Lasting
    admin: redis.Redis
    port: int
    tls_port: int
    bus_port: int

    def ask(self, *words: object) -> Any:
        """Return what the node answers."""
        # The driver does not say what this returns.
        return self.admin.execute_command(*words)  # type: ignore[no-untyped-call]

    def id(self) -> str:
        """Return the name by which nodes know this one."""
        name: bytes = self.ask("CLUSTER", "MYID")
        return name.decode()


@dataclass(frozen=True, slots=True)
class ClusterServers:
    """Primaries with a third of the slots each; the replica is the last one's."""

    primaries: Sequence[Node]
    replica: Node
    certificate: Path

    @property
    def nodes(self) -> Sequence[Node]:
        """All of them."""
        return (*self.primaries, self.replica)

    def url(self, node: int = 0, *, tls: bool = False) -> str:
        """Return an address of the cluster, by one node of it."""
        held = self.nodes[node]
        if tls:
            return f"rediss+cluster://{HOST}:{held.tls_port}/0?ssl_ca_certs={self.certificate}"
        return f"redis+cluster://{HOST}:{held.port}/0"

    def settled(self) -> None:
        """Wait until all nodes agree that every slot is served."""
        until(lambda: all(_agrees(node, len(self.nodes)) for node in self.nodes))


@contextmanager
def redis_cluster() -> Iterator[ClusterServers]:
    """Have a cluster, and end it."""
    with tempfile.TemporaryDirectory(prefix="cluster-") as place, ExitStack() as opened:
        files = certificate(Path(place))
        nodes = [
            opened.enter_context(_node(Path(place) / str(number), files))
            for number in range(PRIMARIES + 1)
        ]
        cluster = ClusterServers(nodes[:PRIMARIES], nodes[PRIMARIES], files[0])
        _join(cluster)
        yield cluster


@contextmanager
def _node(folder: Path, files: tuple[Path, Path]) -> Iterator[Node]:
    folder.mkdir()
    port, tls_port, bus_port = free_ports(3)
    made = plain_redis(folder)
    more = {
        "port": port, "tls-port": tls_port, "cluster-port": bus_port,
        "tls-cert-file": files[0], "tls-key-file": files[1], "tls-ca-cert-file": files[0],
        "tls-auth-clients": "no", "tls-cluster": "yes", "tls-replication": "yes",
        "cluster-enabled": "yes", "cluster-require-full-coverage": "no",
        "repl-diskless-sync-delay": 0, "cluster-node-timeout": 2_000,
        "cluster-allow-replica-migration": "no",
    }  # fmt: skip
    words = [word for name, value in more.items() for word in (f"--{name}", str(value))]
    with redis.Redis(host=HOST, port=port) as admin:
        launch = Launch(
            command=(*made.command, *words),
            environment=made.environment,
            ready=lambda: _version(admin),
            settings={},
        )
        server = Lasting(f"redis-{port}", folder, launch)
        try:
            yield Node(server, admin, port, tls_port, bus_port)
        finally:
            server.stop()


def _version(admin: redis.Redis) -> str | None:
    try:
        said: Any = admin.info("server")
    except redis.RedisError:
        return None
    return str(said["redis_version"])


def _join(cluster: ClusterServers) -> None:
    first = cluster.primaries[0]
    for number, node in enumerate(cluster.nodes):
        node.ask("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
        first.ask("CLUSTER", "MEET", HOST, node.tls_port, node.bus_port)
    share = SLOTS // PRIMARIES + 1
    for number, node in enumerate(cluster.primaries):
        last = min(SLOTS, (number + 1) * share) - 1
        node.ask("CLUSTER", "ADDSLOTSRANGE", number * share, last)
    until(lambda: all(_agrees(node, len(cluster.nodes)) for node in cluster.nodes))
    cluster.replica.ask("CLUSTER", "REPLICATE", cluster.primaries[-1].id())
    until(lambda: _follows(cluster.replica))
    cluster.settled()


def _agrees(node: Node, count: int) -> bool:
    told: Any = node.ask("CLUSTER", "INFO")
    held = told if isinstance(told, dict) else _pairs(told)
    return (
        held["cluster_state"] == "ok"
        and int(held["cluster_slots_ok"]) == SLOTS
        and int(held["cluster_known_nodes"]) == count
    )


def _pairs(told: bytes) -> dict[str, str]:
    lines = (line.partition(":") for line in told.decode().splitlines())
    return {name: value for name, _, value in lines}


def _follows(node: Node) -> bool:
    said: Any = node.admin.info("replication")
    return bool(said["role"] == "slave" and said.get("master_link_status") == "up")


def until(done: Callable[[], bool]) -> None:
    """
    Wait for what servers do among themselves.

    Raises:
        NotReadyError: they did not in time.
    """
    deadline = time.monotonic() + LIMIT_S
    while not done():
        if time.monotonic() >= deadline:
            raise NotReadyError("the nodes of the cluster did not come together")
        time.sleep(POLL_S)
