"""The relational store: one schema for Aurora MySQL and SQLite."""
