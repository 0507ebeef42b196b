"""The database goes away under load and returns: nothing acknowledged is lost, nothing doubled."""

import pytest

from tests.integration.ledger_faults.bank import Bank
from tests.integration.ledger_faults.desk import DRIVERS
from tests.integration.ledger_faults.outages import check_kills, check_read_only, check_standstill
from tests.services.lasting import Lasting

SEED = 20260610
LOST = "ledger_recoveries_total/LostConnectionError"
#: A batch survives the short ones on a new connection; the long one is more than it bears.
PAUSES_S = (0.5, 0.5, 3.0)
TRIP_S = 0.3


@pytest.mark.parametrize("driver", DRIVERS)
def test_killed_under_load_and_started_again(bank: Bank, lasting: Lasting, driver: str) -> None:
    found = check_kills(bank, lasting, 2, SEED, driver)

    assert found[LOST] > 0


def test_no_writes_are_taken_for_a_while(bank: Bank) -> None:
    found = check_read_only(bank, 2, SEED)

    assert found[LOST] > 0


def test_standing_still_for_a_while(bank: Bank, lasting: Lasting) -> None:
    found = check_standstill(bank, lasting, PAUSES_S, TRIP_S, SEED)

    assert found[LOST] >= len(PAUSES_S)
