"""
What judges a mutant: policies with inputs at their edges, and files with one fault each.

Plain data only, made without the policy engine: the judge reads it with a mutated engine.
"""

import json
import random
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from tests.integration.policy.fuzz_inputs import BOOLEANS, CELLS, NUMBERS, places
from tests.mutation.policies import CARDS, POLICIES
from tests.unit.policy.build import Json, document, expressions, raw, rules, table

ROOT: Final = Path(__file__).resolve().parents[2]
SEED: Final = 20261124
MIXED: Final = 60
_NUMBER: Final = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")
#: Names that hold digits are no numbers of the policy.
_KEYS: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
WRONG: Final[tuple[Any, ...]] = (
    *(None, True, False, "", "x", 1, 1.5, b"x", "\ud800", Decimal("NaN"), Decimal("sNaN")),
    *(Decimal("Infinity"), Decimal("0.0000000000001"), Decimal(10) ** 18, -(Decimal(10) ** 18)),
    *(Decimal(f"{'9' * 18}.{'9' * 12}"), Decimal("0.005"), Decimal("-0.00"), Decimal("1E+40")),
)
NASTY: Final[tuple[Any, ...]] = (
    *(None, True, 0, -1, 1, 10**7, "", "x", "1.5", "-0.5", "1e3", [], {}, [0, 10_000], [0, 10_001]),
)


@dataclass(frozen=True, slots=True)
class Subject:
    """One policy with its scorecards and the inputs to evaluate it on; none: it is refused."""

    name: str
    policy: bytes
    models: tuple[bytes, ...]
    inputs: tuple[dict[str, Any], ...]


def subjects() -> list[Subject]:
    """Return all policies, the small ones first: most mutants die early."""
    cards = tuple(raw(card) for card in CARDS.values())
    small = [
        Subject(name, raw(policy), cards, tuple(_inputs(policy, [])))
        for name, policy in POLICIES.items()
    ]
    return [*small, *_combined(), *_shipped(), *_refused()]


def cards() -> list[bytes]:
    """Return a scorecard with one thing changed at a time, most of them faulty."""
    found = [raw(card) for card in CARDS.values()]
    small = {**CARDS["m"], "clamp": [50, 53]}
    text = json.dumps(small)
    for index in range(len(places(small))):
        for value in NASTY:
            changed = json.loads(text)
            container, key = places(changed)[index]
            container[key] = value
            found.append(raw(changed))
        changed = json.loads(text)
        container, key = places(changed)[index]
        del container[key]
        found.append(raw(changed))
    return found


def _inputs(policy: Json, bases: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Every edge from every base, then mixtures of edges, missing and wrong values."""
    random_ = random.Random(SEED)
    values = {name: _edges(leaf, policy) for name, leaf in leaves(policy).items()}
    middle = {name: choices[len(choices) // 2] for name, choices in values.items()}
    for base in bases or [middle]:
        yield base
        for name, choices in values.items():
            yield {other: value for other, value in base.items() if other != name}
            for value in choices:
                yield {**base, name: value}
    base = (bases or [middle])[0]
    for name in values:
        for value in WRONG:
            yield {**base, name: value}
    for _ in range(MIXED):
        yield {name: random_.choice(choices) for name, choices in values.items()}
    for _ in range(MIXED):
        yield {name: random_.choice((*choices, None, None)) for name, choices in values.items()}
    yield {}


def leaves(policy: Json) -> dict[str, Json]:
    """Return the inputs of a policy by their dotted names."""
    node = next(node for node in policy["nodes"] if node["type"] == "inputNode")
    return dict(_leaves(json.loads(node["content"]["schema"]), ""))


def _leaves(schema: Json, prefix: str) -> Iterator[tuple[str, Json]]:
    for key, value in schema["properties"].items():
        if "properties" in value:
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value


def _edges(leaf: Json, policy: Json) -> list[Any]:
    """Each number that the policy writes down, and one unit to either side of it."""
    if leaf["type"] == "boolean":
        return [True, False]
    if leaf["type"] == "string":
        return [*leaf.get("enum", ()), "q", "other"]
    scale = 0 if leaf["type"] == "integer" else int(leaf.get("x-scale", 2))
    unit = Decimal(1).scaleb(-scale)
    texts = json.dumps([node.get("content", {}) for node in policy["nodes"]])
    bins = json.dumps(CARDS["m"]["attributes"]) if '"model": "m"' in texts else ""
    numbers = {Decimal(text) for text in _NUMBER.findall(_KEYS.sub("", texts + bins))}
    ends = {Decimal(leaf[end]) for end in ("minimum", "maximum") if end in leaf}
    near = {
        (number + step).quantize(unit)
        for number in numbers | ends
        for step in (-unit, Decimal(0), unit)
        if abs(number) < 10**6
    }
    return sorted(near)


def _combined() -> Iterator[Subject]:
    """Small policies of random sound parts."""
    random_ = random.Random(SEED)
    for number in range(25):
        columns = rules(
            *(
                (f"r{i}", random_.choice(CELLS), random_.choice(BOOLEANS), "decline")
                for i in range(3)
            ),
            ("cover", "null", "", "refer"),
            fields=("a", ""),
        )
        keys = {f"k{i}": random_.choice(NUMBERS) for i in range(3)}
        policy = document(expressions("e", keys), columns)
        yield Subject(f"combined {number}", raw(policy), (), tuple(list(_inputs(policy, []))[::3]))


def _shipped() -> Iterator[Subject]:
    """The policies with golden cases: each case is a base of its own edges."""
    folder, cases = ROOT / "policies", ROOT / "tests" / "cases"
    for policy, card, golden in (
        (*(cases / "policy" / name for name in ("loan.json", "scorecard.json", "loan.toml")),),
        (
            *(folder / name for name in ("personal-loan.json", "behaviour-scorecard.json")),
            cases / "policies" / "personal-loan.toml",
        ),
    ):
        read = json.loads(policy.read_text(encoding="utf-8"))
        table = tomllib.loads(golden.read_text(encoding="utf-8"), parse_float=Decimal)
        base = {name: _value(value, leaves(read)[name]) for name, value in table["base"].items()}
        changes = [case.get("change", {}) for case in table["case"]]
        known = leaves(read)
        bases = [
            {**base, **{n: _value(v, known[n]) for n, v in change.items() if n in known}}
            for change in changes
        ]
        inputs = [*bases, *_inputs(read, bases[:1])]
        models = (card.read_bytes(),)
        yield Subject(policy.name, policy.read_bytes(), models, tuple(inputs))


def _value(value: Any, leaf: Json) -> Any:
    if value == "":
        return None
    return value if leaf["type"] in ("string", "boolean") else Decimal(value)


def _refused() -> Iterator[Subject]:
    """Policies that are refused or warned about: nothing of them may ever run."""
    missing = rules(("r1", "a == null", "reduce"))
    gap = table("v", ["a"], ["v.out"], [["v1", "<= 1", "1"], ["v2", ">= 1.02", "2"]])
    overlap = table("v", ["n"], ["v.out"], [["v1", "<= 3", "1"], ["v2", ">= 3", "2"]])
    syntax = rules(("r1", "a >", "decline"))
    for number, policy in enumerate(
        (*(document(each) for each in (missing, gap, overlap, syntax)), {}, document(properties={}))
    ):
        yield Subject(f"refused {number}", raw(policy), (), ())
