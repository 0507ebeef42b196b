"""Reading a customer: a masked profile with where each attribute comes from, and the history."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date

from decision_engine.archive import ListTransactions, StoredTransaction
from decision_engine.gather import Gather
from decision_engine.history import History
from decision_engine.pages import Page, page_of
from decision_engine.rulebook import Rulebooks
from decision_engine.snapshot import Gathered
from domain.customer import CreditData, Slot
from domain.errors import NotFoundError
from domain.features import FEATURE_NAMES, Feature, features
from domain.instants import business_day, from_epoch_micros, instant_millis
from domain.ports.time import Clock, Deadline

#: Confidential figures are shown as "known", never as numbers (ARCHITECTURE.md section 7).
CONFIDENTIAL = frozenset({"income.monthly", "debt.service", "bureau.score", "credit.limit"})
MASK = "***"


@dataclass(frozen=True, slots=True, kw_only=True)
class TransactionQuery:
    """A page of a customer's history, newest first."""

    customer_id: str
    limit: int
    before: tuple[int, str] | None
    from_us: int | None
    to_us: int | None
    deadline: Deadline


@dataclass(frozen=True, slots=True)
class Customers:
    """Answers reads about one customer."""

    gather: Gather
    history: History
    rulebooks: Rulebooks
    clock: Clock

    async def read(self, customer_id: str, deadline: Deadline) -> dict[str, object]:
        """
        Return the masked profile.

        Raises:
            NotFoundError: nothing is known about this customer.
        """
        gathered = await self.gather(customer_id, deadline)
        if gathered.profile is None:
            raise NotFoundError("nothing is known about this customer")
        return self._shown(gathered, gathered.profile)

    async def transactions(self, query: TransactionQuery) -> Page:
        """Return a page of the customer's dated facts."""
        statement = ListTransactions(
            query.customer_id, query.limit + 1, query.before, query.from_us, query.to_us
        )
        facts = await self.history.read(statement, query.deadline)
        page = page_of(
            facts.rows, query.limit, lambda row: (row.occurred_us, row.event_id), _transaction
        )
        return replace(page, degraded=facts.degraded)

    def _shown(self, gathered: Gathered, profile: CreditData) -> dict[str, object]:
        now = self.clock.now()
        known, today, limits = features(profile, now), business_day(now), self._limits()
        source: dict[str, object] = {"tier": gathered.tier, "version": profile.profile_version}
        return {
            "customer_id": profile.customer_id,
            "profile_version": profile.profile_version,
            "status": "INCOMPLETE" if profile.incomplete else "ACTIVE",
            "identity": _identity(profile),
            "attributes": {
                name: _attribute(
                    name, known[name], today, {**source, "max_age_days": limits.get(name)}
                )
                for name in FEATURE_NAMES
            },
            "degraded": list(gathered.degraded),
        }

    def _limits(self) -> Mapping[str, int]:
        """Return how old an attribute may be for every active policy, in São Paulo days."""
        limits: dict[str, int] = {}
        for rulebook in self.rulebooks.active.values():
            for field in rulebook.fields:
                if field.max_age_days is not None:
                    held = limits.get(field.name, field.max_age_days)
                    limits[field.name] = min(held, field.max_age_days)
        return limits


def _identity(profile: CreditData) -> dict[str, object]:
    slots: list[Slot] = [
        slot for name, slot in profile.slots.items() if name.startswith("identity/")
    ]
    fields = sorted({field for slot in slots for field in slot.data if field != "cpf_index"})
    return dict.fromkeys(fields, MASK)


def _attribute(
    name: str, feature: Feature, today: date, source: dict[str, object]
) -> dict[str, object]:
    if feature.value is None:
        return {"value": None, **source}
    shown = MASK if name in CONFIDENTIAL else str(feature.value)
    us = feature.observed_us
    observed = None if us is None else from_epoch_micros(us)
    return {
        "value": shown,
        "as_of": None if observed is None else instant_millis(observed),
        "age_days": None if observed is None else (today - business_day(observed)).days,
        **source,
    }


def _transaction(row: StoredTransaction) -> dict[str, object]:
    return {
        "event_id": row.event_id,
        "kind": row.kind,
        "occurred_at": instant_millis(from_epoch_micros(row.occurred_us)),
        "reversed": row.reversed,
        "data": json.loads(row.payload),
    }
