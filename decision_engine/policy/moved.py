"""A node of a sub-decision as a node of the document around it: other ids, other names."""

from collections.abc import Mapping
from dataclasses import replace

from decision_engine.policy.document import (
    AnyNode,
    Assignment,
    DecisionNode,
    EnterNode,
    ExpressionNode,
    FunctionNode,
    InputNode,
    LeaveNode,
    OutputNode,
    Rule,
    RuleTable,
    ScorecardNode,
    ValueTable,
)
from decision_engine.policy.rewrite import replaced, with_expressions
from decision_engine.policy.schema import Field
from decision_engine.policy.syntax import Expr, NullTest, Ref


class Mover:
    """
    Moves the nodes of a decision to the place of the node that names it.

    Its id goes before ids and node names, its path before what they make. `known` are the names
    inside, true for those that are made there; `enter` is the id of the input inside.
    """

    def __init__(self, decision: DecisionNode, known: Mapping[str, bool], enter: str) -> None:
        self._prefix, self._path = f"{decision.id}/", f"{decision.path}." if decision.path else ""
        source = f"{decision.source}." if decision.source else ""
        self._names = {n: (self._path if made else source) + n for n, made in known.items()}
        self._stays = not self._path and not source
        self._enter = self._prefix + enter
        self._passes, self._apart = decision.passes, not self._stays

    def node(self, node: AnyNode) -> AnyNode:
        """Return the node as it stands outside; inputs and outputs become its two ends."""
        identity, name = self._prefix + node.id, self._prefix + node.name
        match node:
            case InputNode():
                return EnterNode(id=identity, name=name, fields=self._inputs(node.fields))
            case OutputNode():
                return LeaveNode(
                    id=identity,
                    name=name,
                    enter=self._enter,
                    passes=self._passes,
                    apart=self._apart,
                )
            case EnterNode():
                return replace(node, id=identity, name=name, fields=self._inputs(node.fields))
            case LeaveNode():
                return replace(node, id=identity, name=name, enter=self._prefix + node.enter)
            case _:
                return replace(self._content(node), id=identity, name=name)

    def _inputs(self, inputs: tuple[Field, ...]) -> tuple[Field, ...]:
        return tuple(replace(made, name=self._name(made.name)) for made in inputs)

    def _content(self, node: AnyNode) -> AnyNode:
        """Return the node with the names that it reads and makes as they are outside."""
        read = with_expressions(node, self._expr)
        match read:
            case RuleTable():
                return replace(read, rules=tuple(map(self._rule, read.rules)))
            case ValueTable():
                return replace(read, outputs=tuple(map(self._name, read.outputs)))
            case ExpressionNode():
                return replace(read, assignments=tuple(map(self._assignment, read.assignments)))
            case ScorecardNode():
                known = {name: name for name in self._names} if read.names is None else read.names
                names = {inner: self._name(name) for inner, name in known.items()}
                return replace(read, path=self._path + read.path, names=names)
            case FunctionNode():
                outputs = tuple(replace(made, name=self._name(made.name)) for made in read.outputs)
                return replace(read, outputs=outputs, path=self._path + read.path)
            case _:
                return read

    def _rule(self, rule: Rule) -> Rule:
        return replace(rule, id=self._prefix + rule.id)

    def _assignment(self, item: Assignment) -> Assignment:
        return replace(item, name=self._name(item.name))

    def _name(self, name: str) -> str:
        return self._names.get(name, name)

    def _expr(self, expr: Expr) -> Expr:
        return expr if self._stays else replaced(expr, self._renamed)

    def _renamed(self, name: Ref | NullTest) -> Expr:
        return replace(name, name=self._name(name.name))
