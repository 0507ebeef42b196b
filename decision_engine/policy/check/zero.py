"""
Division by what can be zero: then a value is missing that the policy meant to have.

A divisor is estimated as an exact range, by the schema, by what nodes before make, and by the
conditions that stand around the division: a ternary, an earlier part of the same `and` or `or`,
the other cells of its row, the rows of a `first` or `priority` table that come before.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from decision_engine.policy.check.estimate import NO_FACTS, Estimate, Facts, TooLargeError
from decision_engine.policy.check.ranges import Range, hull
from decision_engine.policy.document import (
    AnyNode,
    ExpressionNode,
    FunctionNode,
    Row,
    RuleTable,
    SwitchNode,
    ValueTable,
    expressions_of,
)
from decision_engine.policy.findings import Notes
from decision_engine.policy.graph import Ordered
from decision_engine.policy.render import text_of
from decision_engine.policy.schema import Field
from decision_engine.policy.syntax import (
    Arithmetic,
    Choice,
    Each,
    Expr,
    Literal,
    Logic,
    Quotient,
    nodes_in,
)

#: Of one node this many are shown; then one finding tells how many more.
_SHOWN: Final = 20


def check_zero(order: Ordered, fields: Mapping[str, Field], notes: Notes) -> None:
    """Warn of every divisor that the schema and the conditions around it let be zero."""
    check = _Check(fields)
    if not any(map(check.divides, order.nodes)):
        return
    for node in order.nodes:
        place = notes.at(node=node.id)
        try:
            found = list(dict.fromkeys(check.node(node)))
        except TooLargeError:
            place.warn("too large to check completely for division by zero; split the policy")
            return
        for row, cell, divisor in found[:_SHOWN]:
            text = text_of(divisor)
            place.at(row=row, cell=cell).warn(
                f"the divisor {text} can be zero: then the value is missing; test it before "
                f"({text} != 0), or let the schema exclude it (minimum, maximum)"
            )
        if more := len(found[_SHOWN:]):
            place.warn(f"{more} more divisors can be zero")


_Place = tuple[str, str, Expr]


class _Check:
    def __init__(self, fields: Mapping[str, Field]) -> None:
        self._estimate = Estimate(fields)
        self._clean: dict[int, bool] = {}

    def node(self, node: AnyNode) -> Iterator[_Place]:
        """Yield the places of a node, and keep what its values can be."""
        match node:
            case ExpressionNode():
                for item in node.assignments:
                    yield from self._in("", item.name, item.value, NO_FACTS)
                    self._make(item.name, self._estimate.of(item.value, NO_FACTS))
            case FunctionNode():
                for name, value in node.arguments:
                    yield from self._in("", name, value, NO_FACTS)
            case ValueTable():
                yield from self._value_table(node)
            case RuleTable() | SwitchNode() if self.divides(node):
                ordered = isinstance(node, SwitchNode) and node.hit_policy == "first"
                rows = node.rules if isinstance(node, RuleTable) else node.statements
                for row, facts in self._rows(rows, ordered=ordered):
                    yield from self._cells(row, facts)
            case _:
                return

    def _make(self, name: str, found: Range) -> None:
        before = self._estimate.made.get(name)
        self._estimate.made[name] = found if before is None else hull((before, found))

    def _value_table(self, node: ValueTable) -> Iterator[_Place]:
        if self.divides(node):
            yield from self._divided(node)
        for place, name in enumerate(node.outputs):
            if self._estimate.fields[name].kind == "number":
                values = dict.fromkeys(row.outputs[place] for row in node.rows)
                self._make(name, hull(self._estimate.of(value, NO_FACTS) for value in values))

    def _divided(self, node: ValueTable) -> Iterator[_Place]:
        rows = node.searched
        for (row, before), chosen in zip(
            self._rows(rows, ordered=node.hit_policy != "unique"), rows, strict=True
        ):
            yield from self._cells(row, before)
            facts = self._all_true(row, before)
            for name, value in zip(node.outputs, chosen.outputs, strict=True):
                yield from self._in(row.id, name, value, facts)

    def _rows(self, rows: tuple[Row, ...], *, ordered: bool) -> Iterator[tuple[Row, Facts]]:
        """Yield each row with what holds there: that the rows before it are false."""
        facts = NO_FACTS
        for row in rows:
            yield row, facts
            if ordered:
                facts = self._estimate.learn(row.condition, facts, truth=False)

    def _all_true(self, row: Row, facts: Facts) -> Facts:
        for cell in row.cells:
            facts = self._estimate.learn(cell.condition, facts, truth=True)
        return facts

    def _cells(self, row: Row, facts: Facts) -> Iterator[_Place]:
        for cell in row.cells:
            if not self._is_clean(cell.condition):
                others = facts
                for other in row.cells:
                    if other is not cell:
                        others = self._estimate.learn(other.condition, others, truth=True)
                yield from self._in(row.id, cell.column.label, cell.condition, others)

    def divides(self, node: AnyNode) -> bool:
        """Tell whether anything in a node is divided."""
        return not all(self._is_clean(expr) for _, _, expr in expressions_of(node))

    def _is_clean(self, expr: Expr) -> bool:
        """Tell whether an expression divides nothing; equal cells of a table are one tree."""
        if isinstance(expr, Literal):
            return True
        found = self._clean.get(id(expr))
        if found is None:
            found = not any(_divisor(node) for node in nodes_in(expr))
            self._clean[id(expr)] = found
        return found

    def _in(self, row: str, cell: str, expr: Expr, facts: Facts) -> Iterator[_Place]:
        if not self._is_clean(expr):
            yield from ((row, cell, divisor) for divisor in self._divisors(expr, facts))

    def _divisors(self, expr: Expr, facts: Facts) -> Iterator[Expr]:
        divisor = _divisor(expr)
        if divisor is not None and self._estimate.of(divisor, facts).has_zero:
            yield divisor
        match expr:
            case Choice():
                yield from self._divisors(expr.condition, facts)
                for side, truth in ((expr.yes, True), (expr.no, False)):
                    learned = self._estimate.learn(expr.condition, facts, truth=truth)
                    yield from self._divisors(side, learned)
            case Logic():
                # What follows only matters where what came before did not decide.
                for part in expr.conditions:
                    yield from self._divisors(part, facts)
                    facts = self._estimate.learn(part, facts, truth=expr.operator == "and")
            case Each():
                yield from self._divisors(expr.subject, facts)
                yield from self._divisors(expr.body, self._estimate.inside(expr, facts))
            case _:
                for part in expr.parts:
                    yield from self._divisors(part, facts)


def _divisor(expr: Expr) -> Expr | None:
    if isinstance(expr, Quotient):
        return expr.divisor
    return expr.right if isinstance(expr, Arithmetic) and expr.operator == "%" else None
