"""The rows of `make prove` about the writer of the ledger: full counts, a server of its own."""

from collections.abc import Callable, Mapping
from typing import Final

from tests.integration.ledger_faults.bank import Bank
from tests.integration.ledger_faults.dying import check_dying
from tests.integration.ledger_faults.outages import KILLS, check_outages
from tests.integration.ledger_faults.packets import check_packets
from tests.integration.ledger_faults.poison import BATCH, check_poison
from tests.integration.ledger_faults.two_processes import check_two_processes
from tests.services.fleet import running
from tests.services.lasting import Lasting, lasting
from tests.services.mariadb import mariadb

ROUNDS: Final = 200
Measured = Mapping[str, str | int | float]


def prove_poison() -> Measured:
    """Poison each place of a batch."""
    return _on_a_server(lambda bank, _: check_poison(bank, range(BATCH)))


def prove_outages(seed: int) -> Measured:
    """Let the server die, stand still and refuse."""
    return _on_a_server(lambda bank, server: check_outages(bank, server, seed))


def prove_packets() -> Measured:
    """Break the connection at every packet."""
    return _on_a_server(lambda bank, _: check_packets(bank, 1, 0))


def prove_two_processes(seed: int) -> Measured:
    """Let two processes meet over one person."""
    with running("mariadb", "redis") as servers:
        mysql_url = servers["mariadb"].settings["MYSQL_URL"]
        redis_url = servers["redis"].settings["REDIS_URL"]
        found = check_two_processes(mysql_url, redis_url, ROUNDS, seed)
        return {"mariadb": servers["mariadb"].version, **found}


def prove_dying() -> Measured:
    """Kill the database behind the shipped program."""
    with lasting("mariadb", mariadb) as server, running("redis") as servers:
        found = check_dying(server, servers["redis"].settings["REDIS_URL"], KILLS)
        return {"mariadb": server.version, **found}


def _on_a_server(check: Callable[[Bank, Lasting], Mapping[str, int | float]]) -> Measured:
    with lasting("mariadb", mariadb) as server:
        bank = Bank.opened(server.settings["MYSQL_URL"])
        return {"mariadb": server.version, **check(bank, server)}
