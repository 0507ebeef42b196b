"""One policy ready for both engines, and what of it can be compared."""

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from functools import cached_property
from typing import Any

import zen

from decision_engine.policy.check.nodes import check_nodes
from decision_engine.policy.check.safety import check_safety
from decision_engine.policy.closures import Facts
from decision_engine.policy.compile import CompiledPolicy, build
from decision_engine.policy.document import (
    AnyNode,
    ExpressionNode,
    RuleTable,
    ScorecardNode,
    expressions_of,
    outputs_of,
)
from decision_engine.policy.findings import Notes, PolicyError, has_errors
from decision_engine.policy.graph import check_graph, ordered
from decision_engine.policy.parse import parse
from decision_engine.policy.scorecard import Scorecard
from decision_engine.policy.syntax import Expr, NullTest, Quotient, Rounded, names_in, walk
from tests.integration.policy.differential.coverage import Reached, watch
from tests.integration.policy.differential.inputs import Thresholds, thresholds_of
from tests.integration.policy.differential.translate import POLICY, Dialect, Json, for_zen, spelled

# With it, ZEN glues a stack trace to each error, at a cost of milliseconds.
os.environ.pop("RUST_BACKTRACE", None)


@dataclass(frozen=True, slots=True)
class Refusal:
    """ZEN gave no result: the node that failed, and why."""

    node: str
    reason: str


class Engine:
    """ZEN with one policy."""

    def __init__(self, documents: Mapping[str, Json]) -> None:
        self._engine = zen.ZenEngine({"loader": {"type": "static", "content": dict(documents)}})

    def ask(self, context: Mapping[str, Any]) -> Json | Refusal:
        """Return ZEN's result, or its refusal."""
        try:
            found: Json = self._engine.evaluate(POLICY, dict(context), {})["result"]
        except RuntimeError as error:
            return _refusal(str(error))
        return found


