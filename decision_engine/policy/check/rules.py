"""Rule tables: a rule that can never hit, one that always does, and one that stands there twice."""

from collections.abc import Hashable, Mapping
from typing import Final

from decision_engine.policy.check.coverage import SHOWN, never_true
from decision_engine.policy.check.regions import Box, Part, Space, Truth
from decision_engine.policy.check.sweep import search
from decision_engine.policy.document import Rule, RuleTable
from decision_engine.policy.findings import Notes
from decision_engine.policy.schema import Field

_ONE_ROW: Final = (0,)


def check_rules(node: RuleTable, fields: Mapping[str, Field], notes: Notes) -> None:
    """Note rules that never hit (an error), rules that always hit, and doubled rules."""
    space = Space(node.rules, fields)
    seen: dict[Hashable, Rule] = {}
    never: list[Rule] = []
    for rule in node.rules:
        parts = space.parts(rule)
        if not parts:
            never.append(rule)
            continue
        if _always(parts, space):
            notes.at(row=rule.id).warn(
                f'this rule hits for everybody ("{rule.effect}"): give it a condition, or remove it'
            )
        first = seen.setdefault(_key(rule, parts), rule)
        if first is not rule:
            notes.at(row=rule.id).warn(
                f'row "{first.id}" gives the same code under the same condition: remove one'
            )
    for rule in never[:SHOWN]:
        never_true(rule, space, notes)
    if more := len(never[SHOWN:]):
        notes.error(f"{more} more rules can never hit")


def _always(parts: list[Part], space: Space) -> bool:
    exact = [Box(0, Truth.TRUE, part.sides) for part in parts if part.exact]
    if len(exact) == 1:
        # One box is everything only when nothing restricts it; most rules are one box.
        return not exact[0].sides or not all(space.sizes)
    found = search(space.sizes, exact, _ONE_ROW)
    return found.complete and found.gap is None


def _key(rule: Rule, parts: list[Part]) -> Hashable:
    """What doubled rules share. Two rules of one key have one region; the reverse may not hold."""
    if all(part.exact for part in parts):
        return rule.code, frozenset(frozenset(part.sides.items()) for part in parts)
    return rule.code, rule.condition
