"""
Missing data must never approve: the static part of that promise.

Three-valued evaluation is monotone: more missing inputs turn answers into "missing", never into
other answers. Three constructs break that on purpose: a null test, the missing bin of a scorecard
and `no_hit_if_missing`. Each is accepted only for inputs that a rule *covers*: a rule that cannot
be `no_hit` when the input is missing, whatever the others are, and that then declines or refers.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from decision_engine.policy.branches import Gate
from decision_engine.policy.document import (
    AnyNode,
    ExpressionNode,
    FunctionNode,
    InputNode,
    Rule,
    RuleTable,
    ScorecardNode,
    ValueTable,
    expressions_of,
    outputs_of,
)
from decision_engine.policy.findings import Notes
from decision_engine.policy.graph import Ordered
from decision_engine.policy.layout import Layout
from decision_engine.policy.scorecard import Scorecard
from decision_engine.policy.syntax import (
    Choice,
    Each,
    Expr,
    Literal,
    Logic,
    Not,
    NullTest,
    Ref,
    nodes_in,
)

Inputs = frozenset[str]
_NONE: Inputs = frozenset()


def check_safety(
    order: Ordered, inputs: Iterable[str], models: Mapping[str, Scorecard], notes: Notes
) -> None:
    """Note every null test, missing bin and `no_hit_if_missing` about an input not covered."""
    analysis = _Analysis()
    for name in inputs:
        analysis.layout.add(name, frozenset({name}))
        analysis.needs[name] = frozenset({name})
    for node in order.nodes:
        analysis.add(node, models, order.branches.gates.get(node.id))
    rules = [(node.id, rule) for node in order.nodes for rule in _rules(node)]
    # A rule in a branch may never run: it covers nothing.
    covered = frozenset[str]().union(
        *(analysis.covered_by(rule) for id_, rule in rules if id_ not in order.branches.gates)
    )
    for node in order.nodes:
        _check_null_tests(node, covered, notes.at(node=node.id))
        _check_missing_bins(node, models, analysis, covered, notes.at(node=node.id))
    for node_id, rule in rules:
        if rule.on_missing == "no_hit_if_missing":
            # Such a rule covers nothing, itself included: what covers is always another rule.
            rest = analysis.layout.behind(rule.condition) - covered
            _note(rest, "no_hit_if_missing", notes.at(node=node_id, row=rule.id))


def _rules(node: AnyNode) -> tuple[Rule, ...]:
    return node.rules if isinstance(node, RuleTable) else ()


def _check_null_tests(node: AnyNode, covered: Inputs, notes: Notes) -> None:
    clean: set[int] = set()
    for row, cell, expr in expressions_of(node):
        if isinstance(expr, Literal) or id(expr) in clean:
            continue
        tested = {part.name for part in nodes_in(expr) if isinstance(part, NullTest)}
        if tested:
            _note(tested - covered, "a null test", notes.at(row=row, cell=cell))
        else:
            clean.add(id(expr))


def _check_missing_bins(
    node: AnyNode,
    models: Mapping[str, Scorecard],
    analysis: "_Analysis",
    covered: Inputs,
    notes: Notes,
) -> None:
    if not isinstance(node, ScorecardNode):
        return
    for attribute in models[node.model].attributes:
        if attribute.missing_points is not None:
            behind = analysis.layout.sources[node.name_of(attribute.name)]
            _note(behind - covered, "a missing bin", notes.at(row=attribute.name))


def _note(names: Iterable[str], what: str, notes: Notes) -> None:
    for name in sorted(names):
        notes.error(
            f"{what} needs a rule that declines or refers whenever {name} is missing: "
            f"a row about {name} alone"
        )


@dataclass(slots=True)
class _Analysis:
    """For each name: the inputs without which it is certainly missing."""

    layout: Layout = field(default_factory=Layout)
    needs: dict[str, Inputs] = field(default_factory=dict)

    def add(self, node: AnyNode, models: Mapping[str, Scorecard], gate: Gate | None) -> None:
        """Add what a node makes; a name that another branch makes too needs what both need."""
        before = self.needs.copy()
        if isinstance(node, ExpressionNode):
            for item in node.assignments:
                self.needs[item.name] = self.certain(item.value)
        elif not isinstance(node, InputNode):
            self.needs.update(dict.fromkeys(outputs_of(node), self._shared(node, models)))
        for name in before.keys() & frozenset(outputs_of(node)):
            self.needs[name] &= before[name]
        self.layout.add_outputs(node, models, gate)

    def _shared(self, node: AnyNode, models: Mapping[str, Scorecard]) -> Inputs:
        match node:
            case ValueTable():
                return self._of_table(node)
            case FunctionNode():
                return frozenset().union(*(self.certain(value) for _, value in node.arguments))
            case ScorecardNode():
                attributes = models[node.model].attributes
                strict = (a.name for a in attributes if a.missing_points is None)
                return frozenset().union(*(self.needs[node.name_of(name)] for name in strict))
            case _:
                return _NONE

    def _of_table(self, node: ValueTable) -> Inputs:
        """Any row that is not evaluable empties a unique or collecting table, else the first."""
        rows = node.rows if node.hit_policy in ("unique", "collect") else node.searched[:1]
        return _NONE.union(*(self.certain(row.condition) for row in rows))

    def covered_by(self, rule: Rule) -> Inputs:
        """Return the inputs whose absence can never make this rule `no_hit`."""
        if rule.effect == "reduce" or rule.on_missing == "no_hit_if_missing":
            return _NONE
        return self.never_false(rule.condition)

    def certain(self, expr: Expr) -> Inputs:
        """Return the inputs whose absence certainly makes the value missing."""
        match expr:
            case Ref():
                return self.needs[expr.name]
            case NullTest():
                return _NONE
            case Logic():
                return frozenset.intersection(*(self.certain(part) for part in expr.parts))
            case Each():
                # Of an empty list the closure reads nothing.
                return self.certain(expr.subject)
            case Choice():
                sides = self.certain(expr.yes) & self.certain(expr.no)
                return self.certain(expr.condition) | sides
            case _:
                return _NONE.union(*(self.certain(part) for part in expr.parts))

    def never_false(self, expr: Expr) -> Inputs:
        """Return the inputs whose absence makes the condition true or missing."""
        match expr:
            case NullTest(negated=False):
                return frozenset({expr.name})
            case Logic(operator="and"):
                return frozenset.intersection(*(self.never_false(part) for part in expr.parts))
            case Logic():
                return _NONE.union(*(self.never_false(part) for part in expr.parts))
            case Not(condition=NullTest(negated=True, name=name)):
                return frozenset({name})
            case _:
                return self.certain(expr)
