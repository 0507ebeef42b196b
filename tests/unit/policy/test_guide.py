"""docs/policies.md is true: every example is run, and comes out as it says."""

import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import pytest

from decision_engine.policy.compile import compile_policy
from decision_engine.policy.values import Value, plain
from tests.unit.policy.build import document, raw

GUIDE: Final = (Path(__file__).parents[3] / "docs" / "policies.md").read_text(encoding="utf-8")
EXAMPLES: Final = [json.loads(text) for text in re.findall(r"```json\n(.*?)```", GUIDE, re.DOTALL)]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example["nodes"][0]["name"])
def test_an_example_comes_out_as_written(example: dict[str, Any]) -> None:
    policy = document(*example["nodes"], properties=example["inputs"])
    policy["edges"] = example.get("edges", policy["edges"])
    compiled = compile_policy(raw(policy), {})
    given = {name: _value(value, example) for name, value in example["given"].items()}

    found = compiled.evaluate(given, {})

    shown = {name: None if v is None else plain(v) for name, v in found.values.items()}
    assert shown.items() >= example.get("values", {}).items()
    assert (
        found.missing.items()
        >= {name: tuple(inputs) for name, inputs in example.get("missing", {}).items()}.items()
    )
    results = {result.rule_id: result.result for result in found.results}
    assert results == example.get("rules", results)


def _value(text: Any, example: dict[str, Any]) -> Value:
    del example
    return Decimal(text) if isinstance(text, str) and re.fullmatch(r"-?[0-9.]+", text) else text
