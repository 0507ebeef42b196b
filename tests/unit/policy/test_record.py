"""The record of an evaluation: prepared or not, its bytes are the canonical ones."""

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from decision_engine.policy.compile import CompiledPolicy
from decision_engine.policy.evaluation import Evaluation
from decision_engine.policy.record import recorder, text_of
from decision_engine.policy.values import plain
from domain.canonical import encode
from tests.unit.policy.build import SCHEMA, built, expressions, rules, table
from tests.unit.policy.test_whole import INPUTS, numbers, policy_of


def expected(policy: CompiledPolicy, inputs: Any, found: Evaluation) -> bytes:
    def texts(values: Any) -> dict[str, str | None]:
        return {name: None if value is None else plain(value) for name, value in values.items()}

    read = {field.name: inputs.get(field.name) for field in policy.reads}
    bits = found.bits.hex()
    return encode(
        {"policy": policy.hash, "bits": bits, "inputs": texts(read), "values": texts(found.values)}
    )


@given(st.data())
def test_prepared_bytes_are_the_canonical_bytes(data: st.DataObject) -> None:
    policy = policy_of(data.draw(numbers(2)), data.draw(numbers(2)), "f or a > 1")
    record = recorder(policy)

    for inputs in data.draw(st.lists(INPUTS, min_size=2, max_size=4)):
        read = policy.struct(inputs)
        assert read is not None
        found = policy.evaluate(read, {})
        assert record(read, found) == record(inputs, found) == expected(policy, inputs, found)


@pytest.mark.parametrize(
    "text", ["", '"quoted" \\ {}', "%s %d %%", "é\u2028\U0001f600\x00", "a" * 99]
)
def test_texts_and_booleans_are_quoted_as_the_encoder_does(text: str) -> None:
    policy = built(
        expressions("e", {"k.t": "t + s", "k.f": "not f", "k.d": "a / 3", "k.big": "a ^ 3"}),
        rules(("r0", '== "x"', "refer"), ("r1", '== "y"', "decline"), fields=("s",)),
        table("v", ["b"], ["word"], [["v0", "> 0", "t"], ["v1", "", '"%s"']], outputPath="v"),
    )
    inputs: dict[str, Any] = {"a": Decimal("10.50"), "b": Decimal(-1), "f": False, "s": "x"}
    inputs["t"] = text
    read = policy.struct(inputs)

    assert read is not None
    found = policy.evaluate(read, {})
    raw = recorder(policy)(read, found)
    assert raw == expected(policy, inputs, found)
    assert json.loads(raw)["inputs"] == {"a": "10.5", "b": "-1", "f": "false", "s": "x", "t": text}


def test_what_is_missing_is_null_and_steps_have_records_too() -> None:
    listed = {"l": {"type": "array", "items": {"type": "number"}, "maxItems": 3}}
    for node in (expressions("k", {"k.n": "a + b"}), expressions("k", {"k.n": "sum(l) + a"})):
        policy = built(
            node, rules(("r0", "> 1", "refer"), fields=("a",)), properties=SCHEMA | listed
        )
        inputs: dict[str, Any] = {"a": None, "b": Decimal(1), "l": (Decimal(2), Decimal("0.5"))}
        found = policy.evaluate(inputs, {})

        raw = recorder(policy)(inputs, found)

        assert raw == expected(policy, inputs, found)
        assert json.loads(raw)["values"] == {"k.n": None}
        whole = inputs | {"a": Decimal(1)}
        read = policy.struct(whole)
        assert read is not None
        assert recorder(policy)(read, policy.evaluate(read, {})) == expected(
            policy, whole, policy.evaluate(whole, {})
        )


def test_a_record_of_another_policys_evaluation_is_not_made_of_its_numbers() -> None:
    one, other = policy_of("a", "b", "c > 1"), policy_of("u - b", "c", "c > 2")
    inputs: dict[str, Any] = dict.fromkeys("abcun", Decimal(1)) | {"b": Decimal(7)}
    mine, others = one.struct(inputs), other.struct(inputs)

    assert mine is not None
    assert others is not None
    for read, found in (
        (mine, other.evaluate(inputs, {})),
        (others, one.evaluate(inputs, {})),
        (others, other.evaluate(others, {})),
    ):
        assert recorder(one)(read, found) == expected(one, read, found)


@given(st.integers(0, 12), st.integers())
def test_a_scaled_integer_has_the_text_of_its_number(scale: int, number: int) -> None:
    assert text_of(scale)(number) == plain(Decimal(f"{number}E-{scale}"))
