"""A node of a sub-decision as a node of the document around it: other ids, other names."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from decision_engine.policy.document import (
    AnyNode,
    Assignment,
    Cell,
    Column,
    EnterNode,
    ExpressionNode,
    FunctionNode,
    InputNode,
    LeaveNode,
    OutputNode,
    Rule,
    RuleTable,
    ScorecardNode,
    SwitchNode,
    ValueTable,
)
from decision_engine.policy.syntax import Expr, NullTest, Ref


@dataclass(frozen=True, slots=True)
class Mover:
    """
    Moves nodes: `prefix` goes before ids and node names, `path` before what they make.

    `names` takes every name known inside to the one outside; `enter` is the id of the input inside.
    """

    prefix: str
    path: str
    names: Mapping[str, str]
    enter: str

    def node(self, node: AnyNode) -> AnyNode:
        """Return the node as it stands outside; inputs and outputs become its two ends."""
        identity, name = self.prefix + node.id, self.prefix + node.name
        match node:
            case InputNode():
                return EnterNode(id=identity, name=name, fields=node.fields)
            case OutputNode():
                return LeaveNode(id=identity, name=name, enter=self.prefix + self.enter)
            case EnterNode():
                inputs = tuple(replace(made, name=self._name(made.name)) for made in node.fields)
                return replace(node, id=identity, name=name, fields=inputs)
            case LeaveNode():
                return replace(node, id=identity, name=name, enter=self.prefix + node.enter)
            case _:
                return replace(self._content(node), id=identity, name=name)

    def _content(self, node: AnyNode) -> AnyNode:
        match node:
            case RuleTable():
                columns = tuple(map(self._column, node.columns))
                return replace(node, columns=columns, rules=tuple(map(self._rule, node.rules)))
            case ValueTable():
                return self._table(node)
            case SwitchNode():
                rows = (replace(row, cells=self._cells(row.cells)) for row in node.statements)
                return replace(node, statements=tuple(rows))
            case _:
                return self._computed(node)

    def _computed(self, node: AnyNode) -> AnyNode:
        match node:
            case ExpressionNode():
                return replace(node, assignments=tuple(map(self._assignment, node.assignments)))
            case ScorecardNode():
                known = {name: name for name in self.names} if node.names is None else node.names
                names = {inner: self._name(name) for inner, name in known.items()}
                return replace(node, path=self.path + node.path, names=names)
            case FunctionNode():
                return self._function(node)
            case _:
                return node

    def _function(self, node: FunctionNode) -> FunctionNode:
        return replace(
            node,
            arguments=tuple((key, self._expr(value)) for key, value in node.arguments),
            outputs=tuple(replace(made, name=self._name(made.name)) for made in node.outputs),
            path=self.path + node.path,
        )

    def _table(self, node: ValueTable) -> ValueTable:
        rows = (
            replace(row, cells=self._cells(row.cells), outputs=tuple(map(self._expr, row.outputs)))
            for row in node.rows
        )
        columns = tuple(map(self._column, node.columns))
        outputs = tuple(map(self._name, node.outputs))
        return replace(node, columns=columns, outputs=outputs, rows=tuple(rows))

    def _rule(self, rule: Rule) -> Rule:
        return replace(rule, id=self.prefix + rule.id, cells=self._cells(rule.cells))

    def _cells(self, cells: tuple[Cell, ...]) -> tuple[Cell, ...]:
        return tuple(
            replace(cell, column=self._column(cell.column), condition=self._expr(cell.condition))
            for cell in cells
        )

    def _column(self, column: Column) -> Column:
        subject = None if column.subject is None else self._expr(column.subject)
        return replace(column, subject=subject)

    def _assignment(self, item: Assignment) -> Assignment:
        return Assignment(name=self._name(item.name), value=self._expr(item.value))

    def _name(self, name: str) -> str:
        return self.names.get(name, name)

    def _expr(self, expr: Expr) -> Expr:
        return renamed(expr, self.names) if self.path else expr


def renamed(expr: Expr, names: Mapping[str, str]) -> Expr:
    """Return the expression over other names."""
    if isinstance(expr, Ref | NullTest):
        return replace(expr, name=names.get(expr.name, expr.name))
    changes = {item.name: _part(getattr(expr, item.name), names) for item in fields(expr)}
    return replace(expr, **changes)


def _part(value: Any, names: Mapping[str, str]) -> Any:
    """A tree or a tuple of trees; the rest of a node's fields holds no names."""
    if isinstance(value, tuple):
        return tuple(_part(item, names) for item in value)
    return renamed(value, names) if isinstance(value, Expr) else value
