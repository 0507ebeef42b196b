"""Nothing grows out of proportion: names, findings, columns, numbers; each with what still fits."""

from decimal import Decimal
from typing import Any

import pytest

from decision_engine.policy import limits
from decision_engine.policy.barred import barred_in
from decision_engine.policy.compile import compile_policy
from decision_engine.policy.expression_parser import parse_expression
from decision_engine.policy.findings import Notes, PolicyError, short
from decision_engine.policy.lexer import ExpressionError
from decision_engine.policy.parse import parse
from decision_engine.policy.syntax import Logic, Ref
from decision_engine.policy.unary import parse_unary
from tests.unit.policy.build import compiled, document, expressions, function, raw, rules, table


def refusal(*nodes: Any) -> str:
    with pytest.raises(PolicyError) as refused:
        compile_policy(raw(document(*nodes)), {})
    return str(refused.value)


@pytest.mark.parametrize("name", ["k" * limits.NAME_CHARACTERS, ".".join(["k"] * 16)])
def test_a_name_is_bounded(name: str) -> None:
    assert compiled(expressions("e", {name: "1"})).derived == (name,)
    for longer in (f"{name}k" if "." not in name else f"{name}.k",):
        assert "must be a dotted name" in refusal(expressions("e", {longer: "1"}))


def test_a_barred_word_is_found_in_a_long_name() -> None:
    assert barred_in("a_" * 30 + "cor_da_pele" + "_b" * 30)
    assert not barred_in("a_" * 2_000)


def test_a_column_may_be_a_small_expression_only() -> None:
    small, large = ("+".join(["a"] * count) for count in (16, 17))

    assert compiled(rules(("x", "> 1", "decline"), fields=(small,))).rules
    assert "name it in an expression node" in refusal(
        rules(("x", "> 1", "decline"), fields=(large,))
    )


def test_the_parts_of_an_expression_are_counted() -> None:
    column = parse_expression("+".join(["a"] * 30))

    assert isinstance(parse_unary(",".join(["1"] * 300), column), Logic)
    with pytest.raises(ExpressionError, match="more than 20000 parts"):
        parse_unary(",".join(["1"] * 400), column)


def test_keys_arguments_and_outputs_are_counted_in_all() -> None:
    most = limits.NAMED_VALUES
    keys = expressions("e", {f"k{i}": "1" for i in range(most - 2)})
    call = function({"q": "a", "r": "a"}, {"v": {"type": "number"}})

    (finding,) = [f for f in parse(raw(document(keys, call))).findings if f.severity == "error"]
    assert finding.sentence == f"a policy has at most {most} named values"


def test_a_list_is_bounded() -> None:
    wide = table("t", [], ["o"], [["r", "1"]], inputs=[1] * (limits.ROWS + 1))

    sentences = [finding.sentence for finding in parse(raw(document(wide))).findings]

    assert f"inputs must be a list of at most {limits.ROWS}" in sentences


def test_findings_are_bounded_and_errors_are_never_lost() -> None:
    notes = Notes()
    for _ in range(3 * limits.FINDINGS):
        notes.warn("a warning")
    assert len(notes.found) == limits.FINDINGS

    for _ in range(3 * limits.FINDINGS):
        notes.error("an error")
    assert sum(item.severity == "error" for item in notes.found) == limits.FINDINGS


def test_a_sentence_quotes_and_never_echoes() -> None:
    assert short("x" * 400) == "x" * 400
    assert len(short("x" * 401)) <= 400
    with pytest.raises(ExpressionError) as refused:
        parse_unary("a" * 4_000 + "(", Ref("a"))
    assert len(str(refused.value)) <= 400


@pytest.mark.parametrize("value", ["10", "100", "0.1"])
def test_powers_end_at_sixty_digits(value: str) -> None:
    towers = {f"k{i}": f"$.k{i - 1} * $.k{i - 1}" for i in range(1, 24)}
    policy = compiled(expressions("e", {"k0": value, **towers}))

    values = policy.evaluate({}, {}).values
    assert values["k4"] is not None
    assert values["k23"] is None
    assert all(abs(each.adjusted()) < 130 for each in values.values() if isinstance(each, Decimal))


@pytest.mark.parametrize("text", ["\ud800", "y\udfff"])
def test_half_a_character_is_a_missing_text(text: str) -> None:
    policy = compiled(expressions("e", {"k": "t"}))

    assert policy.evaluate({"t": text}, {}).missing == {"k": ("t",)}
    assert policy.evaluate({"t": "é\U0001d11e"}, {}).values == {"k": "é\U0001d11e"}
