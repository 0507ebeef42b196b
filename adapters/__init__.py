"""Everything that touches the world outside: stores, streams, HTTP, clock, settings."""
