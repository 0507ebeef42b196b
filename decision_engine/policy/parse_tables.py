"""JDM decision tables to rule tables and value tables."""

from collections import Counter
from dataclasses import replace
from typing import Any, Final, get_args

from decision_engine.policy.document import (
    AnyNode,
    Cell,
    Column,
    Effect,
    HitPolicy,
    OnMissing,
    Row,
    Rule,
    RuleTable,
    ValueRow,
    ValueTable,
)
from decision_engine.policy.findings import Notes
from decision_engine.policy.lexer import ExpressionError
from decision_engine.policy.limits import COLUMN_PARTS, COLUMNS, ROWS_PER_TABLE
from decision_engine.policy.node_options import options_of, refuse_loop
from decision_engine.policy.parse_collect import check_collecting, collecting
from decision_engine.policy.parse_priority import numbers_of
from decision_engine.policy.rewrite import inside, with_expressions
from decision_engine.policy.shapes import (
    LATER,
    ROW_ID,
    dotted,
    expression_of,
    objects_of,
    only,
    text_of,
)
from decision_engine.policy.syntax import Expr, Literal, walk
from decision_engine.policy.unary import parse_unary

_CONTENT: Final = (
    *("hitPolicy", "inputs", "outputs", "rules"),
    *("passThrough", "inputField", "outputPath", "executionMode"),
)
_COLUMN: Final = ("id", "name", "field", "type", "defaultValue")
_RULE_OUTPUTS: Final = frozenset({"code", "effect", "onMissing"})
_BROKEN: Final = Literal(value=False)

Record = dict[str, Any]


def parse_table(identity: str, name: str, content: Record, notes: Notes) -> AnyNode:
    """Return the table: a rule table when it has the outputs `code` and `effect`."""
    only(content, _CONTENT, "a decision table", notes)
    options = options_of(content, notes)
    refuse_loop(options, "a table", "let an expression node loop, with ? : for the rows", notes)
    table = replace(_table(identity, name, content, options.prefix, notes), passes=options.passes)
    return with_expressions(table, inside(options.source)) if options.source else table


def _table(
    identity: str, name: str, content: Record, prefix: str, notes: Notes
) -> RuleTable | ValueTable:
    columns = tuple(_column(record, notes) for record in _records(content, "inputs", notes))
    outputs = {
        text_of(record, "field", "an output", notes): str(record.get("id"))
        for record in _records(content, "outputs", notes)
    }
    _check_columns(columns, outputs, content, notes)
    rows = _rows(content, {*(column.id for column in columns), *outputs.values()}, notes)
    readers = tuple(map(_Reader, columns))
    if outputs.keys() & {"code", "effect"}:
        rules = _rules(rows, readers, outputs, notes)
        _check_rule_table(content, outputs, notes)
        return RuleTable(id=identity, name=name, columns=columns, rules=rules)
    policy = _value_hit_policy(content, notes)
    if policy == "collect":
        check_collecting(tuple(outputs), len(rows), prefix, notes)
    numbers = numbers_of(rows, outputs, policy, notes)
    table = ValueTable(
        id=identity,
        name=name,
        columns=columns,
        outputs=tuple(prefix + dotted(field, "an output", notes) for field in outputs),
        rows=tuple(
            _value_row(record, readers, outputs, number, notes)
            for record, number in zip(rows, numbers, strict=True)
        ),
        hit_policy=policy,
    )
    return collecting(table, tuple(outputs), prefix) if policy == "collect" else table


def _records(content: Record, key: str, notes: Notes) -> list[Record]:
    records = objects_of(content.get(key), key, notes)
    if len(records) > COLUMNS:
        notes.error(f"a table has at most {COLUMNS} columns")
        return []
    for record in records:
        only(record, _COLUMN, "a column", notes)
        text_of(record, "id", "a column", notes)
        if record.get("defaultValue") is not None:
            notes.error("a default value would hide missing data: defaultValue must be null")
    return records


def _column(record: Record, notes: Notes) -> Column:
    label = str(record.get("name") or record.get("field") or record.get("id"))
    source = record.get("field")
    subject = None if source in (None, "") else expression_of(source, notes.at(cell=label))
    if subject is not None and sum(1 for _ in walk(subject)) > COLUMN_PARTS:
        notes.at(cell=label).error(
            f"the field of a column has at most {COLUMN_PARTS} parts: name it in an expression node"
        )
        subject = Literal(value=False)
    return Column(id=str(record.get("id")), label=label, subject=subject)


def _check_columns(
    columns: tuple[Column, ...], outputs: dict[str, str], content: Record, notes: Notes
) -> None:
    ids = Counter([column.id for column in columns] + list(outputs.values()))
    for identity, count in ids.items():
        if count > 1:
            notes.error(f'the column id "{identity}" is used {count} times')
    if not outputs or len(outputs) < len(content.get("outputs") or ()):
        notes.error("a table needs at least one output, each with a field of its own")


def _rows(content: Record, known: set[str], notes: Notes) -> list[Record]:
    records = objects_of(content.get("rules"), "rules", notes)
    if not 1 <= len(records) <= ROWS_PER_TABLE:
        notes.error(f"a table has 1 to {ROWS_PER_TABLE} rows")
        return []
    counts = Counter(str(record.get("_id")) for record in records)
    for number, record in enumerate(records, 1):
        _check_row(record, number, counts, known, notes)
    return records


def _check_row(
    record: Record, number: int, counts: Counter[str], known: set[str], notes: Notes
) -> None:
    identity = record.get("_id")
    notes = notes.at(row=str(identity or number))
    if not isinstance(identity, str) or ROW_ID.fullmatch(identity) is None:
        notes.error("a row needs an _id: 1 to 64 letters, digits, dots, _ or -")
    elif counts[identity] > 1:
        notes.error(f'the row id "{identity}" is used {counts[identity]} times')
    only(record, {"_id", "_description", *known}, "a row", notes)
    for key, value in record.items():
        if not isinstance(value, str):
            notes.error(f'"{key}" of a row must be a text')


