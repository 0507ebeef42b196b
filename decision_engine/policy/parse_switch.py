"""JDM switches to typed ones, and the edges that leave them."""

from collections import Counter
from collections.abc import Iterable
from typing import Any, Final, get_args

from decision_engine.policy.document import (
    AnyNode,
    Cell,
    Column,
    Edge,
    Row,
    SwitchNode,
    SwitchPolicy,
)
from decision_engine.policy.findings import Notes
from decision_engine.policy.limits import COLUMNS
from decision_engine.policy.shapes import ROW_ID, expression_of, objects_of, only
from decision_engine.policy.syntax import Literal

_COLUMN: Final = Column(id="condition", label="condition", subject=None)


def parse_switch(identity: str, name: str, content: dict[str, Any], notes: Notes) -> SwitchNode:
    """Return the switch; each statement is a row of at most one cell."""
    only(content, ("hitPolicy", "statements"), "a switch", notes)
    records = objects_of(content.get("statements"), "statements", notes)
    if not 1 <= len(records) <= COLUMNS:
        notes.error(f"a switch has 1 to {COLUMNS} statements")
        records = []
    statements = tuple(_statement(record, notes) for record in records)
    for statement, count in Counter(row.id for row in statements).items():
        if count > 1:
            notes.error(f'the statement id "{statement}" is used {count} times')
    policy = _policy(content, notes)
    if policy == "first":
        for row in statements[:-1]:
            if not row.cells:
                notes.at(row=row.id).error("the else of a switch by first is its last statement")
    return SwitchNode(id=identity, name=name, statements=statements, hit_policy=policy)


def _policy(content: dict[str, Any], notes: Notes) -> SwitchPolicy:
    found = content.get("hitPolicy")
    for policy in get_args(SwitchPolicy):
        if found == policy:
            return policy  # type: ignore[no-any-return]
    notes.error('the hitPolicy of a switch must be one of: "first", "collect"')
    return "first"


def _statement(record: dict[str, Any], notes: Notes) -> Row:
    identity = record.get("id")
    notes = notes.at(row=str(identity or ""))
    only(record, ("id", "condition", "isDefault"), "a statement", notes)
    if not isinstance(identity, str) or ROW_ID.fullmatch(identity) is None:
        notes.error("a statement needs an id: 1 to 64 letters, digits, dots, _ or -")
    source = record.get("condition")
    if record.get("isDefault") and source:
        notes.error("the statement for everything else has no condition")
    return Row(id=str(identity), description="", cells=_cells(source, notes.at(cell="condition")))


def _cells(source: Any, notes: Notes) -> tuple[Cell, ...]:
    if isinstance(source, str) and not source.strip():
        return ()
    condition = expression_of(source, notes) or Literal(value=False)
    return (Cell(column=_COLUMN, text=str(source), condition=condition),)


def check_handles(nodes: Iterable[AnyNode], edges: Iterable[Edge], notes: Notes) -> None:
    """Note edges whose handle is no statement of a switch, and statements without an edge."""
    switches = {node.id: node for node in nodes if isinstance(node, SwitchNode)}
    left: dict[str, set[str]] = {identity: set() for identity in switches}
    for edge in edges:
        if edge.source in switches:
            left[edge.source].add(edge.handle)
        elif edge.handle:
            notes.at(node=edge.source).error("only an edge that leaves a switch has a sourceHandle")
    for identity, switch in switches.items():
        statements = {row.id for row in switch.statements}
        place = notes.at(node=identity)
        for handle in sorted(left[identity] - statements):
            place.error(f'an edge leaves by "{handle}", which is no statement of this switch')
        for statement in sorted(statements - left[identity]):
            place.at(row=statement).error("no edge leaves this statement")
