"""What the demo asks of the platform that it runs on; bound by bootstrap."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

Progress = Callable[[int], None]


class DemoPlatform(Protocol):
    """A running platform in its embedded profile."""

    @property
    def url(self) -> str:
        """The address of the API."""

    @property
    def data(self) -> Path:
        """The data folder."""

    def token(self) -> str:
        """Return a token with every scope."""

    async def produce(self, records: Sequence[tuple[str, bytes]]) -> None:
        """Put records on the event stream, as a producer would."""

    async def caught_up(self, progress: Progress) -> None:
        """Wait until every record of the stream is handled; `progress` gets how many are."""

    async def publish(self) -> dict[str, Any]:
        """Publish the shipped policy; again changes nothing."""

    async def settle(self) -> None:
        """Wait until every decision has reached the other stores."""

    async def compare_stores(self) -> tuple[int, int]:
        """Return how many rows were compared between truth and the stores, and how many differ."""


class DemoFiles(Protocol):
    """Where the data sets lie."""

    @property
    def taiwan(self) -> Path:
        """The customers."""

    @property
    def asks(self) -> Path:
        """The amounts and terms asked for."""
