"""
What a trace comes down to for a person: the rules that decided, and those that came nearest.

`score.value is 688, needs >= 720: 32 short` is what a person can act on; everything else of a
trace is proof.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Final, NamedTuple

from decision_engine.policy.conditions import Condition
from decision_engine.policy.limits import SCALE
from decision_engine.policy.trace import TraceEntry
from decision_engine.policy.values import quotient

#: So many near misses are shown.
NEAREST: Final = 3
#: What a value must be so that a condition no longer holds.
_NEEDS: Final[Mapping[str, str]] = {
    "<": ">=",
    "<=": ">",
    ">": "<=",
    ">=": "<",
    "==": "!=",
    "!=": "==",
    "in": "not in",
    "not in": "in",
}


class Told(NamedTuple):
    """A rule and what a person should know about it, one sentence a condition."""

    rule: str
    code: str
    effect: str
    result: str
    sentences: tuple[str, ...]

    def plain(self) -> dict[str, object]:
        """Return it as data for a reader."""
        return {**self._asdict(), "sentences": list(self.sentences)}


def decided(entries: Iterable[TraceEntry], labels: Mapping[str, str]) -> list[Told]:
    """Return the rules that hit or cannot be evaluated, and what each would need."""
    return [_objecting(entry, labels) for entry in entries if _objects(entry)]


def nearest(entries: Iterable[TraceEntry], labels: Mapping[str, str]) -> list[Told]:
    """
    Return the rules that came nearest to a hit, at most three, the nearest first.

    Near is measured against the threshold, over the conditions that were not true; a rule with
    one that has no distance (a text, a missing value) is not near.
    """
    found: list[tuple[Decimal, int, Told]] = []
    for entry in entries:
        apart = [item for item in entry.conditions if item.result != "true"]
        gaps = [_gap(item) for item in apart]
        known = [gap for gap in gaps if gap is not None]
        if entry.kind == "rule" and entry.result == "no_hit" and known and len(known) == len(gaps):
            sentences = tuple(_away(item, labels) for item in apart)
            told = Told(entry.id, entry.code, entry.effect, entry.result, sentences)
            found.append((max(known), len(found), told))
    return [told for _, _, told in sorted(found)[:NEAREST]]


def _objects(entry: TraceEntry) -> bool:
    return entry.kind == "rule" and entry.result in ("hit", "not_evaluable")


def _objecting(entry: TraceEntry, labels: Mapping[str, str]) -> Told:
    if entry.result == "hit":
        true = [item for item in entry.conditions if item.result == "true"]
        sentences = tuple(_needed(item, labels) for item in true)
    else:
        sentences = tuple(f"{labels.get(name, name)} is missing" for name in entry.missing)
    return Told(entry.id, entry.code, entry.effect, entry.result, sentences)


def _needed(item: Condition, labels: Mapping[str, str]) -> str:
    needs = _NEEDS.get(item.operator)
    if needs is None:
        return f"{item.formula} is true"
    return f"{_value(item, labels)}, needs {needs} {item.threshold}{_short(item)}"


def _away(item: Condition, labels: Mapping[str, str]) -> str:
    apart = item.distance.removeprefix("-")
    return f"{_value(item, labels)}, hits {item.operator} {item.threshold}: {apart} away"


def _value(item: Condition, labels: Mapping[str, str]) -> str:
    """Begin with what the condition is about: its label, when it is one input or value."""
    operator = item.operator.removeprefix("not ")
    subject = item.formula.removeprefix("not (").partition(f" {operator} ")[0]
    return f"{labels.get(subject, subject)} is {item.value}"


def _short(item: Condition) -> str:
    if item.distance in ("", "0"):
        return ""
    apart = item.distance.removeprefix("-")
    return f": {apart} short" if item.distance.startswith("-") else f": {apart} too much"


def _gap(item: Condition) -> Decimal | None:
    """Return how far a condition is from holding, as a part of its threshold."""
    # Inside of what it must not be, no distance tells how far out is.
    if not item.distance or item.operator.startswith(("not", "!=")):
        return None
    distance, threshold = Decimal(item.distance).copy_abs(), _number(item.threshold)
    return quotient(distance, max(threshold, Decimal(1)), SCALE)


def _number(text: str) -> Decimal:
    """Return the size of a threshold; that of a range is one."""
    try:
        return Decimal(text).copy_abs()
    except ArithmeticError:
        return Decimal(1)
