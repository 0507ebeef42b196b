"""A request that the server refuses is refused alone."""

from tests.integration.ledger_faults.bank import Bank
from tests.integration.ledger_faults.poison import BATCH, check_poison

#: Both ends, both halves' edges, and what lies between; `make prove` takes every place.
PLACES = (0, 1, 31, 32, 63, 64, 65, 96, 100, 125, BATCH - 2, BATCH - 1)


def test_one_poisoned_request_leaves_the_other_127_alone(bank: Bank) -> None:
    check_poison(bank, PLACES)
