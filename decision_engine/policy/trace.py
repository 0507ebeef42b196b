"""
The full near-miss trace, computed when somebody asks.

It is a function of the policy and the inputs alone, so it need not be stored: its hash is.
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import count
from typing import Any, Final, Literal, NamedTuple

from decision_engine.policy.compile import CompiledPolicy
from decision_engine.policy.conditions import MISSING, Condition, RowPlan, text_of_fact
from decision_engine.policy.document import (
    AnyNode,
    InputNode,
    Rule,
    RuleTable,
    SwitchNode,
    ValueTable,
    outputs_of,
)
from decision_engine.policy.evaluation import RESULTS
from decision_engine.policy.flow import handles_of
from decision_engine.policy.run import Run
from decision_engine.policy.unique import deciding_row
from decision_engine.policy.values import Fact, Function, Missing, Value
from domain.canonical import digest

EntryKind = Literal["rule", "row", "value", "branch"]
NOT_REACHED: Final = "not_reached"


class TraceEntry(NamedTuple):
    """
    One line of the trace, all of it text.

    `rule`: a rule with its result and every condition of it. `row`: the row that a value table
    stopped at (`hit`, `not_evaluable`, or `not_unique` for a second true row), each row that is not
    false where the table collects, or none
    (`uncovered`). `value`: a derived value under its dotted name (`present` or `missing`).
    `branch`: a statement of a switch (`taken`, `not_taken` or `not_evaluable`), or that none was
    taken (`uncovered`). All are `not_reached` in a branch that was not taken. `missing` names the
    inputs behind what is missing.
    """

    kind: EntryKind
    node: str
    id: str
    result: str
    code: str = ""
    effect: str = ""
    value: str = ""
    missing: tuple[str, ...] = ()
    conditions: tuple[Condition, ...] = ()

    def plain(self) -> dict[str, Any]:
        """Return the entry as data for a reader: names to texts, lists and objects."""
        return {**self._asdict(), "conditions": [item._asdict() for item in self.conditions]}


def trace(
    compiled: CompiledPolicy,
    inputs: Mapping[str, Value | None],
    functions: Mapping[str, Function],
) -> list[TraceEntry]:
    """
    Return the trace of one evaluation, node by node in the order of evaluation.

    Raises:
        PermanentError: a function that the policy calls was not given.
    """
    tracer = _Tracer(compiled, compiled.settle(compiled.start(inputs, functions)))
    return [entry for node in compiled.nodes for entry in tracer.node(node)]


def trace_digest(entries: list[TraceEntry]) -> str:
    """Return `sha256:<hex>` over the canonical bytes of a trace (its texts, in order)."""
    return digest([(*entry[:-1], [tuple(item) for item in entry.conditions]) for entry in entries])


class _Tracer:
    """Walks the nodes of one settled run."""

    def __init__(self, compiled: CompiledPolicy, run: Run) -> None:
        self._compiled = compiled
        self._run = run
        self._rules = count()

    def node(self, node: AnyNode) -> Iterator[TraceEntry]:
        if isinstance(node, SwitchNode):
            yield from self._branches(node)
        if isinstance(node, RuleTable):
            for rule, plan in zip(node.rules, self._compiled.plans[node.id], strict=True):
                yield self._rule(node, rule, plan)
        if isinstance(node, ValueTable):
            yield from self._rows(node)
        if not isinstance(node, InputNode):
            for name in outputs_of(node):
                yield self._value(node, name)

    def _rule(self, node: RuleTable, rule: Rule, plan: RowPlan) -> TraceEntry:
        index = next(self._rules)
        result = RESULTS[self._run.codes[index]]
        return TraceEntry(
            kind="rule",
            node=node.name,
            id=rule.id,
            result=result,
            code=rule.code,
            effect=rule.effect,
            missing=self._run.blames.get(index, ()),
            # Nothing was compared in a branch that was not taken.
            conditions=() if result == NOT_REACHED else plan.conditions(self._run.facts),
        )

    def _reach(self, node: AnyNode) -> Fact:
        return self._compiled.flow.reach(node.id, self._run.facts)

    def _branches(self, node: SwitchNode) -> Iterator[TraceEntry]:
        facts, left_out = self._run.facts, self._reach(node) is False
        for plan, place in zip(self._compiled.plans[node.id], handles_of(node), strict=True):
            fact = facts[self._compiled.layout.places[place]]
            yield TraceEntry(
                kind="branch",
                node=node.name,
                id=plan.row.id,
                result=NOT_REACHED if left_out else _taken(fact),
                missing=_names(fact),
                conditions=() if left_out else plan.conditions(facts),
            )
        if node.name in self._run.uncovered:
            yield TraceEntry(kind="branch", node=node.name, id="", result="uncovered")

    def _rows(self, node: ValueTable) -> Iterator[TraceEntry]:
        if node.hit_policy != "collect" or self._reach(node) is not True:
            yield self._row(node)
            return
        facts = self._run.facts
        for plan in self._compiled.plans[node.id]:
            truth = plan.holds(facts)
            if truth is not False:
                yield self._found(node, plan, "hit" if truth is True else "not_evaluable")

    def _row(self, node: ValueTable) -> TraceEntry:
        reach = self._reach(node)
        if reach is not True:
            result = NOT_REACHED if reach is False else "not_evaluable"
            return TraceEntry("row", node.name, "", result, missing=_names(reach))
        plans = self._compiled.plans[node.id]
        found = deciding(node, (plan.holds(self._run.facts) for plan in plans))
        if found is None:
            return TraceEntry(kind="row", node=node.name, id="", result="uncovered")
        return self._found(node, plans[found[0]], found[1])

    def _found(self, node: ValueTable, plan: RowPlan, result: str) -> TraceEntry:
        facts = self._run.facts
        return TraceEntry(
            kind="row",
            node=node.name,
            id=plan.row.id,
            result=result,
            missing=_names(plan.holds(facts)),
            conditions=plan.conditions(facts),
        )

    def _value(self, node: AnyNode, name: str) -> TraceEntry:
        if self._reach(node) is False:
            # Another branch may have made a value of this name.
            return TraceEntry("value", node.name, name, NOT_REACHED)
        fact = self._run.facts[self._compiled.layout.places[name]]
        known = type(fact) is not Missing
        return TraceEntry(
            kind="value",
            node=node.name,
            id=name,
            result="present" if known else MISSING,
            value=text_of_fact(fact, self._compiled.fields[name].scale) if known else "",
            missing=_names(fact),
        )


def deciding(node: ValueTable, truths: Iterable[Fact]) -> tuple[int, str] | None:
    """
    Return the row at which a table stops and its result, by the rows' truths as they are searched.

    None when every row is false. Not for a table that collects: it has no such row.
    """
    if node.hit_policy == "unique":
        return deciding_row(list(truths))
    for index, fact in enumerate(truths):
        if fact is not False:
            return index, "hit" if fact is True else "not_evaluable"
    return None


def _names(fact: Fact) -> tuple[str, ...]:
    return tuple(sorted(fact.names)) if isinstance(fact, Missing) else ()


def _taken(fact: Fact) -> str:
    if isinstance(fact, Missing):
        return "not_evaluable"
    return "taken" if fact else "not_taken"
