"""The `Monitoring` port over this process's metrics and logs."""

from dataclasses import dataclass

from adapters.telemetry.logs import Logs
from adapters.telemetry.metrics import Metrics


@dataclass(frozen=True, slots=True)
class Telemetry:
    """Counts and logs; never blocks, never raises, never lets personal data through."""

    metrics: Metrics
    logs: Logs

    def count(self, name: str, amount: int = 1, **labels: str) -> None:
        """See `Monitoring.count`."""
        self.metrics.count(name, amount, labels)

    def observe(self, name: str, value: float, **labels: str) -> None:
        """See `Monitoring.observe`."""
        self.metrics.observe(name, value, labels)

    def gauge(self, name: str, value: float, **labels: str) -> None:
        """See `Monitoring.gauge`."""
        self.metrics.gauge(name, value, labels)

    def event(self, name: str, *, level: str = "info", **fields: str | float | bool) -> None:
        """See `Monitoring.event`."""
        self.logs.event(name, level, fields)
