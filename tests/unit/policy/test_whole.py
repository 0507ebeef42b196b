"""Scaled integers: what they say is what exact decimals say, or they leave it to those."""

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from decision_engine.policy.compile import CompiledPolicy
from decision_engine.policy.quick import AtOnce
from decision_engine.policy.scaled import bounds_of, constant, half_even
from decision_engine.policy.schema import Field
from tests.unit.policy.build import Json, built, expressions, rules, table
from tests.unit.policy.test_quick import quickly, settled, text

PROPERTIES: Json = {
    "a": {"type": "number", "x-scale": 2, "minimum": 0},
    "b": {"type": "number", "x-scale": 2},
    "c": {"type": "number"},
    "u": {"type": "number", "x-scale": 4, "minimum": -1, "maximum": 1.00005},
    "n": {"type": "integer", "minimum": -3, "maximum": 12},
    "f": {"type": "boolean"},
}
LITERALS = ("0", "1", "2.50", "0.005", "100", "0.5", "33.333", "1200000")
NAMES = ("a", "b", "c", "u", "n")


def numbers(depth: int = 3) -> st.SearchStrategy[str]:
    leaves = st.sampled_from(LITERALS) | st.sampled_from(NAMES)
    if depth == 0:
        return leaves
    inner = numbers(depth - 1)
    digits = st.integers(0, 6)
    return st.one_of(
        leaves,
        st.builds("({} {} {})".format, inner, st.sampled_from("+-*"), inner),
        st.builds("({} {} {})".format, inner, st.sampled_from("+-*"), inner),
        st.builds("-{}".format, inner),
        st.builds("max([{}, {}])".format, inner, inner),
        st.builds("min([{}, {}, {}])".format, inner, inner, inner),
        st.builds("round({}, {})".format, inner, digits),
        st.builds("round({} / ({} + 0.01), {})".format, inner, st.sampled_from(NAMES), digits),
        st.builds("abs({})".format, inner),
        st.builds("({} / 7)".format, inner),
        st.builds("({} % 3)".format, inner),
        st.builds("({} ? {} : {})".format, conditions(inner), inner, inner),
    )


def conditions(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.just("f"),
        st.builds("({} {} {})".format, inner, st.sampled_from(("<", "<=", "==", "!=")), inner),
        st.builds("({} in [{}, {}])".format, inner, *[st.sampled_from(LITERALS)] * 2),
        st.builds("({} in ({}..{}])".format, inner, inner, inner),
        st.builds("(not f and {} > 0)".format, inner),
    )


def values(scale: int, low: int, high: int) -> st.SearchStrategy[Decimal]:
    near = st.integers(max(low, -300), min(high, 300)) | st.integers(low, high)
    return near.map(lambda number: Decimal(f"{number}E-{scale}"))


INPUTS: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {
        "a": values(2, 0, 10**20 - 1),
        "b": values(2, 1 - 10**20, 10**20 - 1),
        "c": values(3, -(10**6), 10**6) | values(12, 1 - 10**30, 10**30 - 1),
        "u": values(4, -10_000, 10_000),
        "n": values(0, -3, 12),
        "f": st.booleans(),
    }
)


def policy_of(first: str, second: str, condition: str) -> CompiledPolicy:
    return built(
        expressions("e", {"d.x": first, "d.y": second, "d.again": "d.x * d.y"}),
        rules(("r0", "> 1", "refer"), ("r1", "<= 0.005", "decline"), fields=("d.x",)),
        table("v", ["d.y"], ["out", "word"], [
            ["v0", "> 100", "d.x", '"w"'], ["v1", "[0.5..100]", "d.y", '"x"'],
            ["v2", "", "0.25", '"y"'],
        ], outputPath="v"),
        expressions("g", {"h.z": "v.out * 2 - d.again", "h.if": condition}),
        properties=PROPERTIES,
    )  # fmt: skip


@given(st.data())
def test_scaled_integers_say_what_exact_decimals_say(data: st.DataObject) -> None:
    first, second = data.draw(numbers()), data.draw(numbers())
    policy = policy_of(first, second, data.draw(conditions(numbers(1))))
    assert isinstance(policy.quick, AtOnce)

    for inputs in data.draw(st.lists(INPUTS, min_size=3, max_size=6)):
        found, expected = quickly(policy, inputs), settled(policy, inputs)
        assert found is None or found == expected
        assert policy.evaluate(inputs, {}) == expected
        read = policy.struct(inputs)
        assert read is not None
        assert policy.evaluate(read, {}) == expected
        assert {name: inputs[name] for name in read} == dict(read)
        if found is not None:
            assert list(map(text, found.values.values())) == list(
                map(text, expected.values.values())
            )


def test_usual_numbers_need_no_steps() -> None:
    policy = policy_of("a * 0.05 + b / 4 * u", "round(c / a, 2)", "a in [1, 2.5]")
    inputs: dict[str, Any] = {
        "a": Decimal("2.50"),
        "b": Decimal("1e9"),
        "c": Decimal("-0.0004"),
        "u": Decimal(1),
        "n": Decimal(3),
        "f": True,
    }

    assert quickly(policy, inputs) == settled(policy, inputs)


