"""
Where the nodes of a policy with switches are reached, as conditions, and what no condition covers.

A node's reach is the condition that one of the statements that lead to it is taken. It is true or
false where every name has a value; where one is missing the node fails closed (see `flow`).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from decision_engine.policy.branches import Gate
from decision_engine.policy.check.axes import Side
from decision_engine.policy.check.coverage import example
from decision_engine.policy.check.regions import Box, Space, Truth
from decision_engine.policy.check.sweep import search
from decision_engine.policy.document import Cell, Column, Row, Rule, RuleTable, SwitchNode
from decision_engine.policy.graph import Ordered
from decision_engine.policy.schema import Field
from decision_engine.policy.syntax import (
    Choice,
    Compare,
    Each,
    Expr,
    Literal,
    Logic,
    Not,
    Ref,
    conjunction,
    names_in,
    nodes_in,
)

#: A reach of more parts, or behind more switches, is not looked into.
_MOST_PARTS: Final = 2_000
_MOST_DEPTH: Final = 20
#: Parts of conditions, boxes and steps of searches, over all that is asked of a policy.
_MOST_STEPS: Final = 1_000_000
ALWAYS: Final = Literal(value=True)
NEVER: Final = Literal(value=False)
#: A condition of which nothing is known: regions have no literal to cut it at.
_UNKNOWN: Final = Compare("==", Ref(""), Ref(""))


class Ways:
    """The reaches of all nodes, and what a list of conditions leaves open."""

    def __init__(self, order: Ordered, fields: Mapping[str, Field]) -> None:
        self.gates: Mapping[str, Gate] = order.branches.gates
        self.switches = [node for node in order.nodes if isinstance(node, SwitchNode)]
        self.tables = [node for node in order.nodes if isinstance(node, RuleTable)]
        self._fields = fields
        self._by_id = {node.id: node for node in self.switches}
        self._reaches: dict[str, tuple[Expr, int]] = {}
        self._spaces: dict[str, Space] = {}
        self._steps = 0

    @property
    def gave_up(self) -> bool:
        """Whether there was more to look into than `_MOST_STEPS`: then nothing more is found."""
        return self._steps > _MOST_STEPS

    def reach(self, node: str) -> Expr:
        """Return the condition under which a node is reached."""
        return self._reach(node)[0]

    def together(self, node: str, makers: Iterable[str]) -> bool:
        """Tell whether all makers are reached whenever the node is, because their gate is its."""
        return all(self.gates.get(maker) == self.gates.get(node) for maker in makers)

    def holes(self) -> Iterator[Expr]:
        """Yield, for each switch that may take nothing though it should, where it does so."""
        for switch in self.switches:
            if switch.hit_policy == "first" and not switch.decides:
                truths = (row.condition for row in switch.statements)
                yield conjunction((self.reach(switch.id), *map(Not, truths)))

    def hits(self, *effects: str) -> Iterator[Expr]:
        """Yield where each rule of one of these effects hits."""
        for table in self.tables:
            reach = self.reach(table.id)
            for rule in table.rules:
                if rule.effect in effects:
                    yield conjunction((reach, rule.condition))

    def uncovered(self, conditions: Iterable[Expr]) -> str | None:
        """
        Return an example of a case in which no condition is true, as text.

        Empty where it is not known whether there is one; None where there is none.
        """
        listed = list(conditions)
        self._steps += sum(len(nodes_in(condition)) for condition in listed)
        if self.gave_up:
            return None
        rows = [_row(str(place), (_cell(str(place), it),)) for place, it in enumerate(listed)]
        space = Space(rows, self._fields)
        boxes = space.boxes(rows)
        found = search(space.sizes, boxes, range(len(rows)))
        self._steps += len(boxes) + found.steps
        if found.gap is not None:
            return example(space, found.gap) or "any input"
        return "" if found.doubt or not found.complete else None

    def space(self, table: RuleTable) -> Space:
        """Return the space of a table's rules, made once: large ones take their time."""
        found = self._spaces.get(table.id)
        if found is None:
            found = self._spaces[table.id] = Space(table.rules, self._fields)
        return found

    def cover(self, rules: Sequence[tuple[RuleTable, Rule]]) -> list[int]:
        """
        Return places of rules of which, in every case, one hits or cannot be evaluated.

        None at all when there are no such rules, or when it is not known.
        """
        alone = len(self.tables) == 1 and not self.gates
        rows = [rule if alone else self._reached(table, rule) for table, rule in rules]
        space = self.space(self.tables[0]) if alone else Space(rows, self._fields)
        if not all(space.sizes) or not _meets_corners(space, rows):
            return []
        # What only may be true closes nothing; where a rule tests for null, a missing name leaves
        # the others not evaluable, which is no way to be approved either.
        boxes = [
            Box(place, Truth.TRUE, part.sides)
            for place, row in enumerate(rows)
            for part in space.parts(row, loose=True)
            if part.exact
        ]
        found = search(space.sizes, boxes, [0] * len(rows))
        return sorted(found.reached) if found.complete and found.gap is None else []

    def _reached(self, table: RuleTable, rule: Rule) -> Row:
        """A rule's row, its columns told apart from those of other tables, behind its reach."""
        cells = [
            Cell(
                column=Column(id=f"{table.id}/{cell.column.id}", label="", subject=None),
                text=cell.text,
                condition=cell.condition,
            )
            for cell in rule.cells
        ]
        if table.id in self.gates:
            cells.append(_cell(f"{table.id}//", self.reach(table.id)))
        return _row(rule.id, tuple(cells))

    def _reach(self, node: str) -> tuple[Expr, int]:
        gate = self.gates.get(node)
        if gate is None:
            return ALWAYS, 0
        found = self._reaches.get(node)
        if found is None:
            found = self._reaches[node] = self._behind(gate)
        return found

    def _behind(self, gate: Gate) -> tuple[Expr, int]:
        depth = 0
        ways: list[Expr] = []
        for switch in sorted({handle.switch for handle in gate}):
            statements = {handle.statement for handle in gate if handle.switch == switch}
            before, deep = self._reach(switch)
            depth = max(depth, deep + 1)
            ways.append(conjunction((before, _taken(self._by_id[switch], statements))))
        found = disjunction(ways)
        if depth > _MOST_DEPTH or len(nodes_in(found)) > _MOST_PARTS:
            return _UNKNOWN, 0
        return found, depth


