"""Nodes and expressions with something else in the place of the names that they read."""

from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any, TypeVar

from decision_engine.policy.document import (
    AnyNode,
    Cell,
    Column,
    ExpressionNode,
    FunctionNode,
    Row,
    RuleTable,
    SwitchNode,
    ValueTable,
)
from decision_engine.policy.syntax import Expr, NullTest, Ref

Change = Callable[[Expr], Expr]
AnyRow = TypeVar("AnyRow", bound=Row)


def replaced(expr: Expr, change: Callable[[Ref | NullTest], Expr]) -> Expr:
    """Return the expression with every name changed."""
    if isinstance(expr, Ref | NullTest):
        return change(expr)
    changes = {item.name: _part(getattr(expr, item.name), change) for item in fields(expr)}
    return replace(expr, **changes)


def _part(value: Any, change: Callable[[Ref | NullTest], Expr]) -> Any:
    """A tree or a tuple of trees; the rest of a node's fields holds no names."""
    if isinstance(value, tuple):
        return tuple(_part(item, change) for item in value)
    return replaced(value, change) if isinstance(value, Expr) else value


def inside(source: str) -> Change:
    """Return the change that reads every name as a field of the object `source`."""

    def change(name: Ref | NullTest) -> Expr:
        own = isinstance(name, Ref) and name.local
        return name if own else replace(name, name=f"{source}.{name.name}")

    return lambda expr: replaced(expr, change)


def with_expressions(node: AnyNode, change: Change) -> AnyNode:
    """Return the node with all that it reads by an expression changed, its own names kept."""
    rows = _Rows(change)
    match node:
        case RuleTable():
            columns = tuple(map(rows.column, node.columns))
            return replace(node, columns=columns, rules=tuple(map(rows.row, node.rules)))
        case ValueTable():
            valued = (
                replace(rows.row(row), outputs=tuple(map(change, row.outputs))) for row in node.rows
            )
            return replace(node, columns=tuple(map(rows.column, node.columns)), rows=tuple(valued))
        case SwitchNode():
            return replace(node, statements=tuple(map(rows.row, node.statements)))
        case ExpressionNode():
            made = (replace(item, value=change(item.value)) for item in node.assignments)
            return replace(node, assignments=tuple(made))
        case FunctionNode():
            arguments = tuple((key, change(value)) for key, value in node.arguments)
            return replace(node, arguments=arguments)
        case _:
            return node


class _Rows:
    """Changes the cells of one node; equal cells stay one object, which big tables live on."""

    def __init__(self, change: Change) -> None:
        self._change = change
        self._cells: dict[int, Cell] = {}

    def row(self, row: AnyRow) -> AnyRow:
        return replace(row, cells=tuple(map(self._cell, row.cells)))

    def column(self, column: Column) -> Column:
        return replace(column, subject=column.subject and self._change(column.subject))

    def _cell(self, cell: Cell) -> Cell:
        found = self._cells.get(id(cell))
        if found is None:
            column, condition = self.column(cell.column), self._change(cell.condition)
            found = replace(cell, column=column, condition=condition)
            self._cells[id(cell)] = found
        return found