def test_absurd_numbers_are_left_to_the_steps_which_still_know_them() -> None:
    policy = built(
        expressions("e", {"d.x": "a * b * a", "d.y": "d.x * d.x", "d.z": "d.y - 1"}),
        properties=PROPERTIES,
    )
    usual: dict[str, Any] = {"a": Decimal("100.00"), "b": Decimal("-7.25")}
    absurd = usual | {"a": Decimal("1e15")}

    assert isinstance(policy.quick, AtOnce)
    assert None not in policy.quick.scales.derived.values()
    assert quickly(policy, usual) == settled(policy, usual)
    assert quickly(policy, absurd) is None
    assert policy.evaluate(absurd, {}).values["d.x"] == Decimal("-7.25e30")


@pytest.mark.parametrize(
    ("change", "known"),
    [
        ({"u": Decimal("1.0000")}, True),
        ({"u": Decimal("1.0001")}, False),
        ({"u": Decimal("-1.0001")}, False),
        ({"u": Decimal("0.00001")}, False),
        ({"n": Decimal("12.0")}, True),
        ({"n": Decimal(13)}, False),
        ({"n": Decimal(-4)}, False),
        ({"n": Decimal("NaN")}, False),
        ({"b": Decimal("1e18")}, False),
        ({"b": Decimal("-1e18")}, False),
        ({"b": Decimal("Infinity")}, False),
        ({"b": Decimal("1e999999")}, False),
        ({"a": Decimal("-0.01")}, False),
    ],
)
def test_a_struct_has_values_of_the_schema_only(change: dict[str, Any], known: bool) -> None:  # noqa: FBT001
    policy = policy_of("a + b", "u * n", "c > 1")
    inputs: dict[str, Any] = dict.fromkeys("abcun", Decimal(1)) | {"f": False} | change

    read = policy.struct(inputs)

    assert (read is not None) == known
    assert policy.evaluate(inputs, {}) == settled(policy, inputs)
    assert read is None or len(read) == len(policy.reads)


@pytest.mark.parametrize("value", [None, "1", 1.5, Decimal("1.5"), [], b"1.25", b"1e-2", b"12.5E1"])
def test_another_type_than_json_gives_to_an_input_is_no_value(value: Any) -> None:
    policy = policy_of("a + n", "b", "f and c > 1")
    values = {"a": 1, "b": b"2.5", "c": 3, "n": 4, "f": True}

    assert policy.struct_of(tuple(values[field.name] for field in policy.reads)) is not None
    for name in "abfn":
        changed = values | {name: value}
        struct = policy.struct_of(tuple(changed[field.name] for field in policy.reads))
        assert (struct is None) == (name in "fn" or type(value) is not bytes)
        assert struct is None or struct[name] == Decimal(value.decode())


@pytest.mark.parametrize("value", [b"x", b"1.x", b"", b"\xff", b"-", b"1e", b".", b"NaN"])
def test_bytes_that_are_no_number_are_no_value(value: bytes) -> None:
    steps = policy_of("a", "b", "c > 1")
    many = built(
        rules(*[(f"r{i}", f"== {i}", "refer") for i in range(65)], fields=("n",)),
        expressions("e", {"d.x": "a"}),
        properties=PROPERTIES,
    )

    for policy, usual in ((steps, (1, 2, 3)), (many, (1, 4))):
        assert policy.struct_of(usual) is not None
        for place in range(len(usual)):
            assert policy.struct_of((*usual[:place], value, *usual[place + 1 :])) is None


def test_a_struct_of_another_policy_is_a_mapping_like_any_other() -> None:
    one, other = policy_of("a", "b", "c > 1"), policy_of("u - b", "c", "c > 2")
    inputs: dict[str, Any] = dict.fromkeys("abcun", Decimal(1)) | {"b": Decimal(7)}
    read = one.struct(inputs)

    assert read is not None
    assert dict(read) == {name: inputs[name] for name in "abc"}
    assert other.evaluate(read, {}) == other.evaluate(dict(read), {})
    assert other.evaluate(read, {}).missing["d.x"] == ("u",)


@given(st.integers(), st.integers().filter(bool))
def test_half_even_is_exact(dividend: int, divisor: int) -> None:
    assert half_even(dividend, divisor) == round(Fraction(dividend, divisor))
    assert half_even(dividend * divisor + divisor, 2 * divisor) == round(Fraction(dividend + 1, 2))


@pytest.mark.parametrize(
    ("value", "expected"),
    [("0", (0, 0)), ("12.50", (125, 1)), ("-0.05", (-5, 2)), ("1e3", (1000, 0)), ("1e60", None)],
)
def test_a_written_number_is_an_integer_with_decimals(value: str, expected: Any) -> None:
    term = constant(Decimal(value))

    assert (term and (term.number, term.scale)) == expected


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (None, None, (1 - 10**20, 10**20 - 1)),
        ("0.001", "0.019", (1, 1)),
        ("-0.019", "-0.001", (-1, -1)),
        ("-5", "5", (-500, 500)),
    ],
)
def test_bounds_are_the_integers_inside(low: Any, high: Any, expected: tuple[int, int]) -> None:
    least, most = (None if end is None else Decimal(end) for end in (low, high))
    field = Field(name="x", kind="number", scale=2, minimum=least, maximum=most)

    assert bounds_of(field) == expected
