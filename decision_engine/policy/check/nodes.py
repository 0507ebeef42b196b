"""Each node's names and types, in the order of evaluation."""

from collections.abc import Mapping
from decimal import Decimal

from decision_engine.policy.check.enter import check_enter
from decision_engine.policy.check.kinds import kind_of, kind_of_value, need
from decision_engine.policy.check.scope import Names, Scope
from decision_engine.policy.document import (
    AnyNode,
    EnterNode,
    ExpressionNode,
    FunctionNode,
    InputNode,
    Row,
    RuleTable,
    ScorecardNode,
    SwitchNode,
    ValueRow,
    ValueTable,
    outputs_of,
)
from decision_engine.policy.findings import Notes
from decision_engine.policy.graph import Ordered
from decision_engine.policy.kinds import Kind, ListOf, wider
from decision_engine.policy.schema import Field
from decision_engine.policy.scorecard import Attribute, Scorecard
from decision_engine.policy.syntax import Expr, Literal, Ref

PD_SCALE = 6


def check_nodes(order: Ordered, models: Mapping[str, Scorecard], notes: Notes) -> Names:
    """Check every node's names and types; return all names with their types."""
    names = Names(order.branches)
    for node in order.nodes:
        scope = Scope(names, order.before[node.id], node.id, order.hidden[node.id])
        _check_node(node, scope, models, notes.at(node=node.id))
    return names


def _check_node(node: AnyNode, scope: Scope, models: Mapping[str, Scorecard], notes: Notes) -> None:
    match node:
        case InputNode():
            scope.names.inputs = frozenset(outputs_of(node))
            _add(node.fields, scope, notes)
        case ExpressionNode():
            _check_assignments(node, scope, notes)
        case RuleTable() | SwitchNode():
            rows = node.rules if isinstance(node, RuleTable) else node.statements
            _check_conditions(rows, scope, notes)
        case ValueTable():
            _check_conditions(node.rows, scope, notes)
            _add(_value_fields(node, scope, notes), scope, notes)
        case FunctionNode():
            _check_function(node, scope, notes)
        case EnterNode():
            check_enter(node, scope, notes)
        case ScorecardNode():
            _check_scorecard(node, scope, models, notes)
        case _:
            return


def _check_function(node: FunctionNode, scope: Scope, notes: Notes) -> None:
    for name, value in node.arguments:
        kind_of(value, scope, notes.at(cell=name))
    _add(node.outputs, scope, notes)


def _add(fields: tuple[Field, ...], scope: Scope, notes: Notes) -> None:
    for made in fields:
        scope.names.add(made, scope.node, notes.at(cell=made.name))


def _check_assignments(node: ExpressionNode, scope: Scope, notes: Notes) -> None:
    for item in node.assignments:
        kind = kind_of(item.value, scope, notes.at(cell=item.name))
        _add((_field(item.name, kind, (item.value,)),), scope, notes)


def _check_conditions(rows: tuple[Row, ...], scope: Scope, notes: Notes) -> None:
    clean: set[int] = set()
    for row in rows:
        for cell in row.cells:
            # Equal cells of a column are one tree: what is clean is clean in every row.
            tree = id(cell.condition)
            if tree not in clean:
                before = len(notes.found)
                place = notes.at(row=row.id, cell=cell.column.label)
                need("boolean", cell.condition, "a condition", scope, place)
                if len(notes.found) == before:
                    clean.add(tree)


def _value_fields(node: ValueTable, scope: Scope, notes: Notes) -> tuple[Field, ...]:
    columns = zip(*(row.outputs for row in node.rows), strict=True)
    return tuple(
        _field(name, _output_kind(node, name, values, scope, notes), values)
        for name, values in zip(node.outputs, columns, strict=True)
    )


def _output_kind(
    node: ValueTable, name: str, values: tuple[Expr, ...], scope: Scope, notes: Notes
) -> Kind | None:
    kind = _column_kind(name, node.rows, values, scope, notes)
    return ListOf(kind, len(node.rows)) if kind and node.hit_policy == "collect" else kind


def _column_kind(
    name: str, rows: tuple[ValueRow, ...], values: tuple[Expr, ...], scope: Scope, notes: Notes
) -> Kind | None:
    kind: Kind | None = None
    for row, value in zip(rows, values, strict=True):
        place = notes.at(row=row.id, cell=name)
        found = kind_of(value, scope, place)
        if kind and found and kind != found:
            place.error(f"the rows of an output have one type: found {kind} and {found}")
        kind = wider(kind, found) if kind and found else kind or found
    return kind


def _field(name: str, kind: Kind | None, values: tuple[Expr, ...]) -> Field:
    """A name made of literals alone knows its values: tables over it can be checked."""
    texts = [item.value for item in values if isinstance(item, Literal)]
    known = kind == "string" and len(texts) == len(values)
    enum = tuple(dict.fromkeys(str(text) for text in texts)) if known else ()
    return Field(name=name, kind=kind or "number", enum=enum)


def _check_scorecard(
    node: ScorecardNode, scope: Scope, models: Mapping[str, Scorecard], notes: Notes
) -> None:
    model = models.get(node.model)
    if model is None or model.id != node.model:
        notes.error(f'the scorecard "{node.model}" was not given')
        return
    for attribute in model.attributes:
        found = scope.find(Ref(node.name_of(attribute.name)), notes.at(row=attribute.name))
        _check_attribute(attribute, found, notes.at(row=attribute.name))
    _add(_score_fields(node, model), scope, notes)


def _score_fields(node: ScorecardNode, model: Scorecard) -> tuple[Field, ...]:
    value, raw, pd = outputs_of(node)
    low, high = Decimal(model.low), Decimal(model.high)
    return (
        Field(name=value, kind="number", scale=0, minimum=low, maximum=high),
        Field(name=raw, kind="number", scale=0),
        Field(name=pd, kind="number", scale=PD_SCALE, minimum=Decimal(0), maximum=Decimal(1)),
    )


def _check_attribute(attribute: Attribute, found: Field | None, notes: Notes) -> None:
    if found is None or (attribute.numeric and found.kind == "number"):
        return
    values = {value for item in attribute.bins for value in item.values}
    kinds = {kind_of_value(value) for value in values}
    if kinds != {found.kind}:
        notes.error(f'the bins of "{attribute.name}" do not fit a {found.kind}')
        return
    expected = {True, False} if found.kind == "boolean" else set(found.enum)
    if values != expected:
        notes.error(f'the bins of "{attribute.name}" must hold exactly its enum')
