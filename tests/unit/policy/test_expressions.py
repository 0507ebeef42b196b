"""What each form of the language means, in both variants, and what is refused with which words."""

from decimal import Decimal
from typing import Any

import pytest

from decision_engine.policy.expression_parser import parse_expression
from decision_engine.policy.lexer import ExpressionError
from decision_engine.policy.syntax import Ref
from decision_engine.policy.unary import parse_unary
from tests.unit.policy.build import compiled, expressions, rules

INPUTS: dict[str, Any] = {
    "a": Decimal("2.50"),
    "b": Decimal("-1.25"),
    "n": Decimal(3),
    "s": "x",
    "t": "free",
    "f": True,
}


def value_of(text: str, **changes: Any) -> tuple[Any, tuple[str, ...]]:
    """The value and the missing inputs, the same in both variants."""
    policy = compiled(expressions("e", {"v": text}), rules(("late", "n >= 9", "decline")))
    inputs = {**INPUTS, **changes}
    found = policy.evaluate(inputs, {})
    assert policy._partly_known(policy.settle(policy.start(inputs, {}))) == found
    return found.values["v"], found.missing.get("v", ())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("42", 42),
        ("0.30", Decimal("0.30")),
        ("-a", Decimal("-2.5")),
        ("- 3", -3),
        ("-0", 0),
        ("2 - -a", Decimal("4.5")),
        ("a + b * n", Decimal("-1.25")),
        ("(a + b) * n", Decimal("3.75")),
        ("a - b - n", Decimal("0.75")),
        ("abs(b)", Decimal("1.25")),
        ("min([a, b, n])", Decimal("-1.25")),
        ("max([a, b, n])", 3),
        ("min([a])", Decimal("2.5")),
        ("max([b])", Decimal("-1.25")),
        ("round(a)", 2),
        ("round(n + 0.5)", 4),
        ("round(b, 1)", Decimal("-1.2")),
        ("round(1.005, 2)", Decimal("1.00")),
        ("round(2.345, 2)", Decimal("2.34")),
        ("round(0.125, 2)", Decimal("0.12")),
        ("round(a / n, 2)", Decimal("0.83")),
        ("round(a / b, 0)", -2),
        ("round(n / -2)", -2),
        ("round(1 / 8, 2)", Decimal("0.12")),
        ("round(3 / 8, 2)", Decimal("0.38")),
        ("round((a / n), 3)", Decimal("0.833")),
        ("round(2 * a / n, 1)", Decimal("1.7")),
        ("a > 2 ? 1 : 2", 1),
        ("a > 3 ? 1 : b > 0 ? 2 : 3", 3),
        ('s == "x" ? "yes" : "no"', "yes"),
        ("s == 'x'", True),
        ('s != "x"', False),
        ('t == "other"', False),
        ("f", True),
        ("not f", False),
        ("f == false", False),
        ("not (a == 2.5)", False),
        ("not f or f", True),
        ("not not f", True),
        ("a == 2.500", True),
        ("a != 2.5", False),
        ("a < 2.5", False),
        ("a <= 2.5", True),
        ("a > 2.5", False),
        ("a >= 2.5", True),
        ("a in [1, 2.5]", True),
        ("a in [1, n]", False),
        ("n in [1, n]", True),
        ("a not in [1, 2.5]", False),
        ('s in ["x", "y"]', True),
        ("n in [3..5]", True),
        ("n in (3..5]", False),
        ("n in [1..3]", True),
        ("n in [1..3)", False),
        ("n in (1..5)", True),
        ("n not in [4..5]", True),
        ("n in [a..a + 1]", True),
        ("n in ((a)..(a + 1))", True),
        ("f and a > 1 and n > 1", True),
        ("f and (a > 9 or n > 1)", True),
        ("a > 9 or n > 9", False),
        ("n == null", False),
        ("null != n", True),
        ("true", True),
        ("1.50 + 1.50 == 3", True),
        ("0.1 + 0.2 == 0.3", True),
        ("999999999999999999 * 999999999999999999 > 1", True),
    ],
)
def test_value(text: str, expected: Any) -> None:
    assert value_of(text) == (expected, ())


