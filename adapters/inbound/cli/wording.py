"""Texts for people: money, rates and names as they are read in Brazil, safe for any terminal."""

from decimal import Decimal, InvalidOperation
from typing import Final

OUTCOMES: Final = {
    "APPROVED": "Approved",
    "COUNTER_OFFER": "Counter-offer",
    "DECLINED": "Declined",
    "REFERRED": "Referred to a person",
    "REDUCE": "Only less, or for longer",
    "PASSED": "No rule objects",
}
NOTHING: Final = "-"


def clean(value: object) -> str:
    """Return a text in which nothing can steer a terminal: other characters become `?`."""
    return "".join(c if c.isprintable() else " " if c in "\n\t" else "?" for c in str(value))


def said(value: object) -> str:
    """Return a value of a document for a person; nothing and "" are a dash."""
    if value is None or value == "":
        return NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    return clean(value)


def reais(value: object) -> str:
    """Return money of the contract as `R$ 1.234,56`; another text stays what it is."""
    number = _number(value)
    return said(value) if number is None else f"R$ {_brazilian(f'{number:,.2f}')}"


def percent(value: object) -> str:
    """Return a fraction as per cent, `2,31 %`: two decimals, more only where they are there."""
    number = _number(value)
    if number is None:
        return said(value)
    shown = number * 100
    decimals = max(2, -int(shown.normalize().as_tuple().exponent))
    return f"{_brazilian(f'{shown:,.{decimals}f}')} %"


def outcome(value: object) -> str:
    """Return an outcome in words."""
    return OUTCOMES.get(str(value), said(value))


def count(number: int, one: str, many: str = "") -> str:
    """Return `1 event`, `2 events`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def words(name: object) -> str:
    """Return a code like `COUNTER_OFFER` or `months_late` as words."""
    return said(name).replace("_", " ").replace("-", " ").lower()


def _number(value: object) -> Decimal | None:
    if not isinstance(value, str):
        return None
    try:
        number = Decimal(value)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _brazilian(text: str) -> str:
    return text.translate(str.maketrans(",.", ".,"))
