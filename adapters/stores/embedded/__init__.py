"""Stores for one machine, in SQLite files of their own."""
