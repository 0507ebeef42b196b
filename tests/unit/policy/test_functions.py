"""Texts, dates and numbers where ZEN is no reference: bounds, refusals, our own rules."""

from decimal import Decimal
from typing import Any

import pytest

from decision_engine.policy.closures import closure
from decision_engine.policy.expression_parser import parse_expression
from decision_engine.policy.findings import PolicyError
from decision_engine.policy.functions.dates import instant, seconds
from decision_engine.policy.functions.lists import flatten
from decision_engine.policy.functions.registry import FUNCTIONS
from decision_engine.policy.functions.signature import NoResultError
from decision_engine.policy.layout import Layout
from decision_engine.policy.lexer import ExpressionError
from decision_engine.policy.limits import TEXT_CHARACTERS
from decision_engine.policy.render import text_of
from decision_engine.policy.values import Missing
from tests.unit.policy.build import compiled, expressions


def value_of(text: str) -> Any:
    found = closure(parse_expression(text), Layout())([])
    return None if isinstance(found, Missing) else found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 / 3", Decimal("0." + "3" * 28)),
        ("2 / 3", Decimal("0." + "6" * 27 + "7")),
        ("200 / 3", Decimal("66." + "6" * 25 + "7")),
        ("1 / 3 * 3 == 1", False),
        ("round(1 / 3, 2) * 3", Decimal("0.99")),
        ("round(2 / 3 * 3, 2)", 2),
        ("1 / 0", None),
        ("round(1 / 0, 2)", None),
        ("7 % 0", None),
        ("10 ^ 59", Decimal(10) ** 59),
        ("10 ^ 60", None),
        ("0.1 ^ 60", Decimal(1).scaleb(-60)),
        ("0.1 ^ 61", None),
        ("0.00 ^ 64", 0),
        ("1.23456789 ^ 64", None),
        ("2 ^ 64", Decimal(2**64)),
        ("2 ^ 65", None),
        ("2 ^ -64", Decimal("5.421010862427522170037264004E-20")),
        ("2 ^ 1.5", None),
        ("9 ^ 999999999999", None),
        ("trunc(1.999, 2)", Decimal("1.99")),
        ("trunc(1.999, 0.5)", None),
        ("trunc(1.5, 13)", None),
        ("ceil(-0.5)", 0),
        ("ceil(-0.5) == 0 and string(ceil(-0.5)) == '0'", True),
        ("9999999999999999999999999999999999 % 0.000000000001", 0),
        ("10 ^ 58 % (0.1 ^ 12)", None),
        ("avg([1, 2, 2])", Decimal("1.666666666666666666666666667")),
        ("string(0.10 + 0.20)", "0.3"),
        ("string('x')", "x"),
        ("number('" + "9" * 34 + "')", Decimal("9" * 34)),
        ("number('" + "9" * 35 + "')", None),
        ("len(split('" + "," * 999 + "', ','))", 1000),
        ("split('" + "," * 1000 + "', ',')", None),
        ("trim('\u2003x\u00a0')", "x"),
        ("trim('\x1fx')", "\x1fx"),
        ("upper('straße')", "STRASSE"),
        ("dateString(date('0001-01-01T00:00:00Z'))", "0001-01-01 00:00:00"),
        ("date('0001-01-01T00:00:00+01:00')", None),
        ("date('9999-12-31T23:59:59-00:01')", None),
        ("date('2026-01-31T10:00:00+24:00')", None),
        ("date('2026-01-31T10:00:00+01:60')", None),
        ("date(10 ^ 40)", None),
        ("date(10 ^ 17)", None),
        ("endOf('9999-12-31', 'week')", Decimal(253402473599)),
        ("dateString(endOf('2024-02-10', 'month'))", "2024-02-29 23:59:59"),
        ("dateString(endOf('1900-02-10', 'year'))", "1900-12-31 23:59:59"),
        ("dateString(endOf('2000-02-10', 'y'))", "2000-12-31 23:59:59"),
        ("dateString(endOf('9999-12-31', 'month'))", "9999-12-31 23:59:59"),
        ("dateString(startOf('2026-02-01', 'week'))", "2026-01-26 00:00:00"),
        ("dateString(startOf('2026-02-01', string('decade')))", None),
        ("time('24:00')", None),
        ("time('10:60')", None),
        ("time('10:00:60')", None),
        ("time(-1)", None),
        ("time(1.5)", None),
        ("time('2026-01-31T10:30:15Z')", 37815),
        ("time('2026-01-31')", None),
        ("duration('1 fortnight')", None),
        ("duration('1d 1d')", 172800),
    ],
)
def test_value(text: str, expected: Any) -> None:
    assert value_of(text) == expected
    assert type(value_of(text)) is type(expected) or isinstance(expected, int)


