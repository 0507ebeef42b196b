"""Publishing a big table makes little that no case asks for."""

from collections.abc import Callable
from decimal import Decimal
from threading import Barrier, Thread
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from decision_engine.policy import codegen, steps
from decision_engine.policy.compile import CompiledPolicy
from decision_engine.policy.lexer import ExpressionError
from decision_engine.policy.syntax import Arithmetic, Expr, Literal, Ref, Within
from decision_engine.policy.unary import _plain_range, _UnaryParser, parse_unary
from tests.unit.policy.build import built, compiled, table


@pytest.fixture
def compilations(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What the outputs of rows were compiled from, in order."""
    made: list[Any] = []
    compile_values = codegen.values_function

    def watched(exprs: Any, layout: Any) -> Callable[[list[Any]], Any]:
        made.append(exprs)
        return compile_values(exprs, layout)

    monkeypatch.setattr(steps, "values_function", watched)
    return made


def computing(policy: str = "first") -> CompiledPolicy:
    """A table too big to be code, whose rows all compute; the last divides by what may be zero."""
    listed = [[f"v{i}", f"n == {i}", f"a * {i}", f"b + {i}"] for i in range(20)]
    listed.append(["v20", "n == 20", "a / b", "b"])
    whole = {"type": "integer", "minimum": 0, "maximum": 20}
    rows = table("v", [""], ["x", "y"], listed, outputPath="v", hitPolicy=policy)
    return compiled(rows, properties={"n": whole, "a": whole, "b": whole})


def values_of(policy: CompiledPolicy, n: int, b: int = 3) -> tuple[Any, Any]:
    found = policy.evaluate({"n": Decimal(n), "a": Decimal(2), "b": Decimal(b)}, {}).values
    return found["v.x"], found["v.y"]


@pytest.mark.parametrize("policy", ["first", "unique"])
def test_a_row_computes_the_same_the_first_time_and_every_other(policy: str) -> None:
    made = computing(policy)

    for _ in range(3):
        assert [values_of(made, n) for n in range(20)] == [(2 * n, 3 + n) for n in range(20)]


@pytest.mark.parametrize("policy", ["first", "unique"])
def test_outputs_are_compiled_once_for_each_row_that_decides(
    policy: str, compilations: list[Any]
) -> None:
    made = computing(policy)
    assert not compilations

    for n in (4, 7, 4, 7):
        values_of(made, n)

    assert len(compilations) == 2


def test_a_row_without_a_result_is_missing_the_first_time_and_after_one_with_a_result() -> None:
    made = computing()

    answers = [values_of(made, 20, b) for b in (0, 4, 0)]

    assert answers == [(None, 0), (Decimal("0.5"), 4), (None, 0)]


def test_threads_that_are_the_first_at_once_get_the_same() -> None:
    made = computing()
    gate, found = Barrier(8), []

    def ask() -> None:
        gate.wait()
        found.extend([values_of(made, n) for n in range(20)])

    threads = [Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert found == [(2 * n, 3 + n) for n in range(20)] * 8


def test_no_row_of_a_table_with_a_gap_leaves_its_outputs_missing() -> None:
    listed = [[f"v{i}", f"n == {i}", f"a * {i}"] for i in range(20)]
    whole = {"type": "integer", "minimum": 0, "maximum": 30}
    made = built(
        table("v", [""], ["x"], listed, outputPath="v"), properties={"n": whole, "a": whole}
    )

    found = made.evaluate({"n": Decimal(25), "a": Decimal(2)}, {})

    assert (found.values["v.x"], found.uncovered) == (None, ("V",))


digits = st.text("0123456789", min_size=0, max_size=3)
numbers = st.one_of(
    st.tuples(digits, st.sampled_from(["", "."]), digits).map("".join),
    st.sampled_from(["1" * 34, "1" * 35, "0." + "1" * 32, "0." + "1" * 33, "-1", "a", "1e3"]),
)


ranges = st.tuples(
    st.sampled_from("[("),
    numbers,
    st.sampled_from(["..", ".", "...", " .. "]),
    numbers,
    st.sampled_from(["]", ")", "] ", ")]", ""]),
)


@given(ranges.map("".join))
def test_a_range_is_read_as_the_parser_reads_it(text: str) -> None:
    assert outcome(lambda: parse_unary(text, Ref("a"))) == outcome(
        lambda: _UnaryParser(text, Ref("a")).whole()
    )


def outcome(read: Callable[[], Expr]) -> Expr | str:
    """What is read, or why it is refused."""
    try:
        return read()
    except ExpressionError as refused:
        return refused.detail


@pytest.mark.parametrize("text", ["[0..{}]", "({}..0)"])
def test_a_number_of_a_range_has_at_most_34_digits(text: str) -> None:
    assert outcome(lambda: parse_unary(text.format("1" * 34), Ref("a"))) == outcome(
        lambda: _UnaryParser(text.format("1" * 34), Ref("a")).whole()
    )
    with pytest.raises(ExpressionError, match="more than 34 digits"):
        parse_unary(text.format("1" * 35), Ref("a"))


def test_a_plain_range_takes_the_short_way_and_others_do_not() -> None:
    one, two = Literal(Decimal("1.5")), Literal(Decimal(2))

    found = _plain_range("[1.5..2)", Ref("a"))

    assert found == Within(Ref("a"), one, two, low_closed=True, high_closed=False)
    assert _plain_range("[1..b)", Ref("a")) is None
    assert _plain_range("[1..2)", Arithmetic("+", Ref("a"), Ref("b"))) is None
