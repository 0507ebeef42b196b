"""The endpoint of the database moves to another server, which has the data; clients ask on."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final

from adapters.mysql_address import MysqlAddress
from tests.contracts.mysql import Server
from tests.integration.ledger_faults.bank import Bank
from tests.integration.ledger_faults.outages import Outage
from tests.services.lasting import Lasting
from tests.services.mariadb import mariadb
from tests.services.proxy import FaultProxy, proxied


@dataclass(slots=True)
class Cluster:
    """Servers of which the last is the writer; clients know the endpoint only, a proxy's port."""

    first: Lasting
    endpoint: FaultProxy
    bank: Bank
    later: list[Lasting] = field(default_factory=list)

    @property
    def writer(self) -> Lasting:
        """The server that has the newest data."""
        return self.later[-1] if self.later else self.first

    def demote(self) -> None:
        """Let the writer take no writes any more; its connections stay."""
        self._master().run("SET GLOBAL read_only = 1")

    def kill(self) -> None:
        """End the writer at once."""
        self.writer.kill()

    def cut_off(self) -> None:
        """Let the writer stand still; nobody is told."""
        self.writer.freeze()

    def move(self, *, alive: bool = False) -> None:
        """
        Let another server take the data over, and the endpoint lead there.

        alive: the old one goes on, for those who are still connected.
        """
        if alive:
            self.writer.freeze()
        heir = self.writer.successor(f"heir-{len(self.later)}", mariadb)
        if alive:
            self.writer.thaw()
        self.later.append(heir)
        self.endpoint.upstream = _address(heir).port
        # The old one said so to its successor as well, where it was written down.
        self._master().run("SET GLOBAL read_only = 0")

    def stop(self) -> None:
        """End those that came later."""
        for server in self.later:
            server.stop()

    def _master(self) -> Server:
        return Server(replace(self.bank.server.address, port=_address(self.writer).port))


@contextmanager
def clustered(first: Lasting) -> Iterator[Cluster]:
    """Have the endpoint of a server with the schema, which may move to others."""
    bank = Bank.opened(first.settings["MYSQL_URL"])
    with proxied(bank.address.port) as endpoint:
        looking = Server(replace(bank.server.address, port=endpoint.port))
        cluster = Cluster(first, endpoint, Bank(looking, bank.through(endpoint.port)))
        try:
            yield cluster
        finally:
            cluster.stop()


#: How the writer goes away, and the endpoint moves to another.
FAILOVERS: Final[Mapping[str, Callable[[Cluster], Outage]]] = {
    "demoted": lambda cluster: Outage(cluster.demote, partial(cluster.move, alive=True)),
    "killed": lambda cluster: Outage(cluster.kill, cluster.move),
    "cut off": lambda cluster: Outage(cluster.cut_off, cluster.move),
}


def _address(server: Lasting) -> MysqlAddress:
    return MysqlAddress.parse(server.settings["MYSQL_URL"], "MYSQL_URL")
