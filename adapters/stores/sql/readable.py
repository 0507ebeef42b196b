"""The columns of `customers` that people query: taken from the profile, never read back by us."""

from collections.abc import Iterator

from domain.customer import CreditData, Slot
from domain.features import INCOME_BASES


def status_of(profile: CreditData) -> str:
    """Return INCOMPLETE while an event of the customer is parked."""
    return "INCOMPLETE" if profile.incomplete else "ACTIVE"


def monthly_income_of(profile: CreditData) -> int | None:
    """Return the income of the best basis in centavos; the newest one of equals."""
    known = [slot for slot in _slots(profile, "income/") if slot.data.get("basis") in INCOME_BASES]
    if not known:
        return None
    best = min(known, key=_income_order)
    return _whole(best.data.get("monthly"))


def existing_debts_of(profile: CreditData) -> int | None:
    """Return what the newest closed bills ask for, in centavos; credit balances are no debt."""
    closed = [number for number, month in profile.months.items() if month.statements]
    if not closed:
        return None
    bills = profile.months[max(closed)].statements.values()
    return sum(max(bill.balance, 0) for bill in bills)


def credit_score_of(profile: CreditData) -> int | None:
    """Return the score of the bureau that spoke last."""
    slots = list(_slots(profile, "bureau/"))
    if not slots:
        return None
    return _whole(max(slots, key=lambda slot: (slot.occurred_us, slot.rank)).data.get("score"))


def _slots(profile: CreditData, group: str) -> Iterator[Slot]:
    return (slot for name, slot in profile.slots.items() if name.startswith(group))


def _income_order(slot: Slot) -> tuple[int, int, int, int]:
    basis = INCOME_BASES.index(str(slot.data["basis"]))
    return (basis, -slot.occurred_us, -slot.incarnation, -slot.source_version)


def _whole(value: object) -> int | None:
    return value if type(value) is int else None
