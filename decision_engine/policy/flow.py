"""
What a switch means while a policy runs: which nodes are reached, and what the others leave behind.

Each handle of a switch has a place among the facts: taken, not taken, or missing. A node's reach is
the `or` of its gate's handles in Kleene's logic. Not reached: its rules say so and its values are
never made. Not known: its rules are not evaluable and its values are missing, by the switch's
inputs. Policies without a switch have no gates, and their steps are the plain ones.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeGuard

from decision_engine.policy.branches import Gate, Handle
from decision_engine.policy.closures import Closure, Facts, closure
from decision_engine.policy.document import (
    AnyNode,
    LeaveNode,
    OutputNode,
    ScorecardNode,
    SwitchNode,
    expressions_of,
    outputs_of,
)
from decision_engine.policy.evaluation import NOT_EVALUABLE, NOT_REACHED
from decision_engine.policy.graph import Ordered
from decision_engine.policy.layout import Layout
from decision_engine.policy.rows import PreparedRow
from decision_engine.policy.run import NoAnswerError, Run, Step
from decision_engine.policy.scorecard import Scorecard
from decision_engine.policy.syntax import Expr, Logic, Ref, names_in
from decision_engine.policy.values import Fact, Missing, missing_of


@dataclass(frozen=True, slots=True)
class Flow:
    """
    The gates of a compiled policy.

    `reaches` has the nodes that may be left out; `makers` and `readers` are, for each value that
    may never be made, the nodes that make it and the others that read it.
    """

    gates: Mapping[str, Gate]
    reaches: Mapping[str, Closure]
    makers: Mapping[str, tuple[str, ...]]
    readers: Mapping[str, tuple[str, ...]]

    def reach(self, node_id: str, facts: Facts) -> Fact:
        """Return whether a node is reached, once every switch before it has run."""
        reach = self.reaches.get(node_id)
        return True if reach is None else reach(facts)

    def unasked(self, facts: Facts) -> frozenset[str]:
        """Return the values that were left out and that no node asks for which may be reached."""
        return frozenset(
            name
            for name, makers in self.makers.items()
            if self._none(makers, facts) and self._none(self.readers[name], facts)
        )

    def _none(self, nodes: tuple[str, ...], facts: Facts) -> bool:
        return all(self.reach(node, facts) is False for node in nodes)


def flow_of(order: Ordered, models: Mapping[str, Scorecard], layout: Layout) -> Flow:
    """Return the flow of an ordered policy whose layout is complete."""
    gates = order.branches.gates
    makers: dict[str, tuple[str, ...]] = {}
    for node in order.nodes:
        if node.id in gates:
            for name in outputs_of(node):
                makers[name] = (*makers.get(name, ()), node.id)
    readers: dict[str, tuple[str, ...]] = dict.fromkeys(makers, ())
    for node in order.nodes:
        for name in sorted(_asked(node, models) & makers.keys()):
            readers[name] = (*readers[name], node.id)
    reaches = {identity: closure(_gate(gate), layout) for identity, gate in gates.items()}
    return Flow(gates, reaches, makers, readers)


def stepped(step: Step, node: AnyNode, rules: range, flow: Flow, layout: Layout) -> Step:
    """Return the step of a node as it runs behind its gate; the same one where there is none."""
    gate = flow.gates.get(node.id)
    absent = [name for name, readers in flow.readers.items() if node.id in readers]
    guarded = tuple(layout.places[name] for name in absent if not _together(name, gate, flow))
    if guarded:
        step = GuardedStep(step, guarded)
    if gate is None:
        return step
    handles = tuple(layout.places[handle.place] for handle in sorted(gate))
    if isinstance(node, SwitchNode):
        return GatedSwitch(step, handles)
    made = tuple(layout.places[name] for name in outputs_of(node))
    return GatedStep(step, handles, flow.reaches[node.id], rules, made)


def _together(name: str, gate: Gate | None, flow: Flow) -> bool:
    """Tell whether a value is made whenever this gate is open."""
    return all(flow.gates[maker] == gate for maker in flow.makers[name])


def _asked(node: AnyNode, models: Mapping[str, Scorecard]) -> frozenset[str]:
    """Return what a node reads and does not make itself."""
    names = {name for _, _, expr in expressions_of(node) for name in names_in(expr)}
    if isinstance(node, ScorecardNode):
        names.update(node.name_of(item.name) for item in models[node.model].attributes)
    return frozenset(names) - frozenset(outputs_of(node))


def _gate(gate: Gate) -> Expr:
    handles = tuple(Ref(handle.place) for handle in sorted(gate))
    return handles[0] if len(handles) == 1 else Logic("or", handles)


class SwitchStep:
    """A switch: what is known of each of its handles."""

    def __init__(self, node: SwitchNode, flow: Flow, layout: Layout) -> None:
        self._id, self._name, self._flow = node.id, node.name, flow
        self._first, self._others = node.hit_policy == "first", node.others
        self._rows = tuple(
            (layout.places[place], PreparedRow(row, layout))
            for place, row in zip(handles_of(node), node.statements, strict=True)
        )

    def fast(self, run: Run) -> None:
        """Mark what is taken; the handles begin as not taken."""
        facts = run.facts
        for place, row in self._rows:
            if row.holds(facts):
                facts[place] = True
                if self._first:
                    return
        if self._first:
            raise NoAnswerError

    def slow(self, run: Run) -> None:
        """Mark every handle; by `first`, what follows an unknown statement is unknown too."""
        facts = run.facts
        reach = self._flow.reach(self._id, facts)
        truths = [row.condition(facts) for _, row in self._rows]
        taken = _searched(truths) if self._first else truths
        for (place, _), fact in zip(self._rows, taken, strict=True):
            facts[place] = _both(reach, fact)
        # A switch that may be reached and may take nothing: its table of ways has a hole.
        if self._first and True not in truths and reach is not False:
            run.uncovered.append(self._name)


def handles_of(node: SwitchNode) -> Iterator[str]:
    """Yield the names of a switch's handles among the facts, in order."""
    for row in node.statements:
        yield Handle(node.id, row.id).place


