"""
A slow, obvious interpreter of policies: the oracle that the compiled engine must equal.

It walks the typed document, keeps numbers as fractions and knows nothing of closures, generated
code, places or prepared rows.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from itertools import product
from typing import Any

from decision_engine.policy import document as doc
from decision_engine.policy import syntax as tree
from decision_engine.policy.graph import ordered
from decision_engine.policy.scorecard import Scorecard
from decision_engine.policy.values import Entry
from tests.unit.policy.naive_operations import NoValueError, bin_of, operation


@dataclass(frozen=True)
class Unknown:
    names: frozenset[str]


Names = frozenset[str]


@dataclass
class World:
    """All facts, by name; `sources` are the inputs behind a name."""

    facts: dict[str, Any]
    sources: dict[str, Names]
    rules: dict[str, tuple[str, Names]] = field(default_factory=dict)
    uncovered: list[str] = field(default_factory=list)
    losses: list[tuple[str, int, int]] = field(default_factory=list)
    unasked: frozenset[str] = frozenset()


def interpret(
    policy: doc.PolicyDocument,
    models: Mapping[str, Scorecard],
    inputs: Mapping[str, Any],
    functions: Mapping[str, Any],
) -> World:
    world = World({}, {})
    for item in policy.inputs:
        value = inputs.get(item.name)
        unknown = Unknown(frozenset({item.name}))
        world.facts[item.name] = number(value) if whole(value) else unknown
        world.sources[item.name] = frozenset({item.name})
    flow = NaiveFlow(policy, world)
    nodes = ordered(policy).nodes
    for node in nodes:
        for name in doc.outputs_of(node):
            world.facts.setdefault(name, Unknown(frozenset()))
            world.sources.setdefault(name, frozenset())
    for node in nodes:
        learn_sources(node, flow, models)
    for node in nodes:
        flow.visit(node, lambda each: step(each, world, models, functions))
    world.unasked = flow.unasked(models)
    return world


def whole(value: Any) -> bool:
    """A list or object is there when all of it is."""
    if isinstance(value, dict):
        value = list(value.values())
    return all(map(whole, value)) if isinstance(value, list) else value is not None


def number(value: Any) -> Any:
    if isinstance(value, tuple | list):
        return [number(item) for item in value]
    if isinstance(value, Entry):
        return number(dict(value.fields))
    if isinstance(value, dict):
        return {name: number(item) for name, item in value.items()}
    return Fraction(value) if isinstance(value, Decimal) else value


def step(node: Any, world: World, models: Mapping[str, Scorecard], functions: Any) -> None:
    if isinstance(node, doc.ExpressionNode):
        for item in node.assignments:
            world.facts[item.name] = value_of(item.value, world)
    elif isinstance(node, doc.RuleTable):
        for rule in node.rules:
            world.rules[rule.id] = rule_result(rule, world)
    elif isinstance(node, doc.ValueTable):
        value_table(node, world)
    elif isinstance(node, doc.ScorecardNode):
        scorecard(node, models[node.model], world)
    elif isinstance(node, doc.FunctionNode):
        call(node, world, functions)


class NaiveFlow:
    """Which nodes run, by listing every way from the input to each of them."""

    def __init__(self, policy: doc.PolicyDocument, world: World) -> None:
        self.policy, self.world = policy, world
        self.nodes = {node.id: node for node in policy.nodes}
        self.taken: dict[tuple[str, str], Any] = {}
        self.reached: dict[str, Any] = {}

    def ways(self, identity: str) -> set[frozenset[tuple[str, str]]]:
        found: set[frozenset[tuple[str, str]]] = set()
        edges = [edge for edge in self.policy.edges if edge.target == identity]
        for source, _, handle in edges:
            choice = {(source, handle)} if handle else set()
            found |= {way | choice for way in self.ways(source)}
        return self.joined(found) if edges else {frozenset()}

    def joined(self, ways: set[frozenset[tuple[str, str]]]) -> set[frozenset[tuple[str, str]]]:
        """Where ways differ only in a switch that always takes one of them, its choice is moot."""
        for way in ways:
            for switch, handle in way:
                node: Any = self.nodes[switch]
                rest = way - {(switch, handle)}
                others = {rest | {(switch, row.id)} for row in node.statements}
                always = node.hit_policy == "first" and not node.statements[-1].cells
                sure = node.hit_policy == "collect" and not next(
                    row.cells for row in node.statements if row.id == handle
                )
                if sure or (always and others <= ways):
                    return self.joined((ways - others - {way}) | {rest})
        return {way for way in ways if not any(other < way for other in ways)}

    def visit(self, node: Any, run: Any) -> None:
        ways = self.ways(node.id)
        reach = negate(all_of([negate(all_of([self.taken[c] for c in way])) for way in ways]))
        self.reached[node.id] = reach
        if isinstance(node, doc.SwitchNode):
            self.switch(node, reach)
        elif isinstance(node, doc.OutputNode) and reach is not True:
            self.world.uncovered.append(node.name)
        elif reach is True:
            run(node)
        else:
            self.left_out(node, reach)

    def switch(self, node: doc.SwitchNode, reach: Any) -> None:
        truths = [
            all_of([value_of(cell.condition, self.world) for cell in row.cells])
            for row in node.statements
        ]
        open_ways = [index for index, truth in enumerate(truths) if truth is not False]
        first = open_ways[0] if open_ways else len(truths)
        for index, (row, truth) in enumerate(zip(node.statements, truths, strict=True)):
            taken = truth
            if node.hit_policy == "first" and index > first:
                taken = truths[first] if isinstance(truths[first], Unknown) else False
            self.taken[node.id, row.id] = taken
        if node.hit_policy == "first" and True not in truths and reach is not False:
            self.world.uncovered.append(node.name)

    def left_out(self, node: Any, reach: Any) -> None:
        known = isinstance(reach, Unknown)
        for rule in node.rules if isinstance(node, doc.RuleTable) else ():
            names = reach.names if known else frozenset()
            self.world.rules[rule.id] = ("not_evaluable" if known else "not_reached", names)
        for name in doc.outputs_of(node) if known else ():
            self.world.facts[name] = union([reach, self.world.facts[name]])

    def unasked(self, models: Mapping[str, Scorecard]) -> frozenset[str]:
        """Values that no node made, and that no node asks for which may have run."""
        made = {
            name
            for node in self.policy.nodes
            if self.reached[node.id] is not False
            for name in doc.outputs_of(node)
        }
        every = {name for node in self.policy.nodes for name in doc.outputs_of(node)}
        asked: set[str] = set()
        for node in self.policy.nodes:
            if self.reached[node.id] is not False:
                own = doc.outputs_of(node)
                reads = {n for _, _, expr in doc.expressions_of(node) for n in names_of(expr)}
                if isinstance(node, doc.ScorecardNode):
                    reads |= {item.name for item in models[node.model].attributes}
                asked |= reads - set(own)
        return frozenset(every - made - asked)


def rule_result(rule: doc.Rule, world: World) -> tuple[str, Names]:
    truth = all_of([value_of(cell.condition, world) for cell in rule.cells])
    if isinstance(truth, Unknown):
        silent = rule.on_missing == "no_hit_if_missing" and lacks(truth, world)
        return "no_hit" if silent else "not_evaluable", truth.names
    return "hit" if truth else "no_hit", frozenset()


def lacks(unknown: Unknown, world: World) -> bool:
    """An input to blame is missing, not only without use for an operation."""
    return any(isinstance(world.facts[name], Unknown) for name in unknown.names)


def value_table(node: doc.ValueTable, world: World) -> None:
    truths = [(all_of([value_of(c.condition, world) for c in row.cells]), row) for row in node.rows]
    chosen = winner(node, truths)
    if isinstance(chosen, doc.ValueRow):
        for name, value in zip(node.outputs, chosen.outputs, strict=True):
            world.facts[name] = value_of(value, world)
        return
    world.facts.update(dict.fromkeys(node.outputs, chosen or Unknown(frozenset())))
    two = sum(truth is True for truth, _ in truths) > 0 and node.hit_policy == "unique"
    if chosen is None or two:
        world.uncovered.append(node.name)


def winner(node: doc.ValueTable, truths: list[Any]) -> Any:
    """The row that gives the outputs, what is missing instead, or None for no answer at all."""
    true = [row for truth, row in truths if truth is True]
    unknown = [(truth, row) for truth, row in truths if isinstance(truth, Unknown)]
    if node.hit_policy == "unique":
        if len(true) > 1:
            return None
        return union([truth for truth, _ in unknown]) if unknown else next(iter(true), None)

    def rank(row: doc.ValueRow) -> tuple[int, int]:
        number = row.priority if node.hit_policy == "priority" else 0
        return number, [each.id for each in node.rows].index(row.id)

    best = min(true, key=rank, default=None)
    hiding = [item for item in unknown if best is None or rank(item[1]) < rank(best)]
    if hiding:
        return min(hiding, key=lambda item: rank(item[1]))[0]
    return best


def scorecard(node: doc.ScorecardNode, model: Scorecard, world: World) -> None:
    names = [f"{node.path}.{part}" for part in ("value", "raw", "pd")]
    attributes = model.attributes
    facts = [(item, world.facts[item.name]) for item in attributes]
    strict = [
        fact
        for item, fact in facts
        if isinstance(fact, Unknown) and (item.missing_points is None or not lacks(fact, world))
    ]
    if strict:
        world.facts.update(dict.fromkeys(names, union(strict)))
        return
    raw = model.base_points
    for item, fact in facts:
        points = item.missing_points if isinstance(fact, Unknown) else bin_of(item, fact)
        raw += points or 0
        best = max(entry.points for entry in item.bins)
        world.losses.append((item.name, points or 0, best - (points or 0)))
    value = max(model.low, min(model.high, raw))
    pd = model.pd(value)
    world.facts.update(zip(names, (Fraction(value), Fraction(raw), Fraction(pd)), strict=True))


def call(node: doc.FunctionNode, world: World, functions: Any) -> None:
    names = [item.name for item in node.outputs]
    arguments = {key: value_of(value, world) for key, value in node.arguments}
    unknown = [fact for fact in arguments.values() if isinstance(fact, Unknown)]
    if unknown:
        world.facts.update(dict.fromkeys(names, union(unknown)))
        return
    result = functions[node.function]({key: back(fact) for key, fact in arguments.items()})
    for name in names:
        value = result.get(name.rpartition(".")[2])
        world.facts[name] = Unknown(frozenset()) if value is None else number(value)
        if value is None and node.name not in world.uncovered:
            world.uncovered.append(node.name)


def learn_sources(node: Any, flow: NaiveFlow, models: Mapping[str, Scorecard]) -> None:
    """Whatever may run counts: which branch did is not asked."""
    world, names = flow.world, doc.outputs_of(node)
    for switch in {switch for way in flow.ways(node.id) for switch, _ in way}:
        add_sources(world, names, list(doc.expressions_of(flow.nodes[switch])))
    if isinstance(node, doc.ExpressionNode):
        for item in node.assignments:
            add_sources(world, (item.name,), [("", "", item.value)])
        return
    add_sources(world, names, list(doc.expressions_of(node)))
    if isinstance(node, doc.ScorecardNode):
        for attribute in models[node.model].attributes:
            add_sources(world, names, [("", "", tree.Ref(attribute.name))])


def add_sources(world: World, names: Any, exprs: list[tuple[str, str, Any]]) -> None:
    for name, (_, _, expr) in product(names, exprs):
        world.sources[name] |= behind(expr, world)


def back(fact: Any) -> Any:
    if isinstance(fact, Fraction):
        return Decimal(fact.numerator) / Decimal(fact.denominator)
    return fact


def behind(expr: Any, world: World) -> Names:
    return frozenset[str]().union(*(world.sources[name] for name in names_of(expr)))


def names_of(expr: Any) -> Iterator[str]:
    if isinstance(expr, tree.Ref | tree.NullTest):
        yield expr.name
    for part in expr.parts:
        yield from names_of(part)


def union(unknown: Any) -> Unknown:
    return Unknown(frozenset[str]().union(*(fact.names for fact in unknown)))


def all_of(truths: list[Any]) -> Any:
    if any(truth is False for truth in truths):
        return False
    unknown = [truth for truth in truths if isinstance(truth, Unknown)]
    return union(unknown) if unknown else True


def negate(truth: Any) -> Any:
    return truth if isinstance(truth, Unknown) else not truth


def value_of(expr: Any, world: World) -> Any:  # noqa: C901, PLR0911, PLR0912 - one table of forms
    if isinstance(expr, tree.Literal):
        return number(expr.value)
    if isinstance(expr, tree.Ref):
        return world.facts[expr.name]
    if isinstance(expr, tree.NullTest):
        return isinstance(world.facts[expr.name], Unknown) != expr.negated
    if isinstance(expr, tree.Not):
        return negate(value_of(expr.condition, world))
    if isinstance(expr, tree.Logic):
        parts = [value_of(part, world) for part in expr.conditions]
        if expr.operator == "and":
            return all_of(parts)
        return negate(all_of([negate(part) for part in parts]))
    if isinstance(expr, tree.Choice):
        chosen = value_of(expr.condition, world)
        if isinstance(chosen, Unknown):
            return chosen
        return value_of(expr.yes if chosen else expr.no, world)
    if isinstance(expr, tree.Item):
        return world.facts["#"]
    if isinstance(expr, tree.Each):
        return applied(expr, world)
    parts = [value_of(part, world) for part in expr.parts]
    unknown = [part for part in parts if isinstance(part, Unknown)]
    if unknown:
        return union(unknown)
    if isinstance(expr, tree.Quotient) and parts[1] == 0:
        return Unknown(behind(expr.divisor, world))
    try:
        return operation(expr, parts)
    except NoValueError:
        return Unknown(behind(expr, world))


def applied(expr: tree.Each, world: World) -> Any:
    listed = value_of(expr.subject, world)
    if isinstance(listed, Unknown):
        return listed
    results = []
    for item in listed:
        inner = World({**world.facts, "#": item}, world.sources)
        results.append(value_of(expr.body, inner))
    found = closed(expr.function, listed, results)
    if isinstance(found, Unknown) and not found.names:
        unmade = [name for name in names_of(expr.body) if world.facts[name] == found]
        return found if unmade else Unknown(behind(expr.subject, world))
    return found


def closed(function: str, listed: list[Any], results: list[Any]) -> Any:
    if function in ("some", "none"):
        some = negate(all_of([negate(result) for result in results]))
        return some if function == "some" else negate(some)
    if function == "all":
        return all_of(results)
    unknown = [result for result in results if isinstance(result, Unknown)]
    if unknown:
        return union(unknown)
    kept = [item for item, result in zip(listed, results, strict=True) if result is True]
    return {
        "map": results,
        "flatMap": [part for result in results if isinstance(result, list) for part in result],
        "filter": kept,
        "count": Fraction(len(kept)),
        "one": len(kept) == 1,
    }[function]
