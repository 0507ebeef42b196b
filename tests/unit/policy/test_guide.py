"""docs/policies.md is true: every example is run, and comes out as it says."""

import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import pytest

from decision_engine.policy.compile import compile_policy
from decision_engine.policy.functions.registry import FUNCTIONS
from decision_engine.policy.scorecard import Scorecard
from decision_engine.policy.values import plain
from tests.unit.policy.build import compiled, document, expressions, raw

GUIDE: Final = (Path(__file__).parents[3] / "docs" / "policies.md").read_text(encoding="utf-8")
EXAMPLES: Final = [json.loads(text) for text in re.findall(r"```json\n(.*?)```", GUIDE, re.DOTALL)]
EXPRESSIONS: Final = re.findall(r"^\| `(.+?)` \| `(.+?)` \|", GUIDE, re.MULTILINE)
#: Functions that take a closure, and `round`, which the parser knows by itself.
SPECIAL: Final = {"map", "flatMap", "filter", "some", "all", "none", "one", "count", "round"}


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example["nodes"][0]["name"])
def test_an_example_comes_out_as_written(example: dict[str, Any]) -> None:
    policy = document(*example["nodes"], properties=example["inputs"])
    policy |= {key: example[key] for key in ("edges", "x-decisions") if key in example}
    models = {each["id"]: Scorecard.parse(raw(each)) for each in example.get("models", ())}
    given = {name: _value(value) for name, value in example["given"].items()}

    found = compile_policy(raw(policy), models).evaluate(given, {})

    shown = {name: None if v is None else plain(v) for name, v in found.values.items()}
    assert shown.items() >= example.get("values", {}).items()
    missing = {name: list(inputs) for name, inputs in found.missing.items()}
    assert missing == example.get("missing", {})
    results = {result.rule_id: result.result for result in found.results}
    assert results == example.get("rules", {})


@pytest.mark.parametrize(("expression", "value"), EXPRESSIONS)
def test_an_expression_is_what_the_guide_says(expression: str, value: str) -> None:
    found = compiled(expressions("e", {"k": expression})).evaluate({}, {}).values["k"]

    assert found is not None
    assert plain(found) == value


def test_every_function_has_an_example() -> None:
    shown = {name for text, _ in EXPRESSIONS for name in re.findall(r"([a-zA-Z]+)\(", text)}

    assert shown >= FUNCTIONS.keys() | SPECIAL


def _value(given: Any) -> Any:
    if isinstance(given, list):
        return tuple(map(_value, given))
    if isinstance(given, dict):
        return {name: _value(value) for name, value in given.items()}
    number = isinstance(given, str) and re.fullmatch(r"-?[0-9.]+", given)
    return Decimal(given) if number else given
