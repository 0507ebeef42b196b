"""What the platform says about itself."""

from typing import Protocol


class Monitoring(Protocol):
    """Metrics and structured logs. Never blocks, never raises, never sees personal data."""

    def count(self, name: str, amount: int = 1, **labels: str) -> None:
        """Add to a counter; label values come from small closed sets."""

    def observe(self, name: str, value: float, **labels: str) -> None:
        """Record one observation, in the unit that ends the name (`_seconds`, `_bytes`)."""

    def gauge(self, name: str, value: float, **labels: str) -> None:
        """Set a level."""

    def event(self, name: str, *, level: str = "info", **fields: str | float | bool) -> None:
        """Write one structured log line; fields are codes, counts and opaque ids."""