@pytest.mark.parametrize(
    ("text", "missing", "expected", "names"),
    [
        ("a + b", {"a"}, None, ("a",)),
        ("a + b", {"a", "b"}, None, ("a", "b")),
        ("a > 1 and n > 9", {"a"}, False, ()),
        ("n > 9 and a > 1", {"a"}, False, ()),
        ("a > 1 and n > 1", {"a"}, None, ("a",)),
        ("a > 1 and b > 1", {"a", "b"}, None, ("a", "b")),
        ("a > 1 or n > 1", {"a"}, True, ()),
        ("n > 1 or a > 1", {"a"}, True, ()),
        ("a > 1 or n > 9", {"a"}, None, ("a",)),
        ("not f", {"f"}, None, ("f",)),
        ("a in [1, b]", {"b"}, None, ("b",)),
        ("n in [a..9]", {"a"}, None, ("a",)),
        ("max([a, n])", {"a"}, None, ("a",)),
        ("round(a, 1)", {"a"}, None, ("a",)),
        ("round(n / a, 1)", {"a"}, None, ("a",)),
        ("f ? a : n", {"f"}, None, ("f",)),
        ("f ? a : n", {"n"}, Decimal("2.5"), ()),
        ("f ? a : n", {"a"}, None, ("a",)),
        ("f ? n : n", {"f"}, None, ("f",)),
        ("n == null", {"n"}, True, ()),
        ("n != null", {"n"}, False, ()),
        ("n == null or n > 1", {"n"}, True, ()),
        ('s == "x"', {"s"}, None, ("s",)),
        ("a == b", {"b"}, None, ("b",)),
    ],
)
def test_missing(text: str, missing: set[str], expected: Any, names: tuple[str, ...]) -> None:
    assert value_of(text, **dict.fromkeys(missing)) == (expected, names)


def test_division_by_zero_is_missing_and_names_what_the_divisor_reads() -> None:
    assert value_of("round(a / (b + 1.25), 2)") == (None, ("b",))
    assert value_of("round(a / (n - n), 2) > 1 and f") == (None, ("n",))
    assert value_of("round(a / (n - n), 2) > 1 and not f") == (False, ())


def test_a_result_that_is_not_exact_is_missing() -> None:
    big = Decimal(999999999999999999)
    policy = compiled(
        expressions("e", {"d": "a + 0.000000000001"}), expressions("e2", {"v": "d * d * d * d"})
    )

    assert policy.evaluate({"a": big}, {}).missing == {"v": ("a",)}
    assert policy.evaluate({"a": Decimal(2)}, {}).values["v"] is not None


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "the expression ends too early"),
        ("1 +", "the expression ends too early"),
        ("(1", '")" is missing at 3'),
        ("1)", 'unexpected ")" at 2'),
        ("> 5", 'unexpected ">" at 1'),
        ("> > 5", 'unexpected ">" at 1'),
        ("a ? 1", '":" is missing at 6'),
        ("a b", 'unexpected "b" at 3'),
        ("round(a, n)", "round takes a literal number of decimals, 0 to 12"),
        ("round(a, 13)", "round takes a literal number of decimals, 0 to 12"),
        ("round(a, 1.5)", "round takes a literal number of decimals, 0 to 12"),
        ("9 ** 9", "the operator ** (write: ^) at 3 is not supported"),
        ("a ?? 0", "the operator ?? (a default would hide missing data) at 3 is not supported"),
        ("f && f", "&& (write: and) at 3 is not supported"),
        ("f || f", "|| (write: or) at 3 is not supported"),
        ("!f", "! (write: not) at 1 is not supported"),
        ("a = 1", "= (write: ==) at 3 is not supported"),
        ("a => 1", "a lambda (=>) at 3 is not supported"),
        (
            "`a`",
            "a template text (`; join texts with +, numbers with string()) at 1 is not supported",
        ),
        ("a # 1", 'unexpected "#" at 3'),
        ("# + 1", "# at 1 stands outside a closure: map(list, # * 2)"),
        ("map(#, 1)", "# at 5 stands outside a closure: map(list, # * 2)"),
        ("map([1], #) == #", "# at 16 stands outside a closure: map(list, # * 2)"),
        ("map([1] as x, x)", "a name for the element (as) is not supported: write #"),
        ("map([1])", '"," is missing at 8'),
        ("map([1], 1", '")" is missing at 11'),
        ("a; b", "a second statement (;) at 2 is not supported"),
        ("{}", "an object ({; objects come from inputs only) at 1 is not supported"),
        ("a }", "an object (}; objects come from inputs only) at 3 is not supported"),
        ("$", "$ alone (write $.key, in an expression node) at 1 is not supported"),
        ("1 < a < 5", "comparisons do not chain (at 7): use and"),
        ("a == b == f", "comparisons do not chain (at 8): use and"),
        ("n == null == f", "comparisons do not chain (at 11): use and"),
        ("null", "null can only be compared: x == null, x != null"),
        ("a + null", "null can only be compared: x == null, x != null"),
        ("a < null", "null can only be compared with an input: x == null, x != null"),
        ("a + 1 == null", "null can only be compared with an input: x == null, x != null"),
        ("null == null", "null can only be compared with an input: x == null, x != null"),
        ("1e3", "a number is digits with a point, like 1250.75 (at 2)"),
        ("1_000", "a number is digits with a point, like 1250.75 (at 2)"),
        ("1.5.2", "the point at 4 stands alone (write 0.5, not .5)"),
        (".5", "the point at 1 stands alone (write 0.5, not .5)"),
        ("9" * 35, "the number at 1 has more than 34 digits"),
        ("\u0661", "the character U+0661 at 1 is not of this language"),
        ("preço", "the character U+00E7 at 4 is not of this language"),
        ("a \\ b", "the character U+005C at 3 is not of this language"),
        ('"open', "the text that begins at 1 has no end, or holds a \\ or a line break"),
        ('"a\\n"', "the text that begins at 1 has no end, or holds a \\ or a line break"),
        ("a.b.__class__()", "there is no function a.b.__class__"),
        ("min([])", 'unexpected "]" at 6'),
        ("a[]", 'unexpected "]" at 3'),
        ("a[1", '"]" is missing at 4'),
        ("a[1:2", '"]" is missing at 6'),
        ("1[0]", 'unexpected "[" at 2'),
        ('"x"[0]', 'unexpected "[" at 4'),
        ("a .b", 'unexpected ".b" at 3'),
        ("a in [1..5, 7]", "the range has no end, ] or ), at 11"),
        ("a in [1..5", "the range has no end, ] or ), at 11"),
        ("a in [1, 2", '"]" is missing at 11'),
        ("a not 5", 'unexpected "not" at 3'),
        ("$.v", "$. is for expression nodes only"),
        ("a" * 4097, "the text has more than 4096 characters"),
        ("(" * 65 + "1" + ")" * 65, "the expression is nested deeper than 64"),
        ("-" * 70 + "a", "the expression is nested deeper than 64"),
        ("f ? 1 : " * 70 + "2", "the expression is nested deeper than 64"),
        ("a" + " + a" * 70, "the expression is nested deeper than 64"),
    ],
)
def test_refused(text: str, sentence: str) -> None:
    with pytest.raises(ExpressionError) as refused:
        parse_expression(text)

    assert refused.value.detail == sentence


