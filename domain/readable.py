"""What people query of a profile by column: taken from the profile, never read back by us."""

from collections.abc import Iterator

from domain.customer import CreditData, Slot
from domain.features import INCOME_BASES


def readable_columns(profile: CreditData) -> dict[str, str | int]:
    """Return the brief's columns of a profile; what is not known is left out."""
    columns = {
        "monthly_income": monthly_income_of(profile),
        "existing_debts": existing_debts_of(profile),
        "credit_score": credit_score_of(profile),
    }
    known = {name: value for name, value in columns.items() if value is not None}
    return {"status": "INCOMPLETE" if profile.incomplete else "ACTIVE", **known}


def monthly_income_of(profile: CreditData) -> int | None:
    """Return the income of the best basis in centavos; the newest one of equals."""
    known = [slot for slot in _slots(profile, "income/") if slot.data.get("basis") in INCOME_BASES]
    return _whole(min(known, key=_income_order), "monthly") if known else None


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
    newest = max(slots, key=lambda slot: (slot.occurred_us, slot.rank), default=None)
    return _whole(newest, "score") if newest else None


def _slots(profile: CreditData, group: str) -> Iterator[Slot]:
    # By name, so that of equals the same one counts whatever arrived first.
    return (slot for name, slot in sorted(profile.slots.items()) if name.startswith(group))


def _income_order(slot: Slot) -> tuple[int, int, int, int]:
    basis = INCOME_BASES.index(str(slot.data["basis"]))
    return (basis, -slot.occurred_us, -slot.incarnation, -slot.source_version)


def _whole(slot: Slot, name: str) -> int | None:
    value = slot.data.get(name)
    return value if type(value) is int else None
