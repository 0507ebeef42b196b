"""Inputs from JSON bytes: the fast way and the careful one see the same, or refuse the same."""

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from adapters.inbound.input_structs import input_reader
from decision_engine.policy.compile import CompiledPolicy
from decision_engine.policy.json_inputs import read_inputs
from decision_engine.policy.quick import BySteps, InputStruct
from domain.errors import InvalidInputError
from tests.unit.policy.build import Json, built, expressions, rules

PROPERTIES: Json = {
    "class": {
        "type": "object",
        "properties": {
            "a": {"type": "number", "x-scale": 2, "minimum": 0},
            "from": {"type": "object", "properties": {"n": {"type": "integer", "maximum": 9}}},
        },
    },
    "b": {"type": "number"},
    "m": {"type": "integer", "minimum": 0},
    "h": {"type": "number", "x-scale": 3, "minimum": 0, "maximum": 0.5},
    "z": {"type": "integer", "minimum": -5, "maximum": 0},
    "s": {"type": "string", "enum": ["x", "y"]},
    "t": {"type": "string"},
    "f": {"type": "boolean"},
    "unread": {"type": "number", "x-scale": 1},
}
GOOD: Json = {
    "class": {"a": 1.5, "from": {"n": 3}},
    "b": 0.25,
    "m": 7,
    "h": 0.25,
    "z": -1,
    "s": "x",
    "t": "é",
    "f": True,
    "unread": 1,
}
LEAVES: st.SearchStrategy[str] = st.one_of(
    st.integers(-9, 12).map(str),
    st.integers(-(10**20), 10**20).map(str),
    st.sampled_from(["1.50", "0.005", "-0.0", "1e3", "1E-3", "37.0", "1e22", "1e400", "-0"]),
    st.sampled_from(["9007199254740993.0", "123456789012345678.25", "NaN", "01", "1.", "5," * 2]),
    st.sampled_from(['"x"', '"1.5"', '"z"', '"a:b"', '"\\u00e9"', '"\\ud800"', '"\\u0000"']),
    st.sampled_from(["true", "false", "null", "[]", "[1]", "{}", '{"n": 1}', ""]),
)


@st.composite
def documents(draw: st.DrawFn) -> bytes:
    """Documents with at most a few leaves that are not the good ones, and now and then more."""
    leaves = {
        "a": "1.5", "n": "3", "b": "0.25", "m": "7", "s": '"x"', "t": '"é"', "f": "true",
        "h": "0.5", "z": "0", "unread": "1",
    }  # fmt: skip
    for name in draw(st.sets(st.sampled_from(sorted(leaves)), max_size=2)):
        leaves[name] = draw(LEAVES)
    inner = f'{{"a": {leaves["a"]}, "from": {{"n": {leaves["n"]}}}}}'
    members = [f'"class": {inner}', *(f'"{name}": {leaves[name]}' for name in "bmstfhz")]
    members.append(f'"unread": {leaves["unread"]}')
    more = st.sampled_from(['"b": 1', '"zz": 1', '"class.a": 2', '"class": {}', '"": 0'])
    members += draw(st.lists(more, max_size=1))
    taken = draw(st.sets(st.integers(0, len(members) - 1), max_size=1))
    text = ", ".join(draw(st.permutations([m for i, m in enumerate(members) if i not in taken])))
    return f"{{{text}}}{draw(st.sampled_from(['', ' ', 'x']))}".encode()


def policy() -> CompiledPolicy:
    return built(
        expressions("e", {
            "d.x": "class.a * 2 + b - class.from.n + h - z",
            "d.t": "t + s",
            "d.f": "f and m > 1",
        }),
        properties=PROPERTIES,
    )  # fmt: skip


POLICY = policy()
#: The same, with a table that has too many rows to become code.
STEPWISE = built(
    expressions("e", {
        "d.x": "class.a * 2 + b - class.from.n + h - z",
        "d.t": "t + s",
        "d.f": "f and m > 1",
    }),
    rules(*[(f"r{number}", f"== {number}", "refer") for number in range(65)], fields=("m",)),
    properties=PROPERTIES,
)  # fmt: skip
READ = input_reader(POLICY)


