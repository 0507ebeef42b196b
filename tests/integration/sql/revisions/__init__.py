"""Revisions of tests: an expansion as later issues make them."""
