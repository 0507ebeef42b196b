"""The promises of tests/contracts/test_truth_ingestion.py on a real server."""

from tests.contracts.test_truth_ingestion import *  # noqa: F403  each test of that module