def _cells(record: Record, readers: "tuple[_Reader, ...]", notes: Notes) -> tuple[Cell, ...]:
    cells: list[Cell] = []
    for reader in readers:
        text = str(record.get(reader.column.id, "")).strip()
        if text:
            cells.append(reader.cell(text, str(record.get("_id")), notes))
    return tuple(cells)


class _Reader:
    """Reads the cells of one column; equal cells are one object, which big tables live on."""

    def __init__(self, column: Column) -> None:
        self.column = column
        self._read: dict[str, Cell] = {}

    def cell(self, text: str, row: str, notes: Notes) -> Cell:
        found = self._read.get(text)
        if found is None:
            condition = _condition(text, self.column, notes.at(row=row, cell=self.column.label))
            found = Cell(column=self.column, text=text, condition=condition)
            if condition is not _BROKEN:  # each faulty cell has its finding
                self._read[text] = found
        return found


def _condition(text: str, column: Column, notes: Notes) -> Expr:
    if column.subject is None:
        return expression_of(text, notes) or _BROKEN
    try:
        return parse_unary(text, column.subject)
    except ExpressionError as error:
        notes.error(f"syntax: {error.detail}")
        return _BROKEN


def _row(record: Record, readers: tuple[_Reader, ...], notes: Notes) -> Row:
    return Row(
        id=str(record.get("_id")),
        description=str(record.get("_description", "")),
        cells=_cells(record, readers, notes),
    )


def _value_row(
    record: Record,
    readers: tuple[_Reader, ...],
    outputs: dict[str, str],
    priority: int,
    notes: Notes,
) -> ValueRow:
    row = _row(record, readers, notes)
    values = (
        expression_of(record.get(identity), notes.at(row=row.id, cell=field)) or _BROKEN
        for field, identity in outputs.items()
    )
    return ValueRow(
        id=row.id,
        description=row.description,
        cells=row.cells,
        outputs=tuple(values),
        priority=priority,
    )


def _value_hit_policy(content: Record, notes: Notes) -> HitPolicy:
    found = content.get("hitPolicy")
    for policy in get_args(HitPolicy):
        if found == policy:
            return policy  # type: ignore[no-any-return]
    notes.error(_hit_policy(content, get_args(HitPolicy), "a value table"))
    return "first"


def _check_rule_table(content: Record, outputs: dict[str, str], notes: Notes) -> None:
    if content.get("hitPolicy") != "collect":
        notes.error(_hit_policy(content, ("collect",), "a rule table"))
    for name in sorted({"code", "effect"} - outputs.keys()):
        notes.error(f'a rule table needs the output "{name}"')
    for name in sorted(outputs.keys() - _RULE_OUTPUTS):
        notes.error(f'a rule table has no output "{name}": only code, effect and onMissing')
    if not content.get("outputPath"):
        notes.warn("a rule table needs an outputPath to keep ZEN's context whole")


def _hit_policy(content: Record, needed: tuple[str, ...], what: str) -> str:
    found = content.get("hitPolicy")
    if found in ("collect", *get_args(HitPolicy)):
        choice = "" if len(needed) == 1 else "one of: "
        return f"the hitPolicy of {what} must be {choice}{_quoted(needed)}"
    return f'the hitPolicy "{found}" {LATER}'


def _rules(
    rows: list[Record], readers: tuple[_Reader, ...], outputs: dict[str, str], notes: Notes
) -> tuple[Rule, ...]:
    return tuple(_rule(record, readers, outputs, notes) for record in rows)


def _rule(
    record: Record, readers: tuple[_Reader, ...], outputs: dict[str, str], notes: Notes
) -> Rule:
    row = _row(record, readers, notes)
    notes = notes.at(row=row.id)
    effect, on_missing = _output(record, outputs, "effect"), _output(record, outputs, "onMissing")
    return Rule(
        id=row.id,
        description=row.description,
        cells=row.cells,
        code=_code(_output(record, outputs, "code"), notes.at(cell="code")),
        effect=_effect(effect, notes.at(cell="effect")),
        on_missing=_on_missing(on_missing, notes.at(cell="onMissing")),
    )


def _output(record: Record, outputs: dict[str, str], field: str) -> str:
    return str(record.get(outputs.get(field, ""), "")).strip()


def _code(text: str, notes: Notes) -> str:
    code = _literal(text)
    if not code:
        notes.error('the reason code is missing: write a literal text like "R05" in quotes')
    return code


def _effect(text: str, notes: Notes) -> Effect:
    found = _literal(text)
    for effect in get_args(Effect):
        if found == effect:
            return effect  # type: ignore[no-any-return]
    notes.error(f"the effect must be one of: {_quoted(get_args(Effect))}")
    return "decline"


def _on_missing(text: str, notes: Notes) -> OnMissing:
    found = _literal(text)
    for choice in get_args(OnMissing):
        if found == choice:
            return choice  # type: ignore[no-any-return]
    if text:
        notes.error(f"onMissing must be one of: {_quoted(get_args(OnMissing))}")
    return "refer"


def _quoted(choices: tuple[str, ...]) -> str:
    return ", ".join(f'"{choice}"' for choice in choices)


def _literal(text: str) -> str:
    """Return what stands between quotes, or nothing: codes and effects are never computed."""
    if len(text) > 2 and text[0] == text[-1] and text[0] in "\"'":  # noqa: PLR2004
        inside = text[1:-1].strip()
        return "" if {'"', "'"} & set(inside) else inside
    return ""
