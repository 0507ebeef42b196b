"""
The conditions and thresholds of a policy, each under its name, hashed once.

A trail carries these marks beside those of a case, so that a replay by an altered policy names the
rule, row or expression that was altered even where the result is the same.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from decision_engine.policy.compile import CompiledPolicy
from decision_engine.policy.document import (
    AnyNode,
    Rule,
    RuleTable,
    SwitchNode,
    ValueTable,
    expressions_of,
)
from decision_engine.policy.render import text_of
from domain.canonical import encode

MARK_HEX: Final = 6


@dataclass(frozen=True, slots=True)
class PolicyTexts:
    """Names, marks side by side, and one digest over all."""

    names: tuple[str, ...]
    marks: str
    digest: bytes


def texts_of(compiled: CompiledPolicy) -> PolicyTexts:
    """Return the texts of a compiled policy, in the order of its nodes."""
    names, marks, whole = [], [], hashlib.sha256()
    for name, value in _entries(compiled):
        mark = hashlib.sha256(encode([name, value])).digest()
        names.append(name)
        marks.append(mark.hex()[:MARK_HEX])
        whole.update(mark)
    return PolicyTexts(tuple(names), "".join(marks), whole.digest())


def _entries(compiled: CompiledPolicy) -> Iterator[tuple[str, object]]:
    for node in compiled.nodes:
        gate = compiled.flow.gates.get(node.id)
        if gate is not None:
            yield f"texts.{node.name}.reached", sorted(handle.place for handle in gate)
        if isinstance(node, RuleTable):
            yield from ((f"rules.{rule.id}", _rule(rule)) for rule in node.rules)
        else:
            yield from _others(node)


def _rule(rule: Rule) -> list[object]:
    conditions = [[cell.column.label, text_of(cell.condition)] for cell in rule.cells]
    return [rule.code, rule.effect, rule.on_missing, conditions]


def _others(node: AnyNode) -> Iterator[tuple[str, object]]:
    if isinstance(node, ValueTable) and node.hit_policy != "first":
        order = [[row.id, row.priority] for row in node.rows]
        yield f"texts.{node.name}.hitPolicy", [node.hit_policy, order]
    if isinstance(node, SwitchNode):
        yield f"texts.{node.name}.hitPolicy", [node.hit_policy, [r.id for r in node.statements]]
    for row, cell, expression in expressions_of(node):
        place = f"{node.name}.{row}" if row else cell
        yield f"texts.{place}", [cell, text_of(expression)]
