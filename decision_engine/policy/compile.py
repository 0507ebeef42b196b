"""From a file's bytes to a policy that can decide: parse, check, compile."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from decision_engine.policy.answers import Answers
from decision_engine.policy.check import examine
from decision_engine.policy.check.nodes import check_nodes
from decision_engine.policy.check.scope import Names
from decision_engine.policy.collect import CollectStep
from decision_engine.policy.conditions import RowPlan
from decision_engine.policy.document import (
    AnyNode,
    ExpressionNode,
    FunctionNode,
    Header,
    PolicyDocument,
    Rule,
    RuleTable,
    ScorecardNode,
    SwitchNode,
    ValueTable,
)
from decision_engine.policy.evaluation import RESULTS, Evaluation, RuleResult, pack
from decision_engine.policy.findings import Notes, PolicyError, has_errors
from decision_engine.policy.flow import (
    Flow,
    OutputStep,
    ScatteredStep,
    SwitchStep,
    flow_of,
    handles_of,
    may_not_end,
    stepped,
)
from decision_engine.policy.fused import all_code, fused
from decision_engine.policy.graph import ordered
from decision_engine.policy.layout import Layout
from decision_engine.policy.list_values import Reader
from decision_engine.policy.parse import parse
from decision_engine.policy.quick import BySteps, InputStruct, Quick, at_once
from decision_engine.policy.reading import read_all
from decision_engine.policy.run import Run, Step
from decision_engine.policy.schema import Field
from decision_engine.policy.scorecard import Scorecard
from decision_engine.policy.steps import (
    ExpressionStep,
    FunctionStep,
    RuleStep,
    ScorecardStep,
    ValueStep,
)
from decision_engine.policy.unique import UniqueStep
from decision_engine.policy.values import NOTHING, Function, Missing, Value
from decision_engine.policy.whole import whole


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CompiledPolicy:
    """
    A checked policy, ready to evaluate; immutable and free of I/O, clock, chance and floats.

    `inputs` are the declared fields, `reads` those that something reads, `rules` the rules in the
    order of results and bits, `models` the scorecards by id, `functions` what the host must give.
    """

    hash: str
    document: PolicyDocument
    nodes: tuple[AnyNode, ...]
    inputs: tuple[Field, ...]
    reads: tuple[Field, ...]
    derived: tuple[str, ...]
    readers: tuple[tuple[str, Reader], ...]
    absent: tuple[Missing, ...]
    rules: tuple[Rule, ...]
    models: Mapping[str, Scorecard]
    functions: tuple[str, ...]
    layout: Layout
    fields: Mapping[str, Field]
    flow: Flow
    blank: tuple[Any, ...]
    span: slice
    steps: tuple[Step, ...]
    quick: Quick
    plans: Mapping[str, tuple[RowPlan, ...]]
    results: tuple[tuple[RuleResult, ...], ...]

    @property
    def header(self) -> Header:
        """The document's own fields: id, version, product, title, owner, monotone."""
        return self.document.header

    def evaluate(
        self, inputs: Mapping[str, Value | None], functions: Mapping[str, Function]
    ) -> Evaluation:
        """
        Evaluate the policy once.

        An input that is absent, None, or not a value of its declared field is missing.

        Raises:
            PermanentError: a function that the policy calls was not given.
        """
        quick = self.quick
        if type(inputs) is InputStruct and inputs.reader is quick:
            found = quick.run(inputs.facts, functions)
        else:
            facts = quick.facts_of(inputs)
            found = None if facts is None else quick.run(facts, functions)
        if found is None:
            found = self._partly_known(self.settle(self.start(inputs, functions)))
        return found

    def struct(self, inputs: Mapping[str, Value | None]) -> InputStruct | None:
        """
        Return the inputs that the policy reads, checked once: evaluating them is not reading them.

        None when one is missing; then evaluate the inputs themselves, which names it.
        """
        facts = self.quick.facts_of(inputs)
        return None if facts is None else InputStruct(self.quick, facts)

    def varied(self, struct: InputStruct, changes: Mapping[str, Value]) -> InputStruct | None:
        """
        Return a struct of this policy with some inputs changed, and only those read again.

        None when one of them is missing, as in `struct`. What the policy does not read is passed
        over.
        """
        facts = self.quick.varied(struct.facts, changes)
        return None if facts is None else InputStruct(self.quick, facts)

    def struct_of(self, values: tuple[Any, ...]) -> InputStruct | None:
        """
        Return the same of a value for each of `reads`, in order, with numbers as JSON has them.

        Those without decimals are `int`; others `int`, or the bytes of their literal (`b"12.50"`).
        Another type is no value.
        """
        facts = self.quick.facts_of_json(values)
        return None if facts is None else InputStruct(self.quick, facts)

    def start(self, inputs: Mapping[str, Value | None], functions: Mapping[str, Function]) -> Run:
        """Return a run whose inputs are in place, or missing by their own names."""
        get = inputs.get
        facts: list[Any] = [read(get(name)) for name, read in self.readers]
        run = Run(facts, functions, bytearray(len(self.rules)))
        for place, fact in enumerate(facts):
            if fact is None:
                facts[place] = self.absent[place]
        facts += self.blank
        return run

    def settle(self, run: Run) -> Run:
        """Take every step in three values; what no step makes stays missing, by nobody's fault."""
        for name in self.flow.makers:
            run.facts[self.layout.places[name]] = NOTHING
        for step in self.steps:
            step.slow(run)
        return run

    def _partly_known(self, run: Run) -> Evaluation:
        facts = dict(zip(self.derived, run.facts[self.span], strict=True))
        unknown = {name: fact for name, fact in facts.items() if type(fact) is Missing}
        unasked = self.flow.unasked(run.facts)
        return Evaluation.of(
            values={name: None if name in unknown else fact for name, fact in facts.items()},
            results=tuple(self._result(index, run) for index in range(len(self.results))),
            bits=pack(bytes(run.codes)),
            losses=tuple(run.losses),
            uncovered=tuple(run.uncovered),
            missing={
                name: tuple(sorted(fact.names))
                for name, fact in unknown.items()
                if name not in unasked
            },
        )

    def _result(self, index: int, run: Run) -> RuleResult:
        plain = self.results[index][run.codes[index]]
        missing = run.blames.get(index)
        return plain if missing is None else replace(plain, missing=missing)


