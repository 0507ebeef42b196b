"""Policies that are made, each from a fixed seed: tables for the index, and random policies."""

import random
from collections.abc import Iterator
from typing import Any, Final

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from tests.unit.policy.build import Json, document, table
from tests.unit.policy.random_branches import branched
from tests.unit.policy.random_policies import Sample, inputs, samples
from tests.unit.policy.test_against_naive import COMPLETE

SEED: Final = 20261124
POLICIES: Final = 14
INPUTS: Final = 6
_OPERATORS: Final = ("<", "<=", ">", ">=", "==", "!=")


def tables() -> dict[str, Json]:
    """Return policies with tables so big that an index finds their rows."""
    random_ = random.Random(SEED)
    found: dict[str, Json] = {}
    for policy in ("first", "priority", "unique"):
        more = ["priority"] if policy == "priority" else []
        rows = [
            [f"v{i}", *_cells(random_), "a + b" if i % 9 else "a / b", *(str(i % 4) for _ in more)]
            for i in range(24)
        ]
        node = table("v", ["a", "s", "n", ""], ["x", *more], rows, hitPolicy=policy)
        found[f"index {policy}"] = document(node)
    steps = [[f"v{i}", f"[{i}..{i + 1})", "", str(i)] for i in range(12)]
    last = [["v12", ">= 12", "f", "a"], ["v13", "", "", "b"]]
    found["index steps"] = document(table("v", ["a", ""], ["x"], [*steps, *last]))
    on_missing = ("", '"decline"', '"no_hit_if_missing"')
    rules = [[f"r{i}", *_cells(random_), '"C"', '"refer"', on_missing[i % 3]] for i in range(24)]
    outputs = ["code", "effect", "onMissing"]
    found["index rules"] = document(table("r", ["a", "s", "n", ""], outputs, rules))
    words = [[f"r{i}", f'"{"xyz"[i % 3]}"', str(i % 7), '"C"', '"refer"', ""] for i in range(21)]
    found["index words"] = document(table("r", ["s", "n"], outputs, words))
    rows = [[f"v{i}", *_cells(random_), "a + b" if i % 9 else "a / b", str(i)] for i in range(24)]
    collect: Json = {"hitPolicy": "collect", "outputPath": "found"}
    found["index collect"] = document(table("v", ["a", "s", "n", ""], ["x", "i"], rows, **collect))
    return found


def _cells(random_: random.Random) -> list[str]:
    low = random_.randrange(8)
    number = random_.choice(
        (
            *("", "", f"{random_.choice(_OPERATORS)} {low}", f"{low}", f"{low}, {low + 3}"),
            *(f"[{low}..{low + 2})", f"({low}..{low + 2}]", f"not in [{low}..{low + 2}]"),
            *(f"< {low} or > {low + 2}", f"> {low} and <= {low + 3}", "<= b"),
        )
    )
    word = random_.choice(("", "", '"x"', '!= "y"', '"x", "z"', 'not in ["z"]'))
    whole = random_.choice(("", "", "", f"> {low}", f"{low}", "null", f"[{low}..{low + 1}]"))
    return [number, word, whole, random_.choice(("", "", "", "f", f"{low} < a", "not (n > 3)"))]


def random_samples() -> Iterator[tuple[str, bytes, list[dict[str, Any]]]]:
    """Yield random policies with random inputs: name, policy, inputs."""
    many = st.lists(inputs(), min_size=INPUTS, max_size=INPUTS)
    for name, strategy in (("random", samples()), ("branched", branched())):
        for number, (sample, values) in enumerate(_drawn(st.tuples(strategy, many))):
            yield f"{name} {number}", sample.policy, [*values, *map(_completed, values)]


def _completed(values: dict[str, Any]) -> dict[str, Any]:
    """Most random inputs lack something; what is complete runs in two values."""
    return COMPLETE | {name: value for name, value in values.items() if value is not None}


def _drawn(
    strategy: st.SearchStrategy[tuple[Sample, list[dict[str, Any]]]],
) -> list[tuple[Sample, list[dict[str, Any]]]]:
    found: list[tuple[Sample, list[dict[str, Any]]]] = []

    def keep(drawn: tuple[Sample, list[dict[str, Any]]]) -> None:
        found.append(drawn)

    options = settings(
        max_examples=POLICIES,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    seed(SEED)(options(given(strategy)(keep)))()
    return found
