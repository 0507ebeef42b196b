"""
Which nodes a switch may leave out, and which two can never run in one evaluation.

A gate is the set of handles of which one must be taken for a node to be reached; most nodes have
none and are always reached. All handles of a switch that always takes exactly one are no gate but
that of the switch itself: what comes after its branches is reached when it is.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from decision_engine.policy.document import AnyNode, Edge, SwitchNode

#: What every way to a node has to take: some of the statements of a switch.
Choices = Mapping[str, frozenset[str]]


class Handle(NamedTuple):
    """A statement of a switch, as the edges name it that leave there."""

    switch: str
    statement: str

    @property
    def place(self) -> str:
        """Its name among the facts; no value has a name with a slash."""
        return f"{self.switch}/{self.statement}"


Gate = frozenset[Handle]


@dataclass(frozen=True, slots=True)
class Branches:
    """The gate of every node that is not always reached, and the choices that lead to each node."""

    gates: Mapping[str, Gate]
    choices: Mapping[str, Choices]

    def exclusive(self, one: str, two: str) -> bool:
        """Tell whether a `first` switch stands before both nodes and never takes both ways."""
        first, second = self.choices[one], self.choices[two]
        return any(not first[switch] & second[switch] for switch in first.keys() & second.keys())


def live(
    edge: Edge, switches: Mapping[str, SwitchNode], gates: Mapping[str, Gate | None]
) -> Gate | None:
    """Return the handles of which one must be taken for an edge to be live; None for always."""
    switch = switches.get(edge.source)
    if switch is None or (switch.hit_policy == "collect" and edge.handle in switch.others):
        return gates.get(edge.source)
    return frozenset({Handle(edge.source, edge.handle)})


def branches_of(nodes: Iterable[AnyNode], edges: Iterable[Edge]) -> Branches:
    """Return the branches of nodes that come in the order of evaluation."""
    incoming: dict[str, list[Edge]] = {}
    for edge in edges:
        incoming.setdefault(edge.target, []).append(edge)
    builder = _Builder({}, {}, {})
    for node in nodes:
        builder.add(node, incoming.get(node.id, []))
    gates = {identity: gate for identity, gate in builder.gates.items() if gate is not None}
    return Branches(gates, builder.choices)


@dataclass(frozen=True, slots=True)
class _Builder:
    """Gates so far, None for always; the switches by id."""

    gates: dict[str, Gate | None]
    choices: dict[str, Choices]
    switches: dict[str, SwitchNode]

    def add(self, node: AnyNode, incoming: list[Edge]) -> None:
        gate = self._gate([live(edge, self.switches, self.gates) for edge in incoming])
        self.gates[node.id] = gate
        self.choices[node.id] = {} if gate is None else self._choices(gate)
        if isinstance(node, SwitchNode):
            self.switches[node.id] = node

    def _gate(self, ways: list[Gate | None]) -> Gate | None:
        gate: Gate = frozenset()
        for way in ways:
            if way is None:
                return None
            gate |= way
        for switch in self._complete(gate):
            rest = frozenset(handle for handle in gate if handle.switch != switch)
            return self._gate([rest, self.gates[switch]])
        return gate if ways else None

    def _complete(self, gate: Gate) -> list[str]:
        """Return the switches that always take one of their statements, all of them in the gate."""
        return [
            switch
            for switch in sorted({handle.switch for handle in gate})
            if self.switches[switch].decides
            and {Handle(switch, row.id) for row in self.switches[switch].statements} <= gate
        ]

    def _choices(self, gate: Gate) -> Choices:
        ways = [self._way(handle) for handle in gate]
        common = frozenset.intersection(*(frozenset(way) for way in ways))
        return {name: frozenset().union(*(way[name] for way in ways)) for name in common}

    def _way(self, handle: Handle) -> Choices:
        before = self.choices[handle.switch]
        if self.switches[handle.switch].hit_policy == "collect":
            return before
        return {**before, handle.switch: frozenset({handle.statement})}
