"""
What a profile says at one instant: a pure function of the folded facts and `as_of`.

Ratios are rounded half-even to four decimals from exact integers. Missing is not zero: a value
that cannot be computed is None. `observed_us` is the instant of the newest fact behind a value,
from which its age is taken. Months are counted back from the newest closed statement.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Final

from domain.customer import CreditData, Month, Slot
from domain.instants import business_day, month_of
from domain.money import round_half_even

#: Basis of an income, best first; a declared or estimated one has had its haircut already.
INCOME_BASES: Final = ("verified", "declared", "estimated")
#: Monthly service of revolving debt: a tenth of the carried balance (policy choice, stated).
SERVICE_DIVISOR: Final = 10
LONG_WINDOW: Final = 6
SHORT_WINDOW: Final = 3
RATIO_UNITS: Final = 10_000
#: A payment ratio is cut here: paying a bill three times over says no more than paying it twice.
MAX_RATIO: Final = 2 * RATIO_UNITS

Value = Decimal | str | bool


@dataclass(frozen=True, slots=True)
class Feature:
    """One value read from a profile; None where the facts do not allow one."""

    value: Value | None
    observed_us: int | None


MISSING: Final = Feature(None, None)
NO_MONTH: Final = Month()


@dataclass(frozen=True, slots=True)
class _Window:
    """The facts of consecutive months, newest first; None where a month has no statement."""

    months: tuple[Month, ...]
    balances: tuple[int | None, ...]
    limits: tuple[int | None, ...]
    lates: tuple[int, ...]


def features(profile: CreditData, as_of: datetime) -> dict[str, Feature]:
    """Return every feature of a profile at `as_of`; all keys are always present."""
    return features_on(profile, business_day(as_of), FEATURE_NAMES)


def features_on(profile: CreditData, day: date, names: Iterable[str]) -> dict[str, Feature]:
    """Return those of these names that are features, on a day in São Paulo."""
    newest = _newest_statement_month(profile, month_of(day))
    observed = _observed(profile, newest)
    window = None if newest is None else _window(profile, newest)
    result = {}
    for name in names:
        compute = BEHAVIOUR.get(name)
        if compute is not None:
            value = None if window is None else compute(window)
            result[name] = Feature(value, observed)
        elif name in STATE:
            result[name] = STATE[name](profile)
    return result


def _income_monthly(profile: CreditData) -> Feature:
    best = _income(profile)
    if best is None:
        return MISSING
    monthly = best.data.get("monthly")
    amount = Decimal(monthly).scaleb(-2) if type(monthly) is int else None
    return Feature(amount, best.occurred_us)


def _income_basis(profile: CreditData) -> Feature:
    best = _income(profile)
    return MISSING if best is None else Feature(str(best.data["basis"]), best.occurred_us)


def _income(profile: CreditData) -> Slot | None:
    slots = [slot for name, slot in profile.slots.items() if name.startswith("income/")]
    known = [slot for slot in slots if slot.data.get("basis") in INCOME_BASES]
    return min(known, key=_income_rank, default=None)


def _income_rank(slot: Slot) -> tuple[int, int, int, int]:
    basis = INCOME_BASES.index(str(slot.data["basis"]))
    return (basis, -slot.occurred_us, -slot.incarnation, -slot.source_version)


def _bureau_score(profile: CreditData) -> Feature:
    slots = [slot for name, slot in profile.slots.items() if name.startswith("bureau/")]
    if not slots:
        return MISSING
    newest = max(slots, key=lambda slot: (slot.occurred_us, slot.rank))
    score = newest.data.get("score")
    return Feature(Decimal(score) if type(score) is int else None, newest.occurred_us)


def _newest_statement_month(profile: CreditData, until: int) -> int | None:
    closed = [number for number, month in profile.months.items() if month.statements]
    return max((number for number in closed if number <= until), default=None)


def _observed(profile: CreditData, newest: int | None) -> int | None:
    if newest is None:
        return None
    return max(held.occurred_us for held in profile.months[newest].statements.values())


def _window(profile: CreditData, newest: int) -> _Window:
    held = profile.months
    months = tuple([held.get(newest - back, NO_MONTH) for back in range(LONG_WINDOW)])
    statements = [list(month.statements.values()) for month in months]
    return _Window(
        months,
        tuple([_sum_or_none([each.balance for each in some]) for some in statements]),
        tuple([_sum_or_none([each.limit for each in some]) for some in statements]),
        tuple([_latest(month) for month in months]),
    )


def _latest(month: Month) -> int:
    """Return the most months late that a source says, 0 when none says so."""
    return max([held.late for held in month.delinquencies.values()], default=0)


def _sum_or_none(values: list[int]) -> int | None:
    return sum(values) if values else None


def _ratio(numerator: int | None, denominator: int | None) -> Decimal | None:
    if numerator is None or denominator is None or denominator <= 0:
        return None
    return _units(round_half_even(numerator * RATIO_UNITS, denominator))


def _units(units: int) -> Decimal:
    return Decimal(units).scaleb(-4)


def _mean(units: list[int]) -> Decimal | None:
    return _units(round_half_even(sum(units), len(units))) if units else None


def _utilization_units(window: _Window) -> list[int]:
    pairs = zip(window.balances, window.limits, strict=True)
    return [
        round_half_even(balance * RATIO_UNITS, limit)
        for balance, limit in pairs
        if balance is not None and limit is not None and limit > 0
    ]


def _payment_units(window: _Window) -> list[int]:
    """Return each month's payment over the bill before it, newest first, where there was one."""
    pairs = zip(window.months[:-1], window.balances[1:], strict=True)
    return [
        min(round_half_even(month.payments * RATIO_UNITS, bill), MAX_RATIO)
        for month, bill in pairs
        if bill is not None and bill > 0
    ]


