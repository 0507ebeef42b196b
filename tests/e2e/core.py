"""The real platform without HTTP, inside the test's own process, on the real embedded stores."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from itertools import islice
from pathlib import Path
from typing import Final

from adapters.bootstrap.demo_platform import EmbeddedDemoPlatform
from adapters.bootstrap.platform import Core, running_core
from adapters.bootstrap.shipped import personal_loan
from adapters.settings import EmbeddedSettings
from decision_engine.commands import DecideCommand, Recorded
from domain.application import CreditApplication
from domain.canonical import digest
from domain.ports.time import Deadline
from tests.e2e.people import BEGIN, Envelope

PATIENCE_S: Final = 120.0
EVENTS_MAX: Final = 500
CALLER: Final = "lender"


class Silent:
    """Implements `Monitoring` and tells nobody."""

    def count(self, name: str, amount: int = 1, **labels: str) -> None:
        """Count nothing."""

    def observe(self, name: str, value: float, **labels: str) -> None:
        """Observe nothing."""

    def gauge(self, name: str, value: float, **labels: str) -> None:
        """Show nothing."""

    def event(self, name: str, *, level: str = "info", **fields: str | float | bool) -> None:
        """Say nothing."""


@asynccontextmanager
async def core_on(data: Path) -> AsyncIterator[Core]:
    """Run the use cases and their background work on a folder, with the shipped policy."""
    settings = EmbeddedSettings(data=data, port=0, metrics_port=0)
    async with running_core(settings, Silent(), BEGIN) as core:
        await core.policies.publish(personal_loan(), patience(core))
        yield core


async def tell(core: Core, events: Iterable[Envelope]) -> None:
    """Send events and wait until every store has them."""
    source = iter(events)
    while some := list(islice(source, EVENTS_MAX)):
        results = await core.use_cases.accept_events(some, patience(core))
        assert {each["status"] for each in results} == {"accepted"}, results
    await settle(core)


async def settle(core: Core) -> None:
    """Wait until every store has what the ledger has."""
    await EmbeddedDemoPlatform(core, "").settle()


async def decide(core: Core, key: str, application: CreditApplication) -> Recorded:
    """Ask for a decision under an idempotency key."""
    return await core.use_cases.decide(
        DecideCommand(
            client_id=CALLER,
            idem_key=key,
            command_hash=digest(application.canonical()),
            application=application,
            language="pt-BR",
            deadline=patience(core),
        )
    )


def patience(core: Core) -> Deadline:
    """Return a deadline that only a hanging platform meets."""
    return Deadline.after(core.stores.clock, PATIENCE_S)
