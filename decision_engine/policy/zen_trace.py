"""
The trace in the shape of the ZEN engine, which the visual editor of JDM displays.

It shows what fired and the values on the way. What did not fire, and by how much, is in the full
trace (`trace`), which this one never replaces.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from decision_engine.policy import strict_json
from decision_engine.policy.closures import closure
from decision_engine.policy.compile import CompiledPolicy
from decision_engine.policy.document import (
    AnyNode,
    ExpressionNode,
    InputNode,
    OutputNode,
    RuleTable,
    SwitchNode,
    ValueTable,
    outputs_of,
)
from decision_engine.policy.evaluation import HIT
from decision_engine.policy.flow import handles_of
from decision_engine.policy.graph import ordered
from decision_engine.policy.run import Run
from decision_engine.policy.syntax import Expr
from decision_engine.policy.trace import deciding
from decision_engine.policy.values import Entry, Fact, Function, Missing, Value

Json = dict[str, Any]
#: Keys of a row that are no cells.
_ROW: Final = ("_id", "_description")


def zen_trace(
    raw: bytes,
    compiled: CompiledPolicy,
    inputs: Mapping[str, Value | None],
    functions: Mapping[str, Function],
) -> dict[str, Json]:
    """
    Return the trace by node id, each with its id, name, order, input, output and `traceData`.

    `raw` is the file that was compiled: texts of cells are shown as they stand there. Numbers are
    `Decimal`, what is missing is None, and `performance` is None, because nothing here has a clock.

    Raises:
        PermanentError: a function that the policy calls was not given.
    """
    document = strict_json.load(raw)
    contents = dict(_contents(document, document.get("x-decisions", {}), ""))
    run = compiled.settle(compiled.start(inputs, functions))
    given = {item.name: item.reader()(inputs.get(item.name)) for item in compiled.inputs}
    tracer = _Tracer(compiled, contents, run, given)
    return {node.id: tracer.node(order, node) for order, node in enumerate(compiled.nodes)}


class _Tracer:
    """Walks the nodes of one settled run."""

    def __init__(
        self,
        compiled: CompiledPolicy,
        contents: Mapping[str, Json],
        run: Run,
        given: Mapping[str, Value | None],
    ) -> None:
        self._compiled, self._contents, self._run, self._given = compiled, contents, run, given
        self._before = ordered(compiled.document).before
        self._first_rule: dict[str, int] = {}
        count = 0
        for node in compiled.nodes:
            if isinstance(node, RuleTable):
                self._first_rule[node.id] = count
                count += len(node.rules)

    def node(self, order: int, node: AnyNode) -> Json:
        seen = [n for n in self._compiled.nodes if n.id in self._before[node.id]]
        starts, ends = isinstance(node, InputNode), isinstance(node, OutputNode)
        return {
            "id": node.id,
            "name": node.name,
            "order": order,
            "input": None if starts else self._context(seen),
            "output": None if ends else self._context([*(seen if node.passes else ()), node]),
            "performance": None,
            "traceData": self._data(node),
        }

    def _data(self, node: AnyNode) -> Any:
        content = self._contents.get(node.id, {})
        match node:
            case ExpressionNode():
                return self._computed(node, content)
            case RuleTable():
                return [self._row(node, index) for index in self._hits(node)]
            case ValueTable(hit_policy="collect"):
                true = [name for name, truth in self._truths(node) if truth is True]
                return [self._row(node, self._place(node, name)) for name in true]
            case ValueTable():
                found = self._winner(node)
                return None if found is None else self._row(node, self._place(node, found))
            case SwitchNode():
                facts, places = self._run.facts, self._compiled.layout.places
                rows = zip(handles_of(node), node.statements, strict=True)
                taken = [row.id for place, row in rows if facts[places[place]] is True]
                return {"statements": [{"id": name} for name in taken]}
            case _:
                return None

    def _computed(self, node: ExpressionNode, content: Json) -> Any:
        if content.get("executionMode") == "loop":
            listed: Any = self._value(content["outputPath"])
            return listed and [_results(item) for item in listed]
        prefix = f"{path}." if (path := content.get("outputPath")) else ""
        return {
            name.removeprefix(prefix): {"result": self._value(name)} for name in outputs_of(node)
        }

    def _hits(self, node: RuleTable) -> list[int]:
        first = self._first_rule[node.id]
        codes = self._run.codes[first : first + len(node.rules)]
        return [index for index, code in enumerate(codes) if code == HIT]

    def _truths(self, node: ValueTable) -> list[tuple[str, Fact]]:
        """Return the truth of every row by its id, in the order of the search."""
        if self._compiled.flow.reach(node.id, self._run.facts) is not True:
            return []
        plans = self._compiled.plans[node.id]
        return [(plan.row.id, plan.holds(self._run.facts)) for plan in plans]

    def _winner(self, node: ValueTable) -> str | None:
        """Return the row that gave the outputs; none when there is no answer."""
        truths = self._truths(node)
        found = deciding(node, (truth for _, truth in truths))
        return truths[found[0]][0] if found and found[1] == "hit" else None

    def _place(self, node: ValueTable, identity: str) -> int:
        return [row.id for row in node.rows].index(identity)

    def _row(self, node: RuleTable | ValueTable, index: int) -> Json:
        content = self._contents[node.id]
        row = content["rules"][index]
        fields = {column["id"]: column.get("field") for column in content["inputs"]}
        cells, references = {}, {}
        for column in node.columns:
            if column.subject is not None:
                field = fields[column.id]
                cells[f"{field}[{column.id}]"] = row.get(column.id, "")
                references[field] = self._evaluated(column.subject)
        own = {name: row[name] for name in _ROW if name in row}
        return {"index": index, "reference_map": references, "rule": own | cells}

    def _evaluated(self, expr: Expr) -> Value | None:
        return _shown(closure(expr, self._compiled.layout)(self._run.facts))

    def _value(self, name: str) -> Value | None:
        place = self._compiled.layout.places.get(name)
        return self._given[name] if place is None else _shown(self._run.facts[place])

    def _context(self, nodes: Iterable[AnyNode]) -> Json:
        """Return what a node sees: the inputs and values of the nodes given, nested by name."""
        context: Json = {}
        for node in nodes:
            for name in outputs_of(node):
                _put(context, name, self._value(name))
            if isinstance(node, RuleTable):
                self._put_results(context, node)
        return context

    def _put_results(self, context: Json, node: RuleTable) -> None:
        content = self._contents[node.id]
        rows = [content["rules"][index] for index in self._hits(node)]
        fields = [(column["id"], column["field"]) for column in content["outputs"]]
        results = [
            # Codes and effects are texts in quotes, nothing else (see `parse_tables`).
            {field: text[1:-1] for key, field in fields if (text := row.get(key, "").strip())}
            for row in rows
        ]
        if path := content.get("outputPath"):
            _put(context, path, results)


def _contents(graph: Json, decisions: Json, prefix: str) -> Iterator[tuple[str, Json]]:
    """Yield the content of every node by its id, those of decisions behind the id of their node."""
    for node in graph["nodes"]:
        content = node.get("content", {})
        if node["type"] == "decisionNode":
            yield from _contents(decisions[content["key"]], decisions, f"{prefix}{node['id']}/")
        else:
            yield prefix + node["id"], content


def _put(context: Json, name: str, value: object) -> None:
    *parents, last = name.split(".")
    for part in parents:
        context = context.setdefault(part, {})
    context[last] = value


def _results(item: Entry) -> Json:
    return {name: {"result": value} for name, value in item.fields}


def _shown(fact: Fact) -> Value | None:
    return None if isinstance(fact, Missing) else fact
