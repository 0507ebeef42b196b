"""Publish what the ledger recorded, in order per key, at least once."""
