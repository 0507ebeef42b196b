"""
Policies from a seed: typed, in our dialect, a median of eight nodes, and the same ones each time.

`policy(seed, number)` depends on its two arguments alone, so that one pair can be repeated without
those before it.
"""

import json
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Final

from tests.integration.policy.differential.calls import duties
from tests.integration.policy.differential.nodes import MAKERS, Draft, Json, Made
from tests.integration.policy.differential.writer import DAYS, Name, Writer

#: Nodes between the input and the output: with those two, a median of eight.
INNER: Final = (4, 5, 6, 6, 6, 7, 8)
MOST: Final = 4
_TENTHS: Final[Json] = {"type": "number", "minimum": -50, "maximum": 50, "x-scale": 1}
ITEMS: Final[Mapping[str, Json]] = {
    "numbers": _TENTHS,
    "records": {
        "type": "object",
        "properties": {
            "rest": _TENTHS,
            "late": {"type": "boolean"},
            "tag": {"type": "string", "enum": ["x", "y", "z"]},
        },
    },
}
HEADER: Final[Json] = {"id": "p", "version": 1, "product": "loan", "title": "P", "owner": "risk"}

_POOL: Final = (
    Name("ask.amount", "number", 4, 2, Decimal(0), Decimal(1000)),
    Name("ask.term", "number", 2, 0, Decimal(1), Decimal(60)),
    Name("client.income", "number", 3, 2, Decimal(0), Decimal(500)),
    Name("client.ratio", "number", 1, 4, Decimal(0), Decimal(1)),
    Name("client.segment", "string", words=("x", "y", "z")),
    Name("client.since", "string", words=DAYS),
    Name("client.channel", "string", words=("app", "web")),
    Name("past.late", "number", 2, 0, Decimal(0), Decimal(10)),
    Name("past.balance", "number", 3, 2, Decimal(-100), Decimal(100)),
    Name("past.months", "number", 2, 1, Decimal(0), Decimal(24)),
    Name("is.active", "boolean"),
    Name("is.fresh", "boolean"),
)
#: Every policy has these lists.
_LISTS: Final = (Name("past.dues", "numbers", 2, 1), Name("past.loans", "records", 2, 1))


@dataclass(frozen=True, slots=True)
class Sample:
    """A policy as JDM over `Text`s, the models that it names, and its inputs."""

    number: int
    document: Json
    models: dict[str, Json]
    inputs: tuple[Name, ...]


def policy(seed: int, number: int, attempt: int = 0) -> Sample:
    """Return one policy of a seed."""
    rng = random.Random(f"policy {seed} {number} {attempt}")
    numeric = [name for name in _POOL if name.kind == "number"]
    others = [name for name in _POOL if name.kind != "number"]
    chosen = {*rng.sample(numeric, rng.randint(3, 5)), *rng.sample(others, rng.randint(2, 3))}
    inputs = tuple(replace(name, given=True) for name in _POOL if name in chosen)
    draft = Draft(rng, inputs, rng.choice(inputs).name, (*inputs, *_LISTS), duties(number))
    inputs = draft.seen
    nodes, edges = _graph(draft)
    ends = (
        _node("in", "inputNode", {"schema": json.dumps(schema(inputs))}),
        _node("out", "outputNode", {}),
    )
    document = {
        "contentType": "application/vnd.gorules.decision",
        "x-policy": HEADER,
        "nodes": [ends[0], *nodes, ends[1]],
        "edges": [
            {"id": f"edge{i}", "type": "edge", "sourceId": one, "targetId": two}
            for i, (one, two) in enumerate(edges)
        ],
    }
    return Sample(number, document, draft.models, inputs)


def _graph(draft: Draft) -> tuple[list[Json], list[tuple[str, str]]]:
    """Mostly a line; some nodes start from an earlier one, or join two."""
    rng = draft.rng
    kinds = _kinds(rng)
    nodes: list[Json] = []
    edges: list[tuple[str, str]] = []
    seen: dict[str, tuple[Name, ...]] = {"in": draft.seen}
    for index, kind in enumerate(kinds):
        identity = f"n{index}"
        before = _before(rng, list(seen))
        names = tuple(dict.fromkeys(name for one in before for name in seen[one]))
        made: Made = MAKERS[kind][0](draft, Writer(rng, names, draft.nullable), f"v{index}")
        for row, rule in enumerate(made.content.get("rules", ())):
            rule["_id"] = f"{identity}-{row}"
        nodes.append(_node(identity, made.kind, made.content))
        edges += ((one, identity) for one in before)
        seen[identity] = (*names, *made.names)
    sources = {one for one, _ in edges}
    edges += ((one, "out") for one in seen if one not in sources)
    return nodes, edges


def _kinds(rng: random.Random) -> list[str]:
    """Some kinds of nodes; always one rule table, which covers what null tests read."""
    weights = [weight for _, weight in MAKERS.values()]
    kinds = rng.choices(list(MAKERS), weights, k=rng.choice(INNER) - 2)
    kinds.insert(rng.randint(0, len(kinds)), "duties")
    kinds.insert(rng.randint(len(kinds) // 2, len(kinds)), "rules by collect")
    return kinds


def _before(rng: random.Random, earlier: list[str]) -> list[str]:
    if len(earlier) < 3 or rng.random() < 0.7:
        return earlier[-1:]
    other = rng.choice(earlier[1:])
    return sorted({earlier[-1], other}) if rng.random() < 0.6 else [other]


def _node(identity: str, kind: str, content: Json) -> Json:
    return {"id": identity, "name": identity.upper(), "type": kind, "content": content}


def schema(inputs: tuple[Name, ...]) -> Json:
    """Return the inputs as a JSON Schema whose leaves stand in groups."""
    groups: dict[str, Any] = {}
    for name in inputs:
        group, leaf = name.name.split(".")
        held = groups.setdefault(group, {"type": "object", "properties": {}})
        held["properties"][leaf] = dict(_leaf(name))
    return {"type": "object", "properties": groups}


def _leaf(name: Name) -> Iterator[tuple[str, Any]]:
    if name.kind in ("numbers", "records"):
        yield "type", "array"
        yield "maxItems", MOST
        yield "items", ITEMS[name.kind]
        return
    if name.kind != "number":
        yield "type", name.kind
        if name.kind == "string":
            yield "enum", list(name.words)
        return
    yield "type", "number" if name.scale else "integer"
    yield "minimum", int(name.low)
    yield "maximum", int(name.high)
    if name.scale:
        yield "x-scale", name.scale
