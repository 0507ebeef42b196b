"""
Graphs of generated nodes: mostly a line, with switches whose branches join, and sub-decisions.

A switch by first has an else, one by collect a way that is always taken, so that the join behind
them is always reached. Branches of a first switch may make the same names; what only one branch
makes is read behind the join but seldom.
"""

import json
import random
from collections.abc import Callable, Iterator
from typing import Any, Final

from tests.integration.policy.differential.forms import Text
from tests.integration.policy.differential.inputs_schema import schema
from tests.integration.policy.differential.nodes import MAKERS, SHARED, Draft, Json, Made
from tests.integration.policy.differential.writer import Name, Writer

Edge = tuple[str, str, str]
#: How often a value that one branch alone makes is read behind the join.
UNMADE: Final = 0.03
STRAIGHT: Final = 0.15
_DECISION: Final = "decision"
_SWITCHES: Final = {"switch by first": 2.0, "switch by collect": 1.0}
_WEIGHTS: Final = {kind: float(weight) for kind, (_, weight) in MAKERS.items()}
_ALL: Final = _WEIGHTS | _SWITCHES | {_DECISION: 1.5}


class Graph:
    """Nodes and edges under way; `letter` begins the names that its nodes make."""

    def __init__(self, draft: Draft, letter: str) -> None:
        self.nodes: list[Json] = []
        self.edges: list[Edge] = []
        self._draft, self._rng, self._letter = draft, draft.rng, letter
        self._seen: dict[str, tuple[Name, ...]] = {"in": draft.seen}
        self._count = 0

    @property
    def made(self) -> tuple[Name, ...]:
        """The names that can be read where the graph ends."""
        every = dict.fromkeys(name for names in self._seen.values() for name in names)
        return tuple(name for name in every if name not in self._draft.seen)

    def grow(self, kinds: list[str]) -> "Graph":
        """Add a part for each kind, then the end."""
        for kind in kinds:
            before = self._before()
            names = tuple(dict.fromkeys(name for one in before for name in self._seen[one]))
            ways = [(one, "") for one in before]
            if kind in _SWITCHES:
                self._switch(kind.rsplit(" ", 1)[1], ways, names)
            else:
                self._add(kind, ways, names, names)
        sources = {one for one, _, _ in self.edges}
        self.edges += ((one, "out", "") for one in self._seen if one not in sources)
        return self

    def document(self, inputs: tuple[Name, ...]) -> Json:
        """Return the graph as JDM, with its two ends."""
        ends = (
            _node("in", "inputNode", {"schema": json.dumps(schema(inputs))}),
            _node("out", "outputNode", {}),
        )
        edges = [
            {
                "id": f"edge{i}",
                "type": "edge",
                "sourceId": source,
                "targetId": target,
                "sourceHandle": handle or None,
            }
            for i, (source, target, handle) in enumerate(self.edges)
        ]
        return {"nodes": [ends[0], *self.nodes, ends[1]], "edges": edges}

    def _before(self) -> list[str]:
        earlier = list(self._seen)
        if len(earlier) < 3 or self._rng.random() < 0.7:
            return earlier[-1:]
        other = self._rng.choice(earlier[1:])
        return sorted({earlier[-1], other}) if self._rng.random() < 0.6 else [other]

    def _add(
        self,
        kind: str,
        ways: list[tuple[str, str]],
        reads: tuple[Name, ...],
        keeps: tuple[Name, ...],
    ) -> None:
        """Add a node from which others may start."""
        identity, made = self._place(kind, ways, reads)
        self._seen[identity] = (*keeps, *made.names)

    def _place(
        self, kind: str, ways: list[tuple[str, str]], reads: tuple[Name, ...], path: str = ""
    ) -> tuple[str, Made]:
        maker: Callable[[Draft, Writer, str], Made]
        if kind == _DECISION:
            maker = decision_node
        else:
            maker = shared_node if kind == "shared" else MAKERS[kind][0]
        identity = self._next()
        writer = Writer(self._rng, reads, self._draft.nullable)
        made = maker(self._draft, writer, path or f"{self._letter}{identity[1:]}")
        self._put(identity, made.kind, made.content, ways)
        return identity, made

    def _put(self, identity: str, kind: str, content: Json, ways: list[tuple[str, str]]) -> None:
        for row, rule in enumerate(content.get("rules", ())):
            rule["_id"] = f"{identity}-{row}"
        self.nodes.append(_node(identity, kind, content))
        self.edges += ((one, identity, handle) for one, handle in ways)

    def _next(self) -> str:
        self._count += 1
        return f"n{self._count - 1}"

    def _switch(self, policy: str, ways: list[tuple[str, str]], names: tuple[Name, ...]) -> None:
        """A switch, a node for most of its statements, and the node where they join."""
        rng = self._rng
        identity = self._next()
        writer = Writer(rng, names, self._draft.nullable)
        conditions = [writer.expr("boolean") for _ in range(rng.randint(1, 2))]
        statements = [
            {"id": f"s{i}", "condition": text}
            for i, text in enumerate([*conditions, Text.same("")])
        ]
        content = {"hitPolicy": policy, "statements": statements}
        self._put(identity, "switchNode", content, ways)
        handles = [(identity, str(item["id"])) for item in statements]
        if policy == "first" and rng.random() < 0.6:
            ends, seen = self._same_names(handles, names)
        else:
            ends, seen = self._own_names(handles, names, always=policy == "collect")
        kind = rng.choices(list(_WEIGHTS), list(_WEIGHTS.values()))[0]
        self._add(kind, ends, (*names, *seen), (*names, *seen))

    def _same_names(
        self, handles: list[tuple[str, str]], names: tuple[Name, ...]
    ) -> tuple[list[tuple[str, str]], list[Name]]:
        path = f"{self._letter}{self._count}"
        placed = [self._place("shared", [way], names, path) for way in handles]
        same = zip(*(made.names for _, made in placed), strict=True)
        return [(one, "") for one, _ in placed], [_widest(*each) for each in same]

    def _own_names(
        self, handles: list[tuple[str, str]], names: tuple[Name, ...], *, always: bool
    ) -> tuple[list[tuple[str, str]], list[Name]]:
        ends: list[tuple[str, str]] = []
        seen: list[Name] = []
        kinds = {kind: weight for kind, weight in _ALL.items() if kind not in _SWITCHES}
        for way in handles:
            if (always and way == handles[-1]) or self._rng.random() < STRAIGHT:
                ends.append(way)
                continue
            kind = self._rng.choices(list(kinds), list(kinds.values()))[0]
            identity, made = self._place(kind, [way], names)
            ends.append((identity, ""))
            seen += made.names if self._rng.random() < UNMADE else ()
        return ends, seen


