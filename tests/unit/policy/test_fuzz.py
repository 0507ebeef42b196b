"""Whatever the bytes are: a policy, or findings; never another error."""

import copy
import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from decision_engine.policy.compile import compile_policy
from decision_engine.policy.expression_parser import parse_expression
from decision_engine.policy.findings import PolicyError
from decision_engine.policy.lexer import ExpressionError
from decision_engine.policy.reason_table import ReasonTable
from decision_engine.policy.render import text_of
from decision_engine.policy.scorecard import Scorecard
from decision_engine.policy.syntax import Expr, Ref
from decision_engine.policy.unary import parse_unary
from tests.unit.policy.build import CASES, raw
from tests.unit.policy.random_policies import boolean_exprs, number_exprs

TOKENS = (
    *("a", "b.c", "$.d", "1", "2.50", '"x"', "true", "null", "round(", "min([", "abs("),
    *("and", "or", "not", "in", "==", "<", "+", "-", "*", "/", "?", ":", "(", ")"),
    *("#", "#.x", ".x", "map(", "some(", "len(", "contains(", "date(", "as"),
    *("[", "]", "..", ",", "%", "^", "__class__", ".", "0x1", "é", "\n"),
)
texts = st.one_of(
    st.text(max_size=40),
    st.lists(st.sampled_from(TOKENS), max_size=25).map(" ".join),
    st.lists(st.sampled_from(TOKENS), max_size=25).map("".join),
)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(["", "a", "first", '"x"', "x-y"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=6,
)
FILES = {name: json.loads((CASES / name).read_text()) for name in ("loan.json", "scorecard.json")}
CARD = Scorecard.parse((CASES / "scorecard.json").read_bytes())
REASONS = json.loads((CASES / "reasons.json").read_text())


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every (container, key) of a document."""
    if isinstance(value, dict):
        keys: list[Any] = list(value)
    else:
        keys = list(range(len(value))) if isinstance(value, list) else []
    inner = [place for key in keys for place in places(value[key])]
    return [(value, key) for key in keys] + inner


@st.composite
def damaged(draw: st.DrawFn, original: Any) -> bytes:
    document = copy.deepcopy(original)
    for _ in range(draw(st.integers(1, 3))):
        container, key = draw(st.sampled_from(places(document)))
        if draw(st.booleans()):
            container[key] = draw(st.one_of(values, texts))
        elif isinstance(container, dict):
            container[draw(st.sampled_from(["x", "_id", "id", "field"]))] = container.pop(key)
        else:
            container.append(copy.deepcopy(container[key]))
    return raw(document)


def read_or_refused(read: Callable[[], Expr]) -> Expr | None:
    try:
        return read()
    except ExpressionError:
        return None


@given(texts)
def test_expressions_and_cells(text: str) -> None:
    subject = Ref("a")
    for tree in (
        read_or_refused(lambda: parse_expression(text, "p.")),
        read_or_refused(lambda: parse_unary(text, subject)),
    ):
        if tree is not None:
            assert text_of(parse_expression(text_of(tree))) == text_of(tree)


@given(st.one_of(number_exprs(("a", "n")), boolean_exprs(("a", "n"))))
def test_a_rendered_expression_means_the_same(text: str) -> None:
    once = text_of(parse_expression(text))

    assert text_of(parse_expression(once)) == once


@given(damaged(FILES["loan.json"]))
def test_policies(text: bytes) -> None:
    with suppress(PolicyError):
        policy = compile_policy(text, {CARD.id: CARD})
        assert policy.evaluate({}, {}).values is not None


@given(st.one_of(damaged(FILES["scorecard.json"]), damaged(REASONS), st.binary(max_size=30)))
def test_models_and_reason_tables(text: bytes) -> None:
    for read in (Scorecard.parse, ReasonTable.parse):
        with suppress(PolicyError):
            assert read(text).hash


def test_a_refusal_speaks() -> None:
    with pytest.raises(PolicyError) as refused:
        compile_policy(raw({**FILES["loan.json"], "nodes": []}), {})

    assert all(item.sentence for item in refused.value.findings)
