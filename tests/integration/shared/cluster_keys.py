"""What tests do to a cluster: find keys of a node, and move slots as an operator does."""

from collections.abc import Iterator
from contextlib import contextmanager

from redis.crc import key_slot

from tests.contracts.opened import HandClock
from tests.services.redis_cluster import ClusterServers, Node
from tests.services.server import HOST

SHARE = 16_384 // 3 + 1


class ClusterClock(HandClock):
    """A clock that a test moves, and the times to live on all primaries with it."""

    def __init__(self, cluster: ClusterServers) -> None:
        super().__init__()
        self._cluster = cluster

    def advance(self, seconds: float) -> None:
        super().advance(seconds)
        for node in self._cluster.primaries:
            for key in node.admin.scan_iter():
                left = node.admin.pttl(key)
                assert isinstance(left, int)
                assert left > 0
                node.admin.pexpire(key, max(0, left - round(seconds * 1000)))


def keys_of(primary: int, prefix: str = "") -> Iterator[str]:
    """Yield names whose slots are that primary's at first."""
    number = 0
    while True:
        if key_slot(f"{prefix}k{number}".encode()) // SHARE == primary:
            yield f"k{number}"
        number += 1


@contextmanager
def moving(cluster: ClusterServers, slot: int, source: Node, target: Node) -> Iterator[None]:
    """
    Have a slot on its way: whoever asks the source for a key that it has not is sent on.

    Afterwards the slot is the source's again, and empty.
    """
    target.ask("CLUSTER", "SETSLOT", slot, "IMPORTING", source.id())
    source.ask("CLUSTER", "SETSLOT", slot, "MIGRATING", target.id())
    try:
        yield
    finally:
        end_move(cluster, slot, target)
        target.admin.flushall()
        end_move(cluster, slot, source)
        cluster.settled()


def move_key(source: Node, target: Node, key: str) -> None:
    assert source.ask("MIGRATE", HOST, target.tls_port, key, 0, 5_000) == b"OK"


def end_move(cluster: ClusterServers, slot: int, target: Node) -> None:
    for node in (target, *cluster.primaries):
        node.ask("CLUSTER", "SETSLOT", slot, "NODE", target.id())
