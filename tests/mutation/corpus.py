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
from tests.mutation.branching import BRANCHING
from tests.mutation.calls import calls
from tests.mutation.features import EDGES, FEATURES
from tests.mutation.indexed import indexed
from tests.mutation.integers import INTEGER_EDGES, integers
from tests.mutation.made import random_samples, tables
from tests.mutation.policies import CARDS, ODD_CARDS, POLICIES
from tests.unit.policy.build import Json, document, expressions, raw, rules, table

ROOT: Final = Path(__file__).resolve().parents[2]
SEED: Final = 20261124
MIXED: Final = 25
#: A node with so many expressions is also taken apart.
MANY: Final = 10
_NUMBER: Final = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")
#: Names that hold digits are no numbers of the policy.
_KEYS: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_WORD: Final = re.compile(r"[a-z]+")
WRONG: Final[tuple[Any, ...]] = (
    *(None, True, False, "", "x", 1, 1.5, b"x", "\ud800", Decimal("NaN"), Decimal("sNaN")),
    *(Decimal("Infinity"), Decimal("0.0000000000001"), Decimal(10) ** 18, -(Decimal(10) ** 18)),
    *(Decimal(f"{'9' * 18}.{'9' * 12}"), Decimal("0.005"), Decimal("-0.00"), Decimal("1E+40")),
)
_CARDS: Final = tuple(raw(card) for card in CARDS.values())
NASTY: Final[tuple[Any, ...]] = (
    *(None, True, 0, -1, 1, 10**7, "", "x", "1.5", "-0.5", "1e3", [], {}, [0, 10_000], [0, 10_001]),
)


Inputs = tuple[dict[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Subject:
    """
    Policies, each with the inputs to evaluate it on (none: it is refused), and their scorecards.

    `checked` policies go the whole way of a publish; the others are evaluated whatever the checks
    say of them. Without policies, the scorecards alone are read.
    """

    name: str
    policies: tuple[tuple[bytes, Inputs], ...]
    models: tuple[bytes, ...]
    checked: bool = False


def subjects() -> list[Subject]:
    """Return all of them, the small policies first: most mutants die early."""
    small = [
        Subject(name, tuple(_alone(policy, EDGES.get(name, {}))), _CARDS, name in FEATURES)
        for name, policy in {**POLICIES, **BRANCHING, **FEATURES, **tables()}.items()
    ]
    small += [
        Subject(name, tuple(_alone(policy, INTEGER_EDGES)), ())
        for name, policy in integers().items()
    ]
    drawn = [
        Subject(name, ((policy, tuple(inputs)),), _CARDS)
        for name, policy, inputs in (*random_samples(), *indexed())
    ]
    faulty = Subject("scorecards", (), tuple(cards()))
    return [*small, *drawn, *_combined(), faulty, *_shipped(), *_refused()]


def _alone(policy: Json, given: dict[str, list[Any]]) -> Iterator[tuple[bytes, Inputs]]:
    """
    Yield the policy, then one for each expression where there are many that stand alone.

    A value that is missing ends the run in two values, which then judges nothing of the others.
    """
    inputs = tuple(_inputs(policy, [], given))
    yield raw(policy), inputs
    listed = policy["nodes"][1]["content"].get("expressions", ())
    for item in listed if len(listed) >= MANY else ():
        if "$." not in item["value"]:
            names = set(_WORD.findall(item["value"]))
            some = [{n: v for n, v in each.items() if n in names} for each in inputs]
            known = {repr(each): each for each in some if None not in each.values()}
            yield raw(_with(policy, item)), tuple(known.values())


def _with(policy: Json, expression: Json) -> Json:
    """Return the policy with this expression alone."""
    changed: Json = json.loads(json.dumps(policy))
    changed["nodes"][1]["content"]["expressions"] = [expression]
    del changed["nodes"][2:-1]
    del changed["edges"][1:-1]
    changed["edges"][-1]["sourceId"] = changed["nodes"][1]["id"]
    return changed


def cards() -> list[bytes]:
    """Return a scorecard with one thing changed at a time, most of them faulty."""
    found = [*(raw(card) for card in (*CARDS.values(), *ODD_CARDS)), b"[]", b"{"]
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


def _inputs(
    policy: Json, bases: list[dict[str, Any]], given: dict[str, list[Any]]
) -> Iterator[dict[str, Any]]:
    """Every edge from every base, then mixtures of edges, missing and wrong values."""
    random_ = random.Random(SEED)
    found = {name: _edges(leaf, policy) for name, leaf in leaves(policy).items()}
    values = {**found, **given}
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
    if leaf["type"] == "array":
        return [[], [Decimal(1)]]
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
    for number in range(8):
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
        inputs = list(_inputs(policy, [], {}))[::4]
        yield Subject(f"combined {number}", ((raw(policy), tuple(inputs)),), ())


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
        inputs = [*bases, *list(_inputs(read, bases[:1], {}))[::5]]
        models = (card.read_bytes(),)
        yield Subject(policy.name, ((policy.read_bytes(), tuple(inputs)),), models, checked=True)


def _value(value: Any, leaf: Json) -> Any:
    if value == "":
        return None
    return value if leaf["type"] in ("string", "boolean") else Decimal(value)


def _refused() -> Iterator[Subject]:
    """Policies that are refused, and one that is warned about: nothing else of them may run."""
    missing = rules(("r1", "a == null", "reduce"))
    gap = table("v", ["a"], ["v.out"], [["v1", "<= 1", "1"], ["v2", ">= 1.02", "2"]])
    hole = table("v", ["a"], ["v.out"], [["v1", "< 1", "1"], ["v2", "> 1", "2"]])
    overlap = table("v", ["n"], ["v.out"], [["v1", "<= 3", "1"], ["v2", ">= 3", "2"]])
    syntax = rules(("r1", "a >", "decline"))
    for number, policy in enumerate(
        (
            *(document(each) for each in (missing, gap, hole, syntax)),
            *({}, document(properties={}), calls()),
        )
    ):
        yield Subject(f"refused {number}", ((raw(policy), ()),), (), checked=True)
    inputs: tuple[dict[str, Any], ...] = ({"n": Decimal(3)}, {"n": Decimal(4)}, {})
    yield Subject("warned", ((raw(document(overlap)), inputs),), (), checked=True)