def _searched(truths: list[Fact]) -> Iterator[Fact]:
    """Yield what is taken of statements tried in order until one holds."""
    state: Fact = True
    for truth in truths:
        if state is not True:
            yield state
            continue
        yield truth
        state = truth if isinstance(truth, Missing) else not truth


def _both(one: Fact, other: Fact) -> Fact:
    if one is False or other is False:
        return False
    return missing_of((one, other)) or True


class ScatteredStep:
    """A step that shares some of its names with another branch: its outputs are copied there."""

    def __init__(self, step: Step, node: AnyNode, private: Layout, layout: Layout) -> None:
        self._step = step
        names = outputs_of(node)
        self._pairs = tuple((private.places[name], layout.places[name]) for name in names)

    def fast(self, run: Run) -> None:
        """Run, then copy."""
        self._step.fast(run)
        self._copy(run.facts)

    def slow(self, run: Run) -> None:
        """Run, then copy."""
        self._step.slow(run)
        self._copy(run.facts)

    def _copy(self, facts: Facts) -> None:
        for source, target in self._pairs:
            facts[target] = facts[source]


class GuardedStep:
    """A step that reads what may never have been made: then there is no fast answer."""

    def __init__(self, step: Step, places: tuple[int, ...]) -> None:
        self._places = places
        self._step = step
        self.slow = step.slow

    def fast(self, run: Run) -> None:
        """Run unless something is absent."""
        facts = run.facts
        for place in self._places:
            if facts[place] is None:
                raise NoAnswerError
        self._step.fast(run)


class GatedSwitch:
    """A switch inside a branch: it knows by itself what an unknown reach means for its handles."""

    def __init__(self, step: Step, gate: tuple[int, ...]) -> None:
        self._gate = gate
        self._step = step
        self.slow = step.slow

    def fast(self, run: Run) -> None:
        """Run it, or leave its handles as not taken."""
        facts = run.facts
        if any(facts[place] for place in self._gate):
            self._step.fast(run)


class OutputStep:
    """
    An end that may not be reached though its beginning is: there is then no answer.

    The end of a policy begins with the policy, that of a sub-decision where it is entered.
    """

    def __init__(self, node: OutputNode | LeaveNode, flow: Flow) -> None:
        self._name, self._id, self._flow = node.name, node.id, flow
        self._enter = node.enter if isinstance(node, LeaveNode) else ""

    def fast(self, run: Run) -> None:
        """Go on where the end is reached, or the beginning is not."""
        if self._flow.reach(self._id, run.facts) or not self._flow.reach(self._enter, run.facts):
            return
        raise NoAnswerError

    def slow(self, run: Run) -> None:
        """Note an end that is not certainly reached."""
        reached = self._flow.reach(self._id, run.facts) is True
        if not reached and self._flow.reach(self._enter, run.facts) is not False:
            run.uncovered.append(self._name)


def may_not_end(node: AnyNode, flow: Flow) -> TypeGuard[OutputNode | LeaveNode]:
    """Tell whether a node is an end that may not be reached where its beginning is."""
    enter = node.enter if isinstance(node, LeaveNode) else ""
    end = isinstance(node, OutputNode | LeaveNode)
    return end and flow.gates.get(node.id) != flow.gates.get(enter)


class GatedStep:
    """A step that runs only when its node is reached."""

    def __init__(
        self, step: Step, gate: tuple[int, ...], reach: Closure, rules: range, made: tuple[int, ...]
    ) -> None:
        self._step, self._gate, self._reach = step, gate, reach
        self._rules, self._made = rules, made

    def fast(self, run: Run) -> None:
        """Run it or leave it out."""
        facts = run.facts
        for place in self._gate:
            if facts[place]:
                self._step.fast(run)
                return
        self._leave_out(run)

    def slow(self, run: Run) -> None:
        """Run it, leave it out, or mark all that is its own as not known."""
        reach = self._reach(run.facts)
        if isinstance(reach, Missing):
            self._hide(run, reach)
        elif reach:
            self._step.slow(run)
        else:
            self._leave_out(run)

    def _leave_out(self, run: Run) -> None:
        for rule in self._rules:
            run.codes[rule] = NOT_REACHED

    def _hide(self, run: Run, reach: Missing) -> None:
        for rule in self._rules:
            run.codes[rule] = NOT_EVALUABLE
            run.blames[rule] = tuple(sorted(reach.names))
        for place in self._made:
            # Another branch that may be taken has left its blame there.
            run.facts[place] = missing_of((reach, run.facts[place]))