def compile_policy(raw: bytes, models: Mapping[str, Scorecard]) -> CompiledPolicy:
    """
    Return the compiled policy; nothing of a faulty file is ever run.

    Raises:
        PolicyError: with all findings of `check`, or the one reason why the bytes are no JSON.
    """
    document = parse(raw)
    checked = examine(document, models)
    if has_errors(checked.findings):
        raise PolicyError(checked.findings)
    return build(document, models, checked.names)


def build(
    document: PolicyDocument, models: Mapping[str, Scorecard], names: Names | None = None
) -> CompiledPolicy:
    """
    Return the compiled policy of a document that `check` found without errors.

    `names` are those that `examine` found with these models; without them they are found again.
    """
    order = ordered(document)
    nodes = order.nodes
    used = {node.model: models[node.model] for node in nodes if isinstance(node, ScorecardNode)}
    names = names or check_nodes(order, used, Notes())
    reads = tuple(item for item in document.inputs if item.name in names.read)
    layout = Layout(frozenset(n for n, made in names.fields.items() if made.kind == "number"))
    for item in reads:
        layout.add(item.name, frozenset({item.name}))
    for node in nodes:
        layout.add_outputs(node, used, order.branches.gates.get(node.id))
    derived = tuple(layout.places)[len(reads) :]
    handles = [name for node in nodes if isinstance(node, SwitchNode) for name in handles_of(node)]
    for name in handles:
        layout.add(name, frozenset())
    flow = flow_of(order, used, layout)
    steps = tuple(_steps(nodes, used, flow, layout))
    rules = tuple(rule for node in nodes if isinstance(node, RuleTable) for rule in node.rules)
    results = tuple(_results(rule) for rule in rules)
    blank = _blank(layout, len(reads), len(derived), len(handles))
    span = slice(len(reads), len(reads) + len(derived))
    quick = _quick(steps, reads, layout, _Made(blank, derived, span, Answers(results)))
    calls = {node.function for node in nodes if isinstance(node, FunctionNode)}
    return CompiledPolicy(
        hash=document.hash,
        document=document,
        nodes=nodes,
        inputs=document.inputs,
        reads=reads,
        derived=derived,
        readers=tuple((item.name, item.reader()) for item in reads),
        absent=tuple(Missing(frozenset({item.name})) for item in reads),
        rules=rules,
        models=used,
        functions=tuple(sorted(calls)),
        layout=layout,
        fields=names.fields,
        flow=flow,
        blank=blank,
        span=span,
        steps=tuple(step for _, step in steps),
        quick=quick,
        plans={node.id: _plans(node, layout, names.fields) for node in nodes},
        results=results,
    )


