"""
Why the outcome is what it is: ranked codes, from what fired and from the points lost.

The method is DOMAIN.md section 11: hard rules by priority, then affordability, then the score's
fields by points lost against their best bin (only losses above zero), one code per family, ties by
code. "Score below the cut-off" is no reason: such a code is replaced by the fields that lost the
points. Data that was missing or stale is named attribute by attribute. Callers store all, show 4.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

from decision_engine.policy.evaluation import Evaluation, RuleResult
from decision_engine.policy.reason_table import DATA_MISSING, DATA_STALE, ReasonTable

State = Literal["missing", "stale", "invalid"]
_AFFORDABILITY: Final = "affordability"
_HARD, _CAN_PAY, _SCORE = 0, 1, 2
#: The consequences that make each outcome; what asked for something else comes after them.
_MAKES: Final[Mapping[str, frozenset[str]]] = {
    "DECLINED": frozenset({"decline", "reduce"}),
    "COUNTER_OFFER": frozenset({"reduce"}),
    "REFERRED": frozenset({"refer"}),
}


@dataclass(frozen=True, slots=True)
class Reason:
    """
    One reason of a decision.

    `attribute` is the input or score field behind it, `rule_id` the rule that hit, `lost` the
    points that a score field lost; each is empty or None where it does not apply.
    """

    code: str
    family: str
    attribute: str = ""
    rule_id: str = ""
    lost: int | None = None


class _Ranked(NamedTuple):
    """A reason with its rank; `key` is what may appear once."""

    tier: int
    group: int
    weight: int
    code: str
    attribute: str
    rule_id: str
    key: tuple[str, str]
    lost: int

    def reason(self) -> Reason:
        lost = self.lost if self.group == _SCORE else None
        return Reason(self.code, self.key[0], self.attribute, self.rule_id, lost)


def rank_reasons(
    evaluation: Evaluation,
    reason_table: ReasonTable,
    outcome: str,
    states: Mapping[str, State] | None = None,
) -> tuple[Reason, ...]:
    """
    Return every reason of an outcome, the principal one first; none for an approval.

    `outcome` is `APPROVED`, `COUNTER_OFFER`, `DECLINED` or `REFERRED`; `states` tells why an input
    was missing (`missing` when it says nothing).

    Raises:
        PolicyError: a code is not in the table.
    """
    makes = _MAKES.get(outcome)
    if makes is None:
        return ()
    ranker = _Ranker(evaluation, reason_table, makes, states or {})
    seen: set[tuple[str, str]] = set()
    reasons: list[Reason] = []
    for item in sorted(ranker.all()):
        if item.key not in seen:
            seen.add(item.key)
            reasons.append(item.reason())
    return tuple(reasons)


@dataclass(frozen=True, slots=True)
class _Ranker:
    evaluation: Evaluation
    table: ReasonTable
    makes: frozenset[str]
    states: Mapping[str, State]

    def all(self) -> Iterator[_Ranked]:
        for result in self.evaluation.asks:
            yield from self._of(result, int(result.consequence not in self.makes))
        if "refer" in self.makes:
            yield from self._unanswered()

    def _of(self, result: RuleResult, tier: int) -> Iterator[_Ranked]:
        if result.result == "not_evaluable":
            yield from self._data(result.missing or ("",), tier, result.rule_id)
            return
        entry = self.table[result.code]
        losses = list(self._losses(tier)) if entry.expands else []
        yield from losses
        if not losses:
            group = _CAN_PAY if entry.family == _AFFORDABILITY else _HARD
            key = (entry.family, "")
            yield _Ranked(tier, group, entry.priority, entry.code, "", result.rule_id, key, 0)

    def _losses(self, tier: int) -> Iterator[_Ranked]:
        for loss in self.evaluation.losses:
            if loss.lost > 0:
                key = (self.table[loss.code].family, "")
                yield _Ranked(
                    tier, _SCORE, -loss.lost, loss.code, loss.attribute, "", key, loss.lost
                )

    def _data(self, names: tuple[str, ...], tier: int, rule_id: str = "") -> Iterator[_Ranked]:
        for name in names:
            code = DATA_STALE if self.states.get(name) == "stale" else DATA_MISSING
            entry = self.table[code]
            key = (entry.family, name)
            yield _Ranked(tier, _HARD, entry.priority, code, name, rule_id, key, 0)

    def _unanswered(self) -> Iterator[_Ranked]:
        """What no rule read, but the caller needed: a referral must say why."""
        for names in self.evaluation.missing.values():
            yield from self._data(names, 0)
        if self.evaluation.uncovered:
            yield from self._data(("",), 0)
