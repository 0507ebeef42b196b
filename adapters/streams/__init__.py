"""Event streams and what drives their consumers."""
