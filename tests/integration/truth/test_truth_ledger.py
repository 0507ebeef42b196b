"""The promises of tests/contracts/test_truth_ledger.py on a real server."""

from tests.contracts.test_truth_ledger import *  # noqa: F403  each test of that module
