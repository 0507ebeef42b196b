"""Wherever the connection breaks, and however: one decision a key, and everybody is answered."""

from tests.integration.ledger_faults.bank import Bank
from tests.integration.ledger_faults.packets import check_packets

#: One in so many; `make prove` takes them all.
KEEP = 7


def test_a_batch_whose_connection_breaks_at_a_packet(bank: Bank) -> None:
    found = check_packets(bank, KEEP, 0)

    # A trip that reads and one that writes, each in a packet of its own.
    assert found["approvals REQUEST packets"] == found["refusals REQUEST packets"] == 2
    assert found["ledger_recoveries_total/LostConnectionError"] > 0
    assert {"CUT", "RESET", "DROP", "LATE"} <= {name.split()[0] for name in found}
