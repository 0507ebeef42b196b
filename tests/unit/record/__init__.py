"""Tests of the ledger's batches and writer."""