@dataclass(frozen=True, slots=True)
class _Made:
    """What a run makes: the places after the inputs, the derived values, the results of rules."""

    blank: tuple[Any, ...]
    derived: tuple[str, ...]
    span: slice
    answers: Answers


def _quick(
    steps: tuple[tuple[AnyNode, Step], ...], reads: tuple[Field, ...], layout: Layout, made: _Made
) -> Quick:
    one = whole(all_code(steps), reads, layout, made.answers.hits)
    if one is not None:
        return at_once(reads, one, made.answers)
    return BySteps(
        names=tuple(item.name for item in reads),
        readers={item.name: (place, item.reader()) for place, item in enumerate(reads)},
        read_all=read_all(reads),
        steps=fused(steps, layout),
        blank=made.blank,
        derived=made.derived,
        span=made.span,
        answers=made.answers,
    )


def _steps(
    nodes: tuple[AnyNode, ...], models: Mapping[str, Scorecard], flow: Flow, layout: Layout
) -> Iterator[tuple[AnyNode, Step]]:
    first = 0
    for node in nodes:
        rules = range(first, first + (len(node.rules) if isinstance(node, RuleTable) else 0))
        first = rules.stop
        if may_not_end(node, flow):
            yield node, OutputStep(node, flow)
        elif isinstance(node, SwitchNode):
            yield node, stepped(SwitchStep(node, flow, layout), node, rules, flow, layout)
        else:
            step = _step_in_place(node, rules, models, layout)
            if step is not None:
                yield node, stepped(step, node, rules, flow, layout)


def _blank(layout: Layout, reads: int, derived: int, handles: int) -> tuple[Any, ...]:
    """Return what follows the inputs at the start: derived values, handles, private places."""
    rest = len(layout.places) - reads - derived - handles
    return (None,) * derived + (False,) * handles + (None,) * rest


def _step_in_place(
    node: AnyNode, rules: range, models: Mapping[str, Scorecard], layout: Layout
) -> Step | None:
    if not layout.scattered(node):
        return _step(node, rules, models, layout)
    private = layout.private(node)
    step = _step(node, rules, models, private)
    return None if step is None else ScatteredStep(step, node, private, layout)


def _step(
    node: AnyNode, rules: range, models: Mapping[str, Scorecard], layout: Layout
) -> Step | None:
    match node:
        case ExpressionNode():
            return ExpressionStep(node, layout)
        case RuleTable():
            return RuleStep(node, rules.start, layout)
        case ValueTable():
            return _value_step(node, layout)
        case ScorecardNode():
            return ScorecardStep(node, models[node.model], layout)
        case FunctionNode():
            return FunctionStep(node, layout)
        case _:
            return None


def _value_step(node: ValueTable, layout: Layout) -> Step:
    match node.hit_policy:
        case "unique":
            return UniqueStep(node, layout)
        case "collect":
            return CollectStep(node, layout)
        case _:
            return ValueStep(node, layout)


def _plans(node: AnyNode, layout: Layout, fields: Mapping[str, Field]) -> tuple[RowPlan, ...]:
    if isinstance(node, RuleTable):
        return tuple(RowPlan(rule, layout, fields) for rule in node.rules)
    if isinstance(node, ValueTable):
        return tuple(RowPlan(row, layout, fields) for row in node.searched)
    if isinstance(node, SwitchNode):
        return tuple(RowPlan(row, layout, fields) for row in node.statements)
    return ()


def _results(rule: Rule) -> tuple[RuleResult, ...]:
    """Every result that a rule can have, made once and shared by all evaluations."""
    return tuple(
        RuleResult(rule.id, rule.code, rule.effect, result, (), rule.on_missing)
        for result in RESULTS
    )
