"""Reading a customer: a masked profile with where each attribute comes from, and the history."""

import json
from dataclasses import dataclass

from decision_engine.archive import ListTransactions, StoredTransaction
from decision_engine.gather import Gather
from decision_engine.pages import Page, page_of
from decision_engine.snapshot import Gathered
from domain.customer import CreditData, Slot
from domain.errors import NotFoundError
from domain.features import FEATURE_NAMES, Feature, features
from domain.instants import from_epoch_micros, instant_millis
from domain.ports.time import Clock, Deadline
from domain.ports.truth import Truth

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
    truth: Truth
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
        (rows,) = await self.truth.read([statement], query.deadline)
        return page_of(rows, query.limit, lambda row: (row.occurred_us, row.event_id), _transaction)

    def _shown(self, gathered: Gathered, profile: CreditData) -> dict[str, object]:
        known = features(profile, self.clock.now())
        source = {"tier": gathered.tier, "version": profile.profile_version}
        return {
            "customer_id": profile.customer_id,
            "profile_version": profile.profile_version,
            "status": "INCOMPLETE" if profile.incomplete else "ACTIVE",
            "identity": _identity(profile),
            "attributes": {name: _attribute(name, known[name], source) for name in FEATURE_NAMES},
            "degraded": list(gathered.degraded),
        }


def _identity(profile: CreditData) -> dict[str, object]:
    slots: list[Slot] = [
        slot for name, slot in profile.slots.items() if name.startswith("identity/")
    ]
    fields = sorted({field for slot in slots for field in slot.data if field != "cpf_index"})
    return dict.fromkeys(fields, MASK)


def _attribute(name: str, feature: Feature, source: dict[str, object]) -> dict[str, object]:
    if feature.value is None:
        return {"value": None, **source}
    observed = feature.observed_us
    shown = MASK if name in CONFIDENTIAL else str(feature.value)
    as_of = instant_millis(from_epoch_micros(observed)) if observed is not None else None
    return {"value": shown, "as_of": as_of, **source}


def _transaction(row: StoredTransaction) -> dict[str, object]:
    return {
        "event_id": row.event_id,
        "kind": row.kind,
        "occurred_at": instant_millis(from_epoch_micros(row.occurred_us)),
        "reversed": row.reversed,
        "data": json.loads(row.payload),
    }