def _utilization(window: _Window) -> Decimal | None:
    return _ratio(window.balances[0], window.limits[0])


def _trend(window: _Window) -> Decimal | None:
    units = _utilization_units(window)
    if len(units) < SHORT_WINDOW:
        return None
    return _units(units[0] - round_half_even(sum(units[1:]), len(units) - 1))


def _payment_ratio(window: _Window) -> Decimal | None:
    bill = window.balances[1]
    if bill is None or bill <= 0:
        return None
    return _units(min(round_half_even(window.months[0].payments * RATIO_UNITS, bill), MAX_RATIO))


def _service(window: _Window) -> Decimal | None:
    """Return a tenth of what was carried over from the bill before the newest, in reais."""
    bill = window.balances[1]
    if bill is None:
        bill = window.balances[0]
        carried = max(bill or 0, 0)
    else:
        carried = max(bill - window.months[0].payments, 0)
    return Decimal(round_half_even(carried, SERVICE_DIVISOR)).scaleb(-2)


def _limit(window: _Window) -> Decimal | None:
    limit = window.limits[0]
    return None if limit is None else Decimal(limit).scaleb(-2)


def _payments_to_limit(window: _Window) -> Decimal | None:
    paid = sum(month.payments for month in window.months)
    limit = window.limits[0]
    return _ratio(paid, limit * LONG_WINDOW if limit else None)


def _count(values: tuple[int, ...]) -> Decimal:
    return Decimal(sum(1 for value in values if value > 0))


BEHAVIOUR: Final[Mapping[str, Callable[[_Window], Decimal | None]]] = {
    "debt.service": _service,
    "credit.limit": _limit,
    "behaviour.utilization": _utilization,
    "behaviour.utilization_mean_6m": lambda window: _mean(_utilization_units(window)),
    "behaviour.utilization_trend": _trend,
    "behaviour.payment_ratio": _payment_ratio,
    "behaviour.payment_ratio_mean_6m": lambda window: _mean(_payment_units(window)),
    "behaviour.payments_to_limit_6m": _payments_to_limit,
    "behaviour.late_now": lambda window: Decimal(window.lates[0]),
    "behaviour.late_before": lambda window: Decimal(window.lates[1]),
    "behaviour.worst_late_3m": lambda window: Decimal(max(window.lates[:SHORT_WINDOW])),
    "behaviour.worst_late_6m": lambda window: Decimal(max(window.lates)),
    "behaviour.late_months_3m": lambda window: _count(window.lates[:SHORT_WINDOW]),
    "behaviour.late_months_6m": lambda window: _count(window.lates),
    "behaviour.paid_months_6m": lambda window: _count(tuple(m.payments for m in window.months)),
}

STATE: Final[Mapping[str, Callable[[CreditData], Feature]]] = {
    "income.monthly": _income_monthly,
    "income.basis": _income_basis,
    "bureau.score": _bureau_score,
}

#: Every feature name, in a stable order.
FEATURE_NAMES: Final = (*STATE, *BEHAVIOUR)
