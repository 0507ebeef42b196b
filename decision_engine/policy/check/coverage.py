"""
Value tables about one field must have a row for every value.

Conditions against literals are constant between the literals, so trying each literal, its
neighbours and the points between them tries every case: no interval algebra to get wrong.
"""

from collections.abc import Iterable
from decimal import Decimal
from itertools import pairwise
from typing import Final

from decision_engine.policy.closures import Facts, closure
from decision_engine.policy.document import ValueRow, ValueTable
from decision_engine.policy.findings import Notes
from decision_engine.policy.layout import Layout
from decision_engine.policy.schema import Field
from decision_engine.policy.syntax import (
    Call,
    Compare,
    Expr,
    Listing,
    Literal,
    Member,
    Ref,
    Within,
    names_in,
    nodes_in,
)
from decision_engine.policy.table_index import row_finder
from decision_engine.policy.values import EXACT, QUANTA, Value, plain, rounded

_PLAIN: Final = (Ref, Literal)
_TESTS: Final = (Compare, Member, Within)


def check_coverage(node: ValueTable, fields: dict[str, Field], notes: Notes) -> None:
    """Note an example that finds no row, and an example that finds two different ones."""
    conditions = [row.condition for row in node.rows]
    names = frozenset().union(*(names_in(condition) for condition in conditions))
    if not names:
        if not any(not row.cells for row in node.rows):
            notes.warn("the table reads no field and has no row for everything")
        return
    if len(names) > 1 or not all(map(_simple, conditions)):
        return
    made = fields[next(iter(names))]
    examples = _examples(made, conditions)
    rows = _rows_of(examples, made, node.rows)
    _note_gap(made, rows, notes)
    _note_overlap(made, rows, node, notes)


def _simple(condition: Expr) -> bool:
    """Tell whether literals are compared with the field itself, not with what is made of it."""
    if any(isinstance(node, Call | Listing) for node in nodes_in(condition)):
        return False
    return all(
        isinstance(part, _PLAIN)
        for node in nodes_in(condition)
        if isinstance(node, _TESTS)
        for part in node.parts
    )


def _examples(made: Field, conditions: Iterable[Expr]) -> list[Value]:
    if made.kind == "boolean":
        return [True, False]
    literals = {
        node.value
        for condition in conditions
        for node in nodes_in(condition)
        if isinstance(node, Literal)
    }
    if made.kind == "string":
        return list(made.enum) or [*sorted(map(str, literals)), "(any other text)"]
    numbers = {value for value in literals if isinstance(value, Decimal)}
    return _numbers(made, numbers)


def _numbers(made: Field, literals: set[Decimal]) -> list[Value]:
    ends = (end for end in (made.minimum, made.maximum) if end is not None)
    points = sorted({*literals, *ends})
    if made.scale is not None:
        points = [rounded(point, made.scale) for point in points]
    step = QUANTA[made.scale or 0]
    found = set(points)
    found.update(EXACT.add(point, step) for point in points)
    found.update(EXACT.subtract(point, step) for point in points)
    if made.scale is None:
        found.update(_middle(one, two) for one, two in pairwise(points))
    read = made.reader()
    return [value for value in sorted(found) if read(value) is not None]


def _middle(one: Decimal, two: Decimal) -> Decimal:
    return EXACT.multiply(EXACT.add(one, two), Decimal("0.5"))


def _rows_of(
    examples: list[Value], made: Field, rows: tuple[ValueRow, ...]
) -> list[tuple[Value, list[int]]]:
    """Return each example with the first rows that it finds: two that have cells are enough."""
    layout = Layout()
    layout.add(made.name, frozenset())
    conditions = [row.condition for row in rows]
    tests = [closure(condition, layout) for condition in conditions]
    everything = range(len(rows))
    find = row_finder(conditions, layout, first=False) or (lambda _: everything)
    result = []
    for example in examples:
        facts: Facts = [example]
        true = (i for i in find(facts) if tests[i](facts) is True)
        result.append((example, _first_two(true, rows)))
    return result


def _first_two(true: Iterable[int], rows: tuple[ValueRow, ...]) -> list[int]:
    found: list[int] = []
    for index in true:
        found.append(index)
        if sum(1 for i in found if rows[i].cells) == 2:  # noqa: PLR2004
            break
    return found


def _note_gap(made: Field, rows: list[tuple[Value, list[int]]], notes: Notes) -> None:
    for example, found in rows:
        if not found:
            notes.error(f"no row for {made.name} = {plain(example, made.scale)}")
            return


def _note_overlap(
    made: Field, rows: list[tuple[Value, list[int]]], node: ValueTable, notes: Notes
) -> None:
    unique = node.hit_policy == "unique"
    seen: set[tuple[int, int]] = set()
    for example, found in rows:
        pair = tuple(index for index in found if unique or node.rows[index].cells)[:2]
        if len(pair) < 2 or pair in seen:  # noqa: PLR2004
            continue
        first, second = node.rows[pair[0]], node.rows[pair[1]]
        seen.add((pair[0], pair[1]))
        place, text = notes.at(row=second.id), f"{made.name} = {plain(example, made.scale)}"
        if unique:
            place.error(f'overlaps row "{first.id}" at {text}: only one row may be true')
        elif first.outputs != second.outputs and first.priority == second.priority:
            place.warn(f'overlaps row "{first.id}" at {text}; the first wins')
