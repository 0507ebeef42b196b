"""All inputs at once: exactly what field by field gives, or nothing at all."""

from decimal import Decimal, localcontext
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from decision_engine.policy.evaluation import Evaluation
from decision_engine.policy.reading import read_all
from decision_engine.policy.schema import Field
from tests.unit.policy.build import compiled, expressions, rules, table

FIELDS: Final = (
    Field(name="a", kind="number", scale=2, minimum=Decimal(0)),
    Field(name="b", kind="number", scale=0, maximum=Decimal(10)),
    Field(name="c", kind="number"),
    Field(name="d", kind="number", scale=1, minimum=Decimal(-1), maximum=Decimal(1)),
    Field(name="s", kind="string", enum=("x", "y")),
    Field(name="t", kind="string"),
    Field(name="f", kind="boolean"),
)
NUMBERS: Final = st.one_of(
    st.integers(-2, 12).map(Decimal),
    st.decimals(allow_nan=True, allow_infinity=True),
    st.sampled_from(
        [
            *map(Decimal, ("0.1", "0.001", "-0", "1.000", "sNaN", "-1.0", "1.1", "1e17", "1e18")),
            *map(Decimal, ("999999999999999999.99", "999999999999999999.999999999999", "1e-13")),
        ]
    ),
)
WRONG: Final[st.SearchStrategy[Any]] = st.sampled_from(
    [None, True, False, 1, 0, 1.0, "x", "y", "z", "", Decimal(1), []]
)


@given(st.tuples(*[NUMBERS | WRONG] * 4, *[st.sampled_from(["x", "y"]) | WRONG] * 3))
def test_all_at_once_is_what_field_by_field_gives_or_none(values: tuple[Any, ...]) -> None:
    inputs = dict(zip([field.name for field in FIELDS], values, strict=True))
    each = [field.reader()(inputs[field.name]) for field in FIELDS]

    for precision, traps in ((28, None), (3, []), (3, None)):
        with localcontext(prec=precision) as context:
            if traps is not None:
                context.clear_traps()
            found = read_all(FIELDS)(inputs)

        assert found == (None if None in each else each)
        assert list(map(str, found or [])) == (list(map(str, each)) if found else [])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("a", "-0.01"), ("a", "0.001"), ("a", "NaN"), ("a", "1e18"), ("b", "10.5"), ("b", "11")),
        *(("b", "NaN"), ("c", "NaN"), ("c", "sNaN"), ("c", "1e-13"), ("c", "-1e18"), ("d", "1.1")),
        *(("d", "-1.1"), ("d", "Infinity")),
    ],
)
def test_one_number_that_is_no_value_of_its_field_is_enough(name: str, value: str) -> None:
    good: dict[str, Any] = dict.fromkeys("abcd", Decimal(1)) | {"s": "x", "t": "é", "f": False}

    assert read_all(FIELDS)(good) is not None
    assert read_all(FIELDS)(good | {name: Decimal(value)}) is None
    assert read_all(FIELDS)(good | {name: value}) is None


@pytest.mark.parametrize(("name", "value"), [("s", "z"), ("t", "\ud800"), ("f", 1), ("t", None)])
def test_one_other_value_that_is_none_of_its_field_is_enough(name: str, value: Any) -> None:
    good: dict[str, Any] = dict.fromkeys("abcd", Decimal(1)) | {"s": "x", "t": "é", "f": False}

    assert read_all(FIELDS)(good | {name: value}) is None


def test_a_name_that_is_not_there_is_left_to_the_readers() -> None:
    known = {"a": Decimal(1), "b": Decimal(2)}

    assert read_all(FIELDS[:2])(known) == [Decimal("1.00"), Decimal(2)]
    assert read_all(FIELDS[:2])({"a": Decimal(1)}) is None
    assert read_all(FIELDS[:1])(known) == [Decimal("1.00")]
    assert read_all(FIELDS[:1])({"b": Decimal(1)}) is None
    assert read_all(())(known) == []


def big() -> list[Any]:
    return [
        expressions("e", {"d.x": "a + b", "d.q": "round(a / b, 2)"}),
        rules(("r0", "> 1", "refer"), *[(f"r{i}", f"== {i}", "decline") for i in range(1, 70)],
              fields=("d.x",)),
        table("v", ["d.x"], ["out"],
              [*[[f"v{i}", f"{i}", f"{i} + a"] for i in range(20)], ["z", "", "0"]],
              outputPath="v"),
        expressions("f", {"g.y": "v.out * 2"}),
    ]  # fmt: skip


@pytest.mark.parametrize(("a", "b"), [("3", "4"), ("0", "1"), ("3", "0"), ("90", "2")])
def test_fused_nodes_and_steps_between_them_say_the_same_as_three_values(a: str, b: str) -> None:
    policy = compiled(*big())
    inputs = {"a": Decimal(a), "b": Decimal(b)}

    found = policy.evaluate(inputs, {})
    settled = policy._partly_known(policy.settle(policy.start(inputs, {})))

    assert found == settled
    assert found.asks == settled.asks == tuple(r for r in found.results if r.consequence)


def test_evaluating_leaves_the_decimal_context_of_the_thread_alone() -> None:
    policy = compiled(*big())

    with localcontext(prec=3) as context:
        found = policy.evaluate({"a": Decimal("12345.67"), "b": Decimal(1)}, {})
        assert (context.prec, Decimal(1) / Decimal(3)) == (3, Decimal("0.333"))

    assert found.values["d.x"] == Decimal("12346.67")


def test_an_evaluation_has_its_parts_and_no_others() -> None:
    found = compiled(*big()).evaluate({"a": Decimal(3), "b": Decimal(4)}, {})

    assert (found.losses, found.uncovered, dict(found.missing)) == ((), (), {})
    assert found.results is found.results
    assert isinstance(found, Evaluation)
    assert found != "an evaluation"
    assert f"uncovered={found.uncovered}" in repr(found)
    with pytest.raises(AttributeError):
        _ = found.profit  # type: ignore[attr-defined]
