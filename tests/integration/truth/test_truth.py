"""The promises of tests/contracts/test_truth.py on a real server."""

from tests.contracts.test_truth import *  # noqa: F403  each test of that module
