"""Rule tables: a rule that can never hit, one that always does, and one that stands there twice."""

from collections.abc import Hashable
from typing import Final

from decision_engine.policy.check.coverage import SHOWN, never_true
from decision_engine.policy.check.regions import Box, Part, Space, Truth
from decision_engine.policy.check.sweep import search
from decision_engine.policy.document import Rule, RuleTable
from decision_engine.policy.findings import Notes

_ONE_ROW: Final = (0,)


def check_rules(node: RuleTable, space: Space, notes: Notes, *, gated: bool) -> frozenset[str]:
    """
    Note rules that never hit (an error), rules that always hit, and doubled rules.

    `space` is that of the table's rules.

    Returns the ids of those that hit for everybody, none where the table may not be reached
    (`gated`). Such a rule is an error when nobody can be approved in spite of it.
    """
    seen: dict[Hashable, Rule] = {}
    never: list[Rule] = []
    everybody: list[str] = []
    for rule in node.rules:
        parts = space.parts(rule)
        if not parts:
            never.append(rule)
            continue
        if _always(parts, space):
            everybody.append(rule.id)
            _note_always(rule, notes.at(row=rule.id), final=not gated and is_final(rule))
        first = seen.setdefault(_key(rule, parts), rule)
        if first is not rule:
            notes.at(row=rule.id).warn(
                f'row "{first.id}" gives the same code under the same condition: remove one'
            )
    for rule in never[:SHOWN]:
        never_true(rule, space, notes)
    if more := len(never[SHOWN:]):
        notes.error(f"{more} more rules can never hit")
    return frozenset(() if gated else everybody)


def is_final(rule: Rule) -> bool:
    """
    Tell whether nobody is approved whom a rule hits or who cannot be judged by it.

    A reviewer may waive a referral, never a decline, nor a reduction that no smaller offer escapes.
    A rule that is silent about missing inputs leaves the word to another, which may refer.
    """
    return rule.effect != "refer" and rule.on_missing != "no_hit_if_missing"


def _note_always(rule: Rule, notes: Notes, *, final: bool) -> None:
    remedy = "give it a condition, or remove it"
    if final:
        notes.error(
            f'nobody can be approved: this rule hits for everybody ("{rule.effect}"); {remedy}'
        )
    else:
        notes.warn(f'this rule hits for everybody ("{rule.effect}"): {remedy}')


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
