"""
Policies from a seed: typed, in our dialect, a median of eight nodes, and the same ones each time.

`policy(seed, number)` depends on its two arguments alone, so that one pair can be repeated without
those before it.
"""

import random
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

from tests.integration.policy.differential.calls import duties
from tests.integration.policy.differential.graphs import Graph, kinds_of
from tests.integration.policy.differential.nodes import Draft, Json
from tests.integration.policy.differential.writer import DAYS, Name

#: Nodes between the input and the output: with those two, a median of eight.
INNER: Final = (4, 5, 6, 6, 6, 7, 8)
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
    graph = Graph(draft, "v").grow(kinds_of(rng, rng.choice(INNER)))
    document = {
        "contentType": "application/vnd.gorules.decision",
        "x-policy": HEADER,
        **graph.document(inputs),
    }
    if draft.decisions:
        document["x-decisions"] = draft.decisions
    return Sample(number, document, draft.models, inputs)
