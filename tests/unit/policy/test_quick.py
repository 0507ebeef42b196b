"""Policies that are all code: one function says what the three-valued steps say, or nothing."""

from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from decision_engine.policy.compile import CompiledPolicy
from decision_engine.policy.evaluation import Evaluation
from decision_engine.policy.quick import AtOnce, BySteps
from decision_engine.policy.values import plain, quotient
from tests.unit.policy.build import SCHEMA, built, compiled, expressions, rules, table

NUMBERS = st.sampled_from(
    [*map(Decimal, ("0", "-0", "1", "2", "3.5", "-7.25", "99999999.99")), *map(Decimal, range(5))]
)
INPUTS = st.fixed_dictionaries(
    {
        "a": NUMBERS | st.sampled_from([None, "x", True, Decimal("NaN"), Decimal("1e18")]),
        "b": NUMBERS,
        "f": st.booleans() | st.none(),
        "s": st.sampled_from(["x", "y", "z", "no", "\ud800", None]),
        "t": st.sampled_from(["x", "é", "a" * 40_000, "\ud800", None]),
    }
)


def whole() -> CompiledPolicy:
    return built(
        expressions("e", {
            "d.sum": "a + b * 2 - 1",
            "d.most": "max([a, b])",
            "d.least": "min([a, 1, b - 1])",
            "d.alone": "max([b])",
            "d.share": "round(a / b, 2)",
            "d.rest": "a % 3",
            "d.square": "b ^ 2",
            "d.chosen": "f ? 1 : a",
            "d.chosen2": "(f ? 1 : a) - b",
            "d.text": "t + t",
        }),
        rules(("r0", "> 1", "refer"), ("r1", "< 0", "decline"), ("r2", "== 3", "refer"),
              fields=("d.sum",)),
        rules(("q0", "> 0", "refer"), fields=("b",), identity="q"),
        table("v", ["d.most"], ["out", "word"],
              [["v0", "> 3", "1", '"w"'], ["v1", "[0..3]", "d.sum - a", "s"]], outputPath="v"),
        expressions("g", {"h.z": "v.out * 2"}),
    )  # fmt: skip


def quickly(policy: CompiledPolicy, inputs: dict[str, Any]) -> Evaluation | None:
    facts = policy.quick.facts_of(inputs)
    return None if facts is None else policy.quick.run(facts, {})


def text(value: Any) -> str | None:
    return None if value is None else plain(value)


def settled(policy: CompiledPolicy, inputs: dict[str, Any]) -> Evaluation:
    return policy._partly_known(policy.settle(policy.start(inputs, {})))


@given(INPUTS)
def test_one_function_says_what_three_values_say(inputs: dict[str, Any]) -> None:
    policy = whole()
    expected = settled(policy, inputs)

    for precision in (28, 2):
        with localcontext(prec=precision):
            found = policy.evaluate(inputs, {})
        assert found == expected
        assert list(map(text, found.values.values())) == list(map(text, expected.values.values()))
        assert found.asks == expected.asks == tuple(r for r in found.results if r.consequence)


def test_it_is_the_one_function_that_answers() -> None:
    policy = whole()
    inputs: dict[str, Any] = {"a": Decimal(2), "b": Decimal(3), "f": True, "s": "x", "t": "y"}

    assert isinstance(policy.quick, AtOnce)
    found = quickly(policy, inputs)
    assert found is not None
    assert [result.rule_id for result in found.asks] == ["r0", "q0"]
    assert found.values["h.z"] == Decimal(10)
    assert found == settled(policy, inputs)


@pytest.mark.parametrize(
    "change",
    [
        *({"a": None}, {"a": 2}, {"a": True}, {"a": Decimal("NaN")}, {"a": Decimal("0.001")}),
        *({"b": Decimal(0)}, {"a": Decimal(-9), "b": Decimal(-9)}, {"s": "no"}, {"s": None}),
        *({"t": "\ud800"}, {"t": "a" * 40_000}, {"f": Decimal(1)}),
    ],
)
def test_it_gives_nothing_for_what_has_no_value(change: dict[str, Any]) -> None:
    policy = whole()
    inputs: dict[str, Any] = {"a": Decimal(2), "b": Decimal(3), "f": True, "s": "x", "t": "y"}

    assert quickly(policy, inputs) is not None
    assert quickly(policy, inputs | change) is None
    assert quickly(policy, {"a": Decimal(2)}) is None
    assert policy.evaluate(inputs | change, {}) == settled(policy, inputs | change)


@pytest.mark.parametrize(
    "node",
    [
        rules(*[(f"r{i}", f"== {i}", "refer") for i in range(65)], fields=("a",)),
        table("v", ["a"], ["out"], [*[[f"v{i}", f"{i}", "1"] for i in range(20)], ["z", "", "0"]],
              outputPath="v"),
        expressions("k", {"k.n": "sum(l)"}),
    ],
)  # fmt: skip
def test_big_tables_and_lists_leave_it_to_the_steps(node: Any) -> None:
    listed = {"type": "array", "items": {"type": "number"}, "maxItems": 3}
    policy = compiled(expressions("e", {"d.x": "a + b"}), node, properties={**SCHEMA, "l": listed})
    inputs: dict[str, Any] = {"a": Decimal(2), "b": Decimal(3), "l": [Decimal(1)]}

    assert isinstance(policy.quick, BySteps)
    assert quickly(policy, inputs) == settled(policy, inputs)
    assert quickly(policy, {"a": Decimal(2), "l": None}) is None


def test_a_context_of_the_thread_comes_back_after_an_error() -> None:
    policy = whole()
    inputs = {"a": Decimal(2), "b": Decimal(0), "f": True, "s": "x", "t": "y"}

    with localcontext(prec=3):
        assert quickly(policy, inputs) is None
        assert Decimal(1) / Decimal(3) == Decimal("0.333")


@given(
    st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**18), max_value=10**18),
    st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-9999, max_value=9999),
    st.integers(0, 12),
)
def test_a_quotient_is_the_exact_one_rounded_once(one: Decimal, two: Decimal, digits: int) -> None:
    if not two:
        with pytest.raises(ArithmeticError):
            quotient(one, two, digits)
        return
    exact = Fraction(one) / Fraction(two)

    assert Fraction(quotient(one, two, digits)) == Fraction(round(exact * 10**digits), 10**digits)


@pytest.mark.parametrize(
    ("one", "two", "digits", "expected"),
    [
        ("5E+58", "-0.5", 11, "-1E+59"),
        ("1." + "0" * 38 + "1", "2E12", 12, "0.000000000001"),
        ("1", "2E12", 12, "0.000000000000"),
        ("9" * 50 + ".5", "1", 0, "1E+50"),
        ("-1", "9", 0, "0"),
    ],
)
def test_a_quotient_of_many_digits_is_exact_too(
    one: str, two: str, digits: int, expected: str
) -> None:
    found = quotient(Decimal(one), Decimal(two), digits)

    assert found == Decimal(expected)
    assert not found.is_signed() or found


def test_a_quotient_of_over_60_digits_is_an_error() -> None:
    with pytest.raises(ArithmeticError):
        quotient(Decimal("1E+59"), Decimal("0.1"), 2)
    with pytest.raises(ArithmeticError):
        quotient(Decimal("1E+55"), Decimal(3), 8)