@given(documents())
@example(json.dumps(GOOD).encode())
@example(b"")
@example(b"\xff")
@example(b"[" * 100_000)
def test_the_fast_way_says_what_the_careful_one_says(raw: bytes) -> None:
    try:
        careful = read_inputs(raw)
    except InvalidInputError as refused:
        with pytest.raises(InvalidInputError, match=str(refused)):
            READ(raw)
        return

    found = READ(raw)

    assert POLICY.evaluate(found, {}) == POLICY.evaluate(careful, {})
    struct = POLICY.struct(careful)
    if isinstance(found, InputStruct):
        assert struct is not None
        assert (dict(found), found.facts) == (dict(struct), struct.facts)


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"b": -3},
        {"unread": 2.5},
        {"class": {"a": 10**13, "from": {"n": -7}}},
        {"t": "\u2028\U0001f600"},
    ],
)
def test_complete_inputs_are_a_struct(change: Json) -> None:
    raw = json.dumps(GOOD | change, ensure_ascii=False).encode()

    found = READ(raw)

    assert isinstance(found, InputStruct)
    assert dict(found) == {
        name: value for name, value in read_inputs(raw).items() if name != "unread"
    }


@pytest.mark.parametrize(
    "change",
    [
        {"b": None},
        {"b": "1.5"},
        {"b": True},
        {"b": [1]},
        {"m": True},
        {"m": 1.5},
        {"m": -1},
        {"h": -0.001},
        {"h": 0.501},
        {"z": 1},
        {"z": -6},
        {"m": 10**18},
        {"class": {"a": 10**18, "from": {"n": 3}}},
        {"f": 1},
        {"s": "z"},
        {"class": {"a": 1.005, "from": {"n": 3}}},
        {"class": {"a": 1, "from": {"n": 10}}},
        {"class": {"a": 1, "from": 5}},
        {"class": 1},
    ],
)
def test_what_is_no_value_is_missing_whichever_way_it_came(change: Json) -> None:
    raw = json.dumps(GOOD | change).encode()

    found = READ(raw)

    assert not isinstance(found, InputStruct)
    assert POLICY.evaluate(found, {}).missing
    assert POLICY.struct(read_inputs(raw)) is None


def test_a_number_beyond_doubles_keeps_every_digit() -> None:
    raw = json.dumps(GOOD).replace("0.25", "123456789012345678.123456789012").encode()

    found = READ(raw)

    assert found["b"] == Decimal("123456789012345678.123456789012")


@pytest.mark.parametrize("reads", ["1", "b + 1", "sum(l)"])
def test_policies_that_read_little_or_lists_are_read_carefully(reads: str) -> None:
    listed = {"type": "array", "items": {"type": "number"}}
    small = built(expressions("e", {"d.x": reads}), properties=PROPERTIES | {"l": listed})

    assert input_reader(small)(b'{"b": 2}') == {"b": Decimal(2)}


def test_a_policy_of_steps_is_read_at_once_too() -> None:
    many = rules(*[(f"r{i}", f"== {i}", "refer") for i in range(65)], fields=("m",))
    stepped = built(
        expressions("e", {"d.x": "b + class.a", "d.y": "upper(t) + s"}), many, properties=PROPERTIES
    )
    assert isinstance(stepped.quick, BySteps)
    raw = json.dumps(GOOD).encode()
    found: Any = input_reader(stepped)(raw)

    assert isinstance(found, InputStruct)
    assert stepped.evaluate(found, {}) == stepped.evaluate(read_inputs(raw), {})
    assert [result.rule_id for result in stepped.evaluate(found, {}).asks] == ["r7"]


VALUES = st.one_of(
    st.decimals(min_value=-10, max_value=10, places=3),
    st.sampled_from([Decimal("NaN"), Decimal("1E+3"), None, "x", "é", True, Decimal(3)]),
)


NAMES = st.sampled_from(["class.a", "class.from.n", "b", "s", "t", "f", "no"])


@given(st.sampled_from([POLICY, STEPWISE]), st.dictionaries(NAMES, VALUES))
def test_a_varied_struct_is_the_struct_of_the_varied_inputs(
    policy: CompiledPolicy, changes: dict[str, Any]
) -> None:
    inputs = read_inputs(json.dumps(GOOD).encode())
    struct = policy.struct(inputs)
    assert struct is not None
    before = struct.facts

    varied, whole = policy.varied(struct, changes), policy.struct({**inputs, **changes})

    assert struct.facts is before
    assert (varied is None) == (whole is None)
    if varied is not None and whole is not None:
        assert (varied.facts, dict(varied)) == (whole.facts, dict(whole))
        assert policy.evaluate(varied, {}) == policy.evaluate({**inputs, **changes}, {})


def test_what_a_policy_does_not_read_varies_nothing() -> None:
    struct = STEPWISE.struct(read_inputs(json.dumps(GOOD).encode()))
    assert struct is not None

    varied = STEPWISE.varied(struct, {"no": Decimal(1), "b": Decimal(4)})

    assert varied is not None
    assert dict(varied) == {**struct, "b": Decimal(4)}
