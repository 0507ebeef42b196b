"""A policy as a diff reads it: named texts, whatever the kind of node."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from decimal import Decimal
from typing import Any, Final

from decision_engine.policy import schema
from decision_engine.policy.document import (
    AnyNode,
    FunctionNode,
    Node,
    PolicyDocument,
    Row,
    RuleTable,
    ValueRow,
    ValueTable,
    expressions_of,
)
from decision_engine.policy.render import text_of
from decision_engine.policy.scorecard import Bin, Scorecard
from decision_engine.policy.syntax import Compare, Expr, Member, Ref, Within
from decision_engine.policy.values import plain

Texts = Mapping[str, str]
Field = Mapping[str, str]

#: Names of the language for what the code calls otherwise.
_NAMES: Final[Mapping[str, str]] = {
    "on_missing": "onMissing",
    "description": "_description",
    "max_age_days": "x-maxAgeDays",
    "scale": "x-scale",
    "family": "x-family",
    "label": "x-label",
    "kind": "type",
    "path": "outputPath",
}
#: What a node shows elsewhere: its place, and its outputs in each of its rows.
_NO_SETTING: Final = frozenset({"id", "name", "outputs"})


@dataclass(frozen=True, slots=True)
class CellView:
    """A condition as text, and what it is about when it is one comparison."""

    text: str
    subject: str


@dataclass(frozen=True, slots=True)
class RowView:
    """A row of a table; cells and outputs by the names of their columns."""

    id: str
    settings: Texts
    cells: Mapping[str, CellView]
    outputs: Texts

    @property
    def content(self) -> tuple[object, ...]:
        """Everything but the id, to find a row again that was given another."""
        cells = tuple((name, cell.text) for name, cell in self.cells.items())
        return (*sorted(self.settings.items()), *cells, *self.outputs.items())

    @property
    def title(self) -> str:
        """The row in one line."""
        conditions = " and ".join(cell.text for cell in self.cells.values()) or "always"
        said = {**self.settings, **self.outputs}
        results = ", ".join(f"{name} {text}" for name, text in said.items() if name[0] != "_")
        return f"{self.id} ({conditions} -> {results})"


@dataclass(frozen=True, slots=True)
class NodeView:
    """A node: its own settings, declared fields, single expressions by name, and rows."""

    id: str
    name: str
    kind: str
    settings: Texts
    fields: Mapping[str, Field]
    lines: Texts
    rows: tuple[RowView, ...]

    @property
    def title(self) -> str:
        """The node in one line."""
        return f'"{self.name}" ({self.kind})'


@dataclass(frozen=True, slots=True)
class View:
    """A whole policy; `edges` are ids, and whatever else tells two edges apart."""

    header: Texts
    inputs: Mapping[str, Field]
    nodes: tuple[NodeView, ...]
    edges: tuple[tuple[str, ...], ...]

    def edge_text(self, edge: tuple[str, ...]) -> str:
        """Return an edge by the names of its nodes."""
        names = {node.id: node.name for node in self.nodes}
        source, target = (f'"{names.get(end, end)}"' for end in edge[:2])
        handle = [f"({part})" for part in edge[2:] if part]
        return " ".join((source, "->", target, *handle))


def view_of(document: PolicyDocument) -> View:
    """Return the view of a document, with or without faults."""
    return View(
        header=dict(_scalars(document.header)),
        inputs=_by_name(document.inputs),
        nodes=tuple(_node(node) for node in document.nodes),
        edges=document.edges,
    )


def model_texts(model: Scorecard) -> Texts:
    """Return what a scorecard says, as named texts."""
    texts = {name: text for name, text in _scalars(model) if name not in {"id", "hash"}}
    texts |= dict(_scalars(model.scale))
    for item in model.attributes:
        own = {name: text for name, text in _scalars(item) if name != "name"}
        bins = ", ".join(map(_bin, item.bins))
        texts |= {f"{item.name} {name}": text for name, text in (own | {"bins": bins}).items()}
    return texts


def _bin(item: Bin) -> str:
    if item.values:
        return f"{' or '.join(map(plain, item.values))}: {item.points}"
    low, high = ("" if end is None else plain(end) for end in (item.low, item.high))
    return f"[{low}..{high}): {item.points}"


def _node(node: AnyNode) -> NodeView:
    rows, names = _rows(node)
    known = {row.id for row in rows}
    lines = (line for line in expressions_of(node) if line[0] not in known)
    return NodeView(
        id=node.id,
        name=node.name,
        kind=_kind(node),
        settings={name: text for name, text in _scalars(node) if text and name not in _NO_SETTING},
        fields=_by_name(node.outputs) if isinstance(node, FunctionNode) else {},
        lines={f"{row} {cell}".strip(): text_of(expr) for row, cell, expr in lines},
        rows=tuple(_row(row, names, _hidden(node)) for row in rows),
    )


def _kind(node: Node) -> str:
    """Return the kind in words: `rule table`."""
    name = type(node).__name__.removesuffix("Node")
    return "".join(f" {sign.lower()}" if sign.isupper() else sign for sign in name).strip()


def _rows(node: AnyNode) -> tuple[tuple[Row, ...], tuple[str, ...]]:
    """Return the rows of a table and the names of their outputs."""
    match node:
        case RuleTable():
            return node.rules, ()
        case ValueTable():
            return node.rows, node.outputs
        case _:
            return (), ()


def _hidden(node: AnyNode) -> frozenset[str]:
    """Return what a row of this table has without having been given it."""
    numbered = isinstance(node, ValueTable) and node.hit_policy == "priority"
    return frozenset({"id"} if numbered else {"id", "priority"})


def _row(row: Row, names: tuple[str, ...], hidden: frozenset[str]) -> RowView:
    outputs = row.outputs if isinstance(row, ValueRow) else ()
    return RowView(
        id=row.id,
        settings={name: text for name, text in _scalars(row) if text and name not in hidden},
        cells=_cells(row),
        outputs={name: text_of(expr) for name, expr in zip(names, outputs, strict=True)},
    )


def _cells(row: Row) -> dict[str, CellView]:
    """Two columns may have one label: the second is told apart by its id."""
    cells: dict[str, CellView] = {}
    for cell in row.cells:
        label = cell.column.label
        name = f"{label} [{cell.column.id}]" if label in cells else label
        cells[name] = CellView(text_of(cell.condition), _subject(cell.condition))
    return cells


def _subject(expr: Expr) -> str:
    """Return the text with which a single comparison begins."""
    match expr:
        case Compare(left=Ref() as subject) | Member(subject=Ref() as subject):
            return subject.name
        case Within(subject=Ref() as subject):
            return subject.name
        case _:
            return ""


def _by_name(declared: Iterable[schema.Field]) -> dict[str, Field]:
    found: dict[str, Field] = {}
    for item in declared:
        settings = ((name, text) for name, text in _scalars(item) if name != "name")
        found[item.name] = {name: text for name, text in settings if text}
    return found


def _scalars(record: Any) -> Iterator[tuple[str, str]]:
    """Yield the plain settings of a part of a policy by the names of the language."""
    for item in (item for item in fields(record) if not item.name.startswith("_")):
        text = _scalar(getattr(record, item.name))
        if text is not None:
            yield _NAMES.get(item.name, item.name), text


def _scalar(value: object) -> str | None:
    """Return the text of a setting, empty when it is not set; None for what is none."""
    if value is None or isinstance(value, str):
        return value or ""
    if isinstance(value, bool | Decimal):
        return plain(value)
    if isinstance(value, int):
        return str(value)
    return _several(value) if isinstance(value, tuple) else None


def _several(value: tuple[object, ...]) -> str | None:
    """Return texts, or pairs of texts, in one line; one text where all are the same."""
    if all(isinstance(item, str) for item in value):
        return " / ".join(dict.fromkeys(map(str, value)))
    if all(isinstance(item, tuple) and len(item) == 2 for item in value):  # noqa: PLR2004 - pairs
        return _pairs(value)
    return None


def _pairs(value: tuple[Any, ...]) -> str | None:
    texts = all(isinstance(part, str) for item in value for part in item)
    return ", ".join(f"{name} {text}" for name, text in value) if texts else None