def _meets_corners(space: Space, rows: Sequence[Row]) -> bool:
    """Tell whether rows hold both ends of the space: most policies are let go here, at once."""
    sizes = space.sizes
    return all(
        _meets(space, rows, corner) for corner in ([0] * len(sizes), [size - 1 for size in sizes])
    )


def _meets(space: Space, rows: Sequence[Row], corner: Sequence[int]) -> bool:
    known: dict[tuple[str, str], bool] = {}

    def holds(cell: Cell) -> bool:
        key = (cell.column.id, cell.text)
        if key not in known:
            known[key] = any(
                all(_holds(side, corner[place]) for place, side in part.sides.items())
                for part in space.cell_parts(cell, loose=True)
                if part.exact
            )
        return known[key]

    return any(all(map(holds, row.cells)) for row in rows)


def _holds(side: Side, cell: int) -> bool:
    return any(low <= cell < high for low, high in side)


def known_without(expr: Expr, names: frozenset[str]) -> Expr:
    """Return where an expression has a value, at least, although these names have none."""
    if not names & names_in(expr):
        return ALWAYS
    match expr:
        case Logic() | Not():
            return disjunction([certain(expr, names, truth=truth) for truth in (True, False)])
        case Choice():
            return disjunction(
                [
                    conjunction(
                        (certain(expr.condition, names, truth=truth), known_without(side, names))
                    )
                    for side, truth in ((expr.yes, True), (expr.no, False))
                ]
            )
        case Ref() | Each():
            return NEVER
        case _:
            return conjunction(tuple(known_without(part, names) for part in expr.parts))


def certain(expr: Expr, names: frozenset[str], *, truth: bool) -> Expr:
    """Return where a condition is `truth`, at least, although these names have no value."""
    if isinstance(expr, Not):
        return certain(expr.condition, names, truth=not truth)
    if isinstance(expr, Logic):
        parts = [certain(part, names, truth=truth) for part in expr.conditions]
        joined = (expr.operator == "and") == truth
        return conjunction(tuple(parts)) if joined else disjunction(parts)
    if names & names_in(expr):
        return NEVER
    return expr if truth else Not(expr)


def disjunction(conditions: Sequence[Expr]) -> Expr:
    """Return one condition that is the `or` of all, of which there is at least one."""
    return conditions[0] if len(conditions) == 1 else Logic("or", tuple(conditions))


def _taken(switch: SwitchNode, statements: set[str]) -> Expr:
    """Return the condition that a switch takes one of these statements."""
    ways: list[Expr] = []
    before: list[Expr] = []
    for row in switch.statements:
        if row.id in statements:
            ways.append(conjunction((*before, row.condition)))
        if switch.hit_policy == "first":
            before.append(Not(row.condition))
    return disjunction(ways)


def _row(identity: str, cells: tuple[Cell, ...]) -> Row:
    return Row(id=identity, description="", cells=cells)


def _cell(column: str, condition: Expr) -> Cell:
    return Cell(column=Column(id=column, label="", subject=None), text="", condition=condition)
