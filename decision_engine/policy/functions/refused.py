"""Functions of ZEN that this language does not have: each is refused with its reason."""

from collections.abc import Mapping
from typing import Final

from decision_engine.policy.functions import dates
from decision_engine.policy.syntax import Expr, Literal

_PATTERN: Final = "patterns have no bound on their time: write startsWith, endsWith or contains"
_CLOCK: Final = "a clock cannot be replayed: let an input carry the date"
_OBJECT: Final = "objects come from inputs only, with fields that are known: write the field's name"
_REASONS: Final[Mapping[str, str]] = {
    "matches": _PATTERN,
    "extract": "patterns have no bound on their time: write split and an index",
    "fuzzyMatch": "a likeness is no exact value: compare with == after trim and lower",
    "rand": "chance cannot be replayed: let an input carry the number",
    "now": _CLOCK,
    "d": "there are no date objects: write date(text) and add duration(text)",
    "bool": 'what is true is written as a condition: text == "true", number != 0',
    "isNumeric": "a kind is known from the schema: number(text) of another text is missing",
    "type": "every kind is known from the schema",
    "keys": _OBJECT,
    "values": _OBJECT,
    "merge": _OBJECT,
    "mergeDeep": _OBJECT,
}
_DATES: Final = frozenset(entry.name for entry in dates.ENTRIES)
_EDGES: Final = frozenset({"startOf", "endOf"})


def sentence_of(name: str) -> str:
    """Return why there is no function of this name."""
    reason = _REASONS.get(name)
    return f"{name}: {reason}" if reason else f"there is no function {name}"


def why_refused(name: str, arguments: tuple[Expr, ...]) -> str:
    """Return why a function of the language may not be called like this; empty when it may."""
    literals = [item.value if isinstance(item, Literal) else None for item in arguments]
    if name in _DATES and literals[:1] in ([], ["now"]):
        return f"{name}: {_CLOCK}"
    if name in _EDGES and isinstance(literals[-1], str) and literals[-1] not in dates.UNITS:
        return f'{name}: "{literals[-1]}" is no unit ({", ".join(dates.UNITS)})'
    return ""