def test_long_runs_of_and_are_not_deep() -> None:
    assert value_of("f" + " and f" * 500) == (True, ())


def test_the_deepest_expression_still_compiles() -> None:
    text = "(f ? " * 15 + "a" + " : n)" * 15

    assert value_of(text) == (Decimal("2.5"), ())


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("2.5", True),
        ("2.50", True),
        ("7.5", False),
        ("== 2.5", True),
        ("!= 2.5", False),
        ("< 2.5", False),
        ("<= 2.5", True),
        ("> 2.5", False),
        (">= 2.5", True),
        (">= n", False),
        (">= n - 0.5", True),
        ("[2.5..3]", True),
        ("(2.5..3]", False),
        ("[2..2.5]", True),
        ("[2..2.5)", False),
        ("(2..3)", True),
        ("[1, 2.5]", True),
        ("[n, 2.5]", True),
        ("[n, b]", False),
        ("1, 2.5", True),
        ("1, 2, > 2", True),
        ("in [1, 2.5]", True),
        ("in (1..2]", False),
        ("not in [1..2]", True),
        ("> 2 and < 3", True),
        ("< 2 or > 3", False),
        ("< 2 or > 2 and < 3", True),
        ("(n - 0.5)", True),
        ("min([n, 2.5])", True),
        ("null", False),
        ("!= null", True),
    ],
)
def test_unary(cell: str, expected: object) -> None:
    table = rules(("row", cell, "decline"), ("cover", ">= 0", "refer"), fields=("a",))
    policy = compiled(table)
    found = policy.evaluate(INPUTS, {}).results[0].result

    assert found == ("hit" if expected else "no_hit")
    assert policy.settle(policy.start(INPUTS, {})).codes[0] == expected


def test_unary_tests_of_texts_and_booleans() -> None:
    rows = [("one", '"x"', "true"), ("two", '"y", "z"', ""), ("three", '["x"]', "== true")]
    table = rules(*((*row, "decline") for row in rows), fields=("s", "f"))

    results = compiled(table).evaluate(INPUTS, {}).results

    assert [item.result for item in results] == ["hit", "no_hit", "hit"]


@pytest.mark.parametrize(
    ("cell", "sentence"),
    [
        (">", "the expression ends too early"),
        ("> > 10", 'unexpected ">" at 3'),
        ("not 5", '"in" is missing at 5'),
        ("-", "the expression ends too early"),
        ("5 5", 'unexpected "5" at 3'),
        ("> 1 and", "the expression ends too early"),
        ("$.a", "$. is for expression nodes only"),
        ("< null", "null can only be compared with an input: x == null, x != null"),
    ],
)
def test_refused_unary(cell: str, sentence: str) -> None:
    with pytest.raises(ExpressionError) as refused:
        parse_unary(cell, Ref("a"))

    assert refused.value.detail == sentence