def _widest(*same: Name) -> Name:
    first = same[0]
    digits, scale = max(name.digits for name in same), max(name.scale for name in same)
    return Name(first.name, first.kind, digits, scale)


def shared_node(_: Draft, writer: Writer, path: str) -> Made:
    """Names that every branch of a switch makes, each in its own way."""
    texts = {kind: writer.expr(kind) for kind in ("number", "boolean")}
    listed = [{"id": kind, "key": f"{path}.{kind}", "value": text} for kind, text in texts.items()]
    names = [Name(f"{path}.{kind}", kind, t.digits, t.scale) for kind, t in texts.items()]
    content = {**SHARED, "outputPath": None, "expressions": listed}
    return Made("expressionNode", content, tuple(names))


def decision_node(draft: Draft, _: Writer, path: str) -> Made:
    """A graph of its own with the same inputs; its names stand under the node's path."""
    key = f"decision{len(draft.decisions)}"
    draft.decisions[key] = {}
    kinds = draft.rng.choices(list(_WEIGHTS), list(_WEIGHTS.values()), k=2)
    if draft.rng.random() < 0.3:
        kinds.append(draft.rng.choice(list(_SWITCHES)))
    graph = Graph(draft, "w").grow(kinds)
    draft.decisions[key] = graph.document(draft.seen)
    content = {"key": key, "passThrough": True, "inputField": None, "outputPath": path}
    return Made("decisionNode", content, tuple(_under(path, graph.made)))


def _under(path: str, names: tuple[Name, ...]) -> Iterator[Name]:
    for name in names:
        outside = f"{path}.{name.name}"
        yield Name(outside, name.kind, name.digits, name.scale, words=name.words)


def kinds_of(rng: random.Random, count: int) -> list[str]:
    """Some kinds of parts; always one rule table, which covers what null tests read."""
    kinds = rng.choices(list(_ALL), list(_ALL.values()), k=count - 2)
    kinds.insert(rng.randint(0, len(kinds)), "duties")
    kinds.insert(rng.randint(len(kinds) // 2, len(kinds)), "rules by collect")
    return kinds


def _node(identity: str, kind: str, content: dict[str, Any]) -> Json:
    return {"id": identity, "name": identity.upper(), "type": kind, "content": content}