def _refusal(text: str) -> Refusal:
    said, _ = json.JSONDecoder().raw_decode(text)
    return Refusal(str(said.get("nodeId", "")), str(said.get("source", said)))


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that both engines say: a derived value by its name, or a rule by its id."""

    key: str
    node: AnyNode
    exprs: tuple[Expr, ...]
    reads: frozenset[str]
    null_tested: frozenset[str]
    path: tuple[str, ...]
    code: str = ""


class Prepared:
    """A policy compiled by us and translated for ZEN."""

    def __init__(self, document: Json, models: Mapping[str, Json], attempt: int = 0) -> None:
        self.document = document
        self.attempt = attempt
        self.models = models
        cards = {key: Scorecard.parse(_bytes(model)) for key, model in models.items()}
        self.ours: CompiledPolicy = compiled(_bytes(spelled(document, "ours")), cards)
        self.items = tuple(_items(self.ours, document))
        self.guarded = Engine(for_zen(document, models, "zen"))
        self.rounds = spelled(document, "zen") != spelled(document, "even")

    @cached_property
    def even(self) -> Engine:
        """ZEN, guarded, rounding half-even."""
        return Engine(for_zen(self.document, self.models, "even"))

    @cached_property
    def twice(self) -> CompiledPolicy:
        """Our policy, rounding a quotient to 28 digits before it rounds it again, as ZEN does."""
        return build(rounding_twice(self.ours.document), self.ours.models)

    @cached_property
    def open(self) -> Engine:
        """ZEN, rounding half-even, without the guard of the schema."""
        return Engine(for_zen(self.document, self.models, "even", open_schema=True))

    @cached_property
    def watch(self) -> Reached:
        """What records the features that an evaluation used."""
        return watch(self.ours)

    @cached_property
    def thresholds(self) -> Thresholds:
        """The numbers that inputs are compared with."""
        return thresholds_of(self.ours)

    @cached_property
    def reads(self) -> frozenset[str]:
        """The inputs that something reads."""
        return frozenset(item.name for item in self.ours.reads)

    def live(self, facts: Facts) -> tuple[tuple[Item, ...], frozenset[str]]:
        """Return the items of nodes that are, or may be, reached, and the keys of the others."""
        reached = [i for i in self.items if self.ours.flow.reach(i.node.id, facts) is not False]
        keys = {item.key for item in reached}
        absent = {item.key: item for item in self.items if item.key not in keys}
        return (*reached, *absent.values()), frozenset(absent)

    def completed(self, known: Mapping[str, str], dialect: Dialect = "even") -> Engine:
        """ZEN without the guard, with expressions in place of the named values."""
        return Engine(for_zen(self.document, self.models, dialect, known=known, open_schema=True))


def rounding_twice(value: Any) -> Any:
    """Return a document, or a part of it, in which every rounded quotient is rounded twice."""
    if isinstance(value, tuple):
        parts = [rounding_twice(item) for item in value]
        return type(value)(*parts) if hasattr(value, "_fields") else tuple(parts)
    if not is_dataclass(value) or isinstance(value, type):
        return value
    changed = {item.name: rounding_twice(getattr(value, item.name)) for item in fields(value)}
    made: Any = replace(value, **changed)
    if isinstance(made, Quotient) and made.digits is not None:
        return Rounded(replace(made, digits=None), made.digits)
    return made


def compiled(raw: bytes, models: Mapping[str, Scorecard]) -> CompiledPolicy:
    """
    Compile without a look at gaps and dead rows: what they mean when they run is compared too.

    Raises:
        PolicyError: what else stops publishing.
    """
    document = parse(raw)
    notes = Notes([*document.findings, *check_graph(document)])
    if not has_errors(notes.found):
        order = ordered(document)
        check_safety(order, check_nodes(order, models, notes).inputs, models, notes)
    if has_errors(notes.found):
        raise PolicyError(notes.found)
    return build(document, models)


def _bytes(value: Any) -> bytes:
    return json.dumps(value).encode()


def _items(policy: CompiledPolicy, document: Json) -> Iterator[Item]:
    paths = dict(_paths(document, document.get("x-decisions", {}), "", ()))
    for node in policy.nodes:
        if isinstance(node, RuleTable):
            path = paths[node.id]
            for rule in node.rules:
                yield _item(rule.id, node, (rule.condition,), path, rule.code)
        elif isinstance(node, ScorecardNode):
            yield from _scores(policy, node)
        else:
            yield from _values(policy, node)


def _paths(
    graph: Json, decisions: Mapping[str, Json], before: str, path: tuple[str, ...]
) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield where each node writes, sub-decisions in place."""
    for node in graph["nodes"]:
        own = node["content"].get("outputPath")
        place = (*path, *own.split(".")) if own else path
        identity = before + node["id"]
        yield identity, place
        if node["type"] == "decisionNode":
            inside = decisions[node["content"]["key"]]
            yield from _paths(inside, decisions, f"{identity}/", place)


def _values(policy: CompiledPolicy, node: AnyNode) -> Iterator[Item]:
    """Each key of an expression node reads for itself; other values share what their node reads."""
    if isinstance(node, ExpressionNode):
        for made in node.assignments:
            yield _item(made.name, node, (made.value,), tuple(made.name.split(".")))
        return
    exprs = tuple(expr for _, _, expr in expressions_of(node))
    for name in outputs_of(node):
        if name in policy.derived:
            yield _item(name, node, exprs, tuple(name.split(".")))


def _item(
    key: str, node: AnyNode, exprs: tuple[Expr, ...], path: tuple[str, ...], code: str = ""
) -> Item:
    reads = frozenset[str]().union(*(names_in(expr) for expr in exprs))
    tested = frozenset(
        part.name for expr in exprs for part, _ in walk(expr) if isinstance(part, NullTest)
    )
    return Item(key, node, exprs, reads, tested, path, code)


def _scores(policy: CompiledPolicy, node: ScorecardNode) -> Iterator[Item]:
    """A missing bin is a null test of its attribute."""
    attributes = policy.models[node.model].attributes
    reads = frozenset(item.name for item in attributes)
    tested = frozenset(item.name for item in attributes if item.missing_points is not None)
    for name in outputs_of(node):
        yield Item(name, node, (), reads, tested, tuple(name.split(".")))