def test_a_text_that_is_made_has_a_bounded_length() -> None:
    half = "x" * (TEXT_CHARACTERS // 2)
    policy = compiled(expressions("e", {"v": "t + t", "u": "upper(t)"}))

    fits = policy.evaluate({"t": half}, {})
    too_long = policy.evaluate({"t": half + "x"}, {})
    longer = policy.evaluate({"t": "x" * TEXT_CHARACTERS + "x"}, {})

    assert fits.values["v"] == half * 2
    assert too_long.missing == {"v": ("t",)}
    assert longer.missing == {"v": ("t",), "u": ("t",)}


def test_a_flat_list_has_a_bounded_length() -> None:
    assert flatten(((1,) * 999, (2,))) == (1,) * 999 + (2,)
    with pytest.raises(NoResultError):
        flatten(((1,) * 999, (2, 3)))


def test_instants_are_read_and_written() -> None:
    for second in (0, -1, 951782400, -62135596800, 253402300799):
        assert seconds(instant(Decimal(second))) == second


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('matches(t, "a.c")', "matches: patterns have no bound on their time: write startsWith,"),
        ('extract(t, "a")', "extract: patterns have no bound on their time: write split and an"),
        ('fuzzyMatch(t, "a")', "fuzzyMatch: a likeness is no exact value: compare with == after"),
        ("rand(5)", "rand: chance cannot be replayed: let an input carry the number"),
        ("now()", "now: a clock cannot be replayed: let an input carry the date"),
        ('d("2026-01-31")', "d: there are no date objects: write date(text) and add duration("),
        ("date()", "date: a clock cannot be replayed: let an input carry the date"),
        ('date("now")', "date: a clock cannot be replayed: let an input carry the date"),
        ('year("now")', "year: a clock cannot be replayed: let an input carry the date"),
        ('startOf("now", "d")', "startOf: a clock cannot be replayed: let an input carry the date"),
        ('startOf(0, "decade")', 'startOf: "decade" is no unit (s, second, seconds, m, minute,'),
        ('bool("true")', "bool: what is true is written as a condition"),
        ("isNumeric(t)", "isNumeric: a kind is known from the schema"),
        ("type(t)", "type: every kind is known from the schema"),
        ("keys(t)", "keys: objects come from inputs only"),
        ("values(t)", "values: objects come from inputs only"),
        ("merge(t)", "merge: objects come from inputs only"),
        ("mergeDeep(t)", "mergeDeep: objects come from inputs only"),
        ("eval(t)", "there is no function eval"),
    ],
)
def test_refused(text: str, sentence: str) -> None:
    with pytest.raises(ExpressionError) as refused:
        parse_expression(text)

    assert refused.value.detail.startswith(sentence)


def test_now_from_an_input_is_no_clock() -> None:
    policy = compiled(expressions("e", {"v": "date(t)"}))

    assert policy.evaluate({"t": "now"}, {}).missing == {"v": ("t",)}
    assert policy.evaluate({"t": "1970-01-02"}, {}).values == {"v": 86400}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_refuses_what_it_does_not_take(name: str) -> None:
    for arguments in ("f", "f, f, f", "[f]" if name not in ("len", "string") else "f, f"):
        if name == "string" and arguments == "f":
            continue
        with pytest.raises(PolicyError, match=rf"{name} takes "):
            compiled(expressions("e", {"v": f"{name}({arguments})"}))


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("a / b * c", "(a / b) * c"),
        ("-a ^ 2", "(0 - a) ^ 2"),
        ("2 ^ 3 ^ 2", "2 ^ (3 ^ 2)"),
        ("a[0][1:]", "a[0][1:]"),
        ("a[:b + 1]", "a[:(b + 1)]"),
        ("a[f ? 1 : 2]", "a[f ? 1 : 2]"),
        ('a[0].x + a[0]["y z"]', 'a[0].x + a[0]["y z"]'),
        ('a["x"]', 'a["x"]'),
        ("map(a, #.x + #[0])", "map(a, #.x + #[0])"),
        ("[1, [2]]", "[1, [2]]"),
        ("x in list", "contains(list, x)"),
        ("x not in list", "not contains(list, x)"),
        ("(a + b)[0]", "(a + b)[0]"),
    ],
)
def test_rendered(text: str, written: str) -> None:
    tree = parse_expression(text)

    assert text_of(tree) == written
    assert parse_expression(written) == tree
