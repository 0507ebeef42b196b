"""The rows of `make prove` about the writer of the ledger: full counts, a server of its own."""

from collections.abc import Callable, Mapping

from tests.integration.ledger_faults.bank import Bank
from tests.integration.ledger_faults.outages import check_outages
from tests.integration.ledger_faults.packets import check_packets
from tests.integration.ledger_faults.poison import BATCH, check_poison
from tests.services.lasting import Lasting, lasting
from tests.services.mariadb import mariadb

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


def _on_a_server(check: Callable[[Bank, Lasting], Mapping[str, int | float]]) -> Measured:
    with lasting("mariadb", mariadb) as server:
        bank = Bank.opened(server.settings["MYSQL_URL"])
        return {"mariadb": server.version, **check(bank, server)}
