"""What the core asks of the outside: each port states its promise, adapters keep it."""
