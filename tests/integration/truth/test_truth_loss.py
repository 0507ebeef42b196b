"""The promises of tests/contracts/test_truth_loss.py on a real server."""

from tests.contracts.test_truth_loss import *  # noqa: F403  each test of that module
