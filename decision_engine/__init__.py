"""Decide, explain, replay, quote: one use case per file, over ports."""
