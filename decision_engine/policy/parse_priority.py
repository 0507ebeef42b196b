"""The column `priority` of a value table: literal whole numbers, no value of the table."""

import re
from typing import Any, Final

from decision_engine.policy.document import HitPolicy
from decision_engine.policy.findings import Notes

_FIELD: Final = "priority"
_NUMBER: Final = re.compile(r"[0-9]{1,9}", re.ASCII)


def numbers_of(
    rows: list[dict[str, Any]], outputs: dict[str, str], policy: HitPolicy, notes: Notes
) -> tuple[int, ...]:
    """Return each row's number and take the column out of the outputs; 0 under other policies."""
    if policy != "priority":
        return (0,) * len(rows)
    column = outputs.pop(_FIELD, None)
    if column is None or not outputs:
        notes.error('the hitPolicy "priority" needs an output "priority" beside the others')
    return tuple(_number(row, column, notes) for row in rows)


def _number(row: dict[str, Any], column: str | None, notes: Notes) -> int:
    if column is None:
        return 0
    text = str(row.get(column, "")).strip()
    if _NUMBER.fullmatch(text):
        return int(text)
    notes.at(row=str(row.get("_id")), cell=_FIELD).error(
        "a priority is a literal whole number of 1 to 9 digits"
    )
    return 0
