"""Tables that collect: the outputs of a row become one object, the output a list of them."""

from dataclasses import replace

from decision_engine.policy.document import ValueTable
from decision_engine.policy.findings import Notes
from decision_engine.policy.limits import LIST_ITEMS
from decision_engine.policy.shapes import NAME
from decision_engine.policy.syntax import Made


def check_collecting(fields: tuple[str, ...], rows: int, prefix: str, notes: Notes) -> None:
    """Note what a list of objects cannot be made of."""
    if not prefix:
        notes.error("a table that collects needs an outputPath: the name of its list")
    if rows > LIST_ITEMS:
        notes.error(f"a table that collects has at most {LIST_ITEMS} rows")
    for name in fields:
        if NAME.fullmatch(name) is None:
            notes.error(f'"{name}" is no name of a field: letters, digits and _')


def collecting(table: ValueTable, fields: tuple[str, ...], prefix: str) -> ValueTable:
    """Return the table with its one output, `prefix` without the point at its end."""
    rows = (replace(row, outputs=(Made(fields, row.outputs),)) for row in table.rows)
    return replace(table, outputs=(prefix.rstrip("."),), rows=tuple(rows))
