"""A policy as typed nodes: what `parse` makes and everything else reads."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from decision_engine.policy.findings import Finding
from decision_engine.policy.schema import Field
from decision_engine.policy.syntax import Expr, conjunction

Effect = Literal["decline", "refer", "reduce"]
OnMissing = Literal["refer", "decline", "no_hit_if_missing"]
HitPolicy = Literal["first", "collect", "unique", "priority"]
SwitchPolicy = Literal["first", "collect"]
Direction = Literal["higher_is_better", "lower_is_better"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """The document's own fields, from `x-policy`."""

    id: str = ""
    version: int = 0
    product: str = ""
    title: tuple[str, str] = ("", "")
    owner: str = ""
    description: str = ""
    monotone: tuple[tuple[str, Direction], ...] = ()


class Edge(NamedTuple):
    """From a node to one that comes after it; `handle` is the statement that leaves a switch."""

    source: str
    target: str
    handle: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """
    What every node has; ids and names are unique in a document.

    A node that does not pass on what was there before hides it from the nodes behind it.
    """

    id: str
    name: str
    passes: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class InputNode(Node):
    """Where the inputs and their types are declared."""

    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputNode(Node):
    """Where every path ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """One key of an expression node, by its full dotted name."""

    name: str
    value: Expr


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpressionNode(Node):
    """Expressions in order."""

    assignments: tuple[Assignment, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column of conditions: about `subject`, or full conditions when it is None."""

    id: str
    label: str
    subject: Expr | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A condition in a row; empty cells are not kept."""

    column: Column
    text: str
    condition: Expr


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """The conditions of a row, joined by `and`."""

    id: str
    description: str
    cells: tuple[Cell, ...]

    @property
    def condition(self) -> Expr:
        """The whole row as one condition."""
        return conjunction(tuple(cell.condition for cell in self.cells))


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule(Row):
    """A row with a reason code and what a hit does."""

    code: str
    effect: Effect
    on_missing: OnMissing


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleTable(Node):
    """Every row is a rule and gets a result of its own."""

    columns: tuple[Column, ...]
    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueRow(Row):
    """A row with one output expression for each output; of two, the smaller `priority` wins."""

    outputs: tuple[Expr, ...]
    priority: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueTable(Node):
    """
    One true row gives all outputs: which one, the hit policy says.

    By `collect` every true row counts. The one output is then a list, and the one output of each
    row the object that it adds.
    """

    columns: tuple[Column, ...]
    outputs: tuple[str, ...]
    rows: tuple[ValueRow, ...]
    hit_policy: HitPolicy = "first"

    @property
    def searched(self) -> tuple[ValueRow, ...]:
        """
        The rows in the order in which they are tried.

        By `priority` the smallest number comes first, and of two the earlier row: then the first
        true row is the one that wins, and what is not evaluable before it hides it.
        """
        return tuple(sorted(self.rows, key=lambda row: row.priority))


@dataclass(frozen=True, slots=True, kw_only=True)
class ScorecardNode(Node):
    """
    A scorecard by its model's id; makes `path`.value, .raw and .pd.

    Inside a sub-decision `names` takes each name that its attributes may have to the one outside.
    """

    model: str
    path: str
    names: Mapping[str, str] | None = None

    def name_of(self, attribute: str) -> str:
        """Return the dotted name that an attribute of the model reads, or one that nobody makes."""
        if self.names is None:
            return attribute
        return self.names.get(attribute, f"{self.id}/{attribute}")


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionNode(Node):
    """A call of the host: named arguments in, declared outputs out (full dotted names)."""

    function: str
    arguments: tuple[tuple[str, Expr], ...]
    outputs: tuple[Field, ...]
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchNode(Node):
    """Statements, each the way to a branch; one without a cell is true for everything."""

    statements: tuple[Row, ...]
    hit_policy: SwitchPolicy

    @property
    def others(self) -> frozenset[str]:
        """The statements that hold for everything."""
        return frozenset(row.id for row in self.statements if not row.cells)

    @property
    def decides(self) -> bool:
        """Whether exactly one statement is taken, always."""
        return self.hit_policy == "first" and bool(self.others)


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionNode(Node):
    """
    A sub-decision by its key; in a document that was read its nodes stand in its place.

    `path` goes before what it makes; `source` is the object that holds its inputs, empty where they
    are read from the same names outside.
    """

    key: str
    path: str
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class EnterNode(Node):
    """Where a sub-decision begins, and the inputs that it was written for."""

    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaveNode(Node):
    """
    Where a sub-decision ends; `enter` is the id of its beginning.

    One that is `apart` reads one object or writes under a path of its own: if it does not pass on
    what was there before, only what it made itself is left.
    """

    enter: str
    apart: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedNode(Node):
    """A node of a kind that this version does not run; the finding names it."""


AnyNode = (
    InputNode
    | OutputNode
    | ExpressionNode
    | RuleTable
    | ValueTable
    | ScorecardNode
    | FunctionNode
    | SwitchNode
    | DecisionNode
    | EnterNode
    | LeaveNode
    | RefusedNode
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyDocument:
    """A policy that was read; `findings` are the faults of its form, noted while reading."""

    hash: str
    header: Header = field(default_factory=Header)
    nodes: tuple[AnyNode, ...] = ()
    edges: tuple[Edge, ...] = ()
    findings: tuple[Finding, ...] = ()

    @property
    def inputs(self) -> tuple[Field, ...]:
        """The declared inputs."""
        return tuple(
            item for node in self.nodes if isinstance(node, InputNode) for item in node.fields
        )


def outputs_of(node: AnyNode) -> tuple[str, ...]:
    """Return the dotted names that a node makes, inputs included."""
    match node:
        case InputNode():
            return tuple(item.name for item in node.fields)
        case ExpressionNode():
            return tuple(item.name for item in node.assignments)
        case ValueTable():
            return node.outputs
        case ScorecardNode():
            return (f"{node.path}.value", f"{node.path}.raw", f"{node.path}.pd")
        case FunctionNode():
            return tuple(item.name for item in node.outputs)
        case _:
            return ()


def expressions_of(node: AnyNode) -> Iterator[tuple[str, str, Expr]]:
    """Yield (row, cell, expression) of everything that a node reads by an expression."""
    match node:
        case ExpressionNode():
            yield from (("", item.name, item.value) for item in node.assignments)
        case RuleTable():
            yield from _conditions(node.rules)
        case ValueTable():
            yield from _conditions(node.rows)
            for row in node.rows:
                named = zip(node.outputs, row.outputs, strict=True)
                yield from ((row.id, name, value) for name, value in named)
        case FunctionNode():
            yield from (("", name, value) for name, value in node.arguments)
        case SwitchNode():
            yield from _conditions(node.statements)
        case _:
            return


def _conditions(rows: tuple[Row, ...]) -> Iterator[tuple[str, str, Expr]]:
    for row in rows:
        yield from ((row.id, cell.column.label, cell.condition) for cell in row.cells)
