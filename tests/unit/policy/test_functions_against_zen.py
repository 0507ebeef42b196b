"""
Every function and operator against ZEN, the reference: the same answer, or a reason why not.

Where ZEN fails or says null, this language has no value. `DIFFERENT` holds every case in which the
two disagree, with what is answered here and why; a case that agrees may not stand there.
"""

from decimal import Decimal
from itertools import product
from typing import Any, Final

import pytest
import zen

from decision_engine.policy.closures import closure
from decision_engine.policy.codegen import value_function
from decision_engine.policy.expression_parser import parse_expression
from decision_engine.policy.functions.registry import FUNCTIONS
from decision_engine.policy.layout import Layout
from decision_engine.policy.syntax import Call, Each, walk
from decision_engine.policy.values import Missing

NONE: Final = None
NUMBERS = ("0", "1", "-1", "2.5", "-2.5", "0.125", "7", "-7.35", "999999999999", "0.000001")
LISTS = ("[3, 1, 2]", "[1.5]", "[4, 1, 3, 2]", "[2, 2, 1, 1]", "[-1, 0, 0.1, 0.2]")
TEXTS = ('"abc"', '""', '"Hello"', '" pad "', '"a,b,,c"', '"ÁÇÃO é"', '"ß"', '"ΑΣ"', '"12.50"')
DAYS = (
    '"2026-01-31"', '"2024-02-29"', '"1969-12-31"', '"2000-12-31"', '"0001-01-01"',
    '"9999-12-31"', '"2026-01-31T10:20:30Z"', '"2026-01-31T23:00:00-03:00"',
    '"2026-01-31 10:20:30"', '"2026-02-30"', '"2026-13-01"', '"2026-01"', '"soon"', '""',
    '"2026-01-31T10:00:00"', '"2026-01-31T10:00Z"', "0", "-1", "1769853630", "951782400",
    "99999999999999",
)  # fmt: skip
SPANS = (
    '"2d"', '"1h 30m"', '"1h30m"', '"1w"', '"1M"', '"1y"', '"90s"', '"90"', '"1 week 2 days"',
    '""', '"-1d"', '"d"', '"1 parsec"', '"2 hours"', '"1 min"', '"01s"', "90", "-5", "0",
)  # fmt: skip
ABOUT_DAYS = (
    "date", "year", "monthOfYear", "dayOfMonth", "dayOfWeek", "dayOfYear", "weekOfYear",
    "monthString", "weekdayString", "dateString",
)  # fmt: skip
UNITS = ("second", "m", "hours", "day", "w", "month", "M", "year", "y")


def cases() -> list[str]:
    numbers = [f"{f}({x})" for f in ("abs", "floor", "ceil", "trunc") for x in NUMBERS]
    numbers += [f"trunc({x}, {n})" for x in NUMBERS for n in ("0", "1", "3", "12", "-1")]
    signs = [f"{a} {sign} {b}" for a, sign, b in product(NUMBERS[:8], "+-*/%", NUMBERS[:8])]
    powers = [f"{a} ^ {b}" for a in NUMBERS[:7] for b in ("0", "1", "2", "3", "-1", "-2")]
    of_lists = ("sum", "min", "max", "avg", "median", "mode", "len")
    lists = [f"{f}({x})" for f in of_lists for x in (*LISTS, "filter([1], # > 1)")]
    lists += [f"contains({x}, {n})" for x in LISTS for n in ("1", "0.1", "9")]
    lists += [f"({x})[{n}]" for x in LISTS for n in ("0", "1", "5", "-1")]
    lists += [f"({x})[{a}:{b}]" for x in LISTS for a in ("", "0", "1", "2", "4") for b in "12"]
    closures = ("map", "filter", "some", "all", "none", "one", "count")
    lists += [f"{f}({x}, # > 1)" for f in closures for x in (*LISTS, "filter([1], # > 1)")]
    texts = [f"{f}({x})" for f in ("upper", "lower", "trim", "len", "string") for x in TEXTS]
    pairs = product(("contains", "startsWith", "endsWith", "split"), TEXTS, ('"b"', '"ab"', '","'))
    texts += [f"{f}({a}, {b})" for f, a, b in pairs]
    texts += [f"{f}({a}, {a})" for f in ("contains", "startsWith") for a in TEXTS]
    texts += [f"{a} + {b}" for a in TEXTS[:4] for b in TEXTS[:4]]
    dates = [f"{f}({x})" for f in ABOUT_DAYS for x in DAYS] + [f"duration({x})" for x in SPANS]
    edges = ("startOf", "endOf")
    dates += [f'{f}({x}, "{unit}")' for f in edges for x in DAYS for unit in UNITS]
    return [*numbers, *signs, *powers, *lists, *texts, *dates, *OTHERS, *DIFFERENT]


OTHERS = (
    "2 ^ 3 ^ 2", "-2 ^ 2", "2 * 3 ^ 2", "7 % 4 * 2", "8 / 2 / 2", "8 / 2 * 2", "1 - 2 - 3",
    "flatten([[1], [2, 3]])", "flatMap([1, 2], [#, # * 10])", "map([[1, 2], [3]], sum(#))",
    "map([1, 2], # + sum(map([10, 20], #)))", "map([1, 2], sum(map([10, 20], # + 1)))",
    "[[1, 2], [3]][0][1]", "2 in map([1, 2], # + 1)", '"b" in split("a,b", ",")',
    "5 not in [1, 2]", "all([1, 2], # in [1, 2, 3])", 'map([1, 2], # > 1 ? "a" : "b")',
    'map(["x", "y"], # + "!")', "string(1)", "string(-7.25)", "string(true)", "string(false)",
    'number("1.50")', 'number("-1")', 'number("")', 'number("abc")', 'number("00012")',
    'number("1,000")', 'number("١")', "number(2.5)", '"a" + "b" == "ab"', "contains([true], true)",
    'time("10:30")', 'time("10:30:15")', 'time("23:59:59")', 'time("24:00")', 'time("10")',
    'time("10:60")', "time(37800)", "time(-1)", 'time("2026-01-31T10:30:00Z")',
    'time("2026-01-31")', 'date("2026-01-31") + duration("1d")',
    'startOf("2026-01-31", string("x"))', 'trim("a b")', 'trim(" pad ")[0:2]', "10 ^ 60", "3 ^ 40",
    "one([3, 1, 2], # > 2)",
)  # fmt: skip
A_FRACTION = "an instant is a whole number of seconds: nothing is cut silently"
STRICT = "only the ISO forms of FORMAT.md are read"
BYTES = "ZEN counts bytes of UTF-8; here it is characters"
PLAIN = "one text for one number: equal numbers have equal texts"
DIGITS = "only digits, a point and a sign are a number"
YEAR_END = "ZEN ends a year on the last day number of the date's own month"
DIFFERENT: dict[str, tuple[Any, str]] = {
    **{
        f'endOf({day}, "{unit}")': (end, YEAR_END)
        for day, end in (
            ('"2024-02-29"', 1735689599),
            ('"2026-01-31T23:00:00-03:00"', 1798761599),
            ("951782400", 978307199),
        )
        for unit in ("year", "y")
    },
    "0 ^ -1": (NONE, "ZEN says 0: a division by zero is no number"),
    "0 ^ -2": (NONE, "ZEN says 0: a division by zero is no number"),
    "date(99999999999999)": (NONE, "the years are 1 to 9999"),
    "2 ^ 0.5": (NONE, "only whole powers are exact"),
    "10 ^ 30": (Decimal(10) ** 30, "ZEN has 28 digits; here a power has up to 60"),
    "1 ^ 65": (NONE, "the exponent is bounded"),
    "round(2.5)": (2, "half-even; ZEN rounds half away from zero"),
    "round(1.25, 1)": (Decimal("1.2"), "half-even; ZEN rounds half away from zero"),
    "round(-2.5)": (-2, "half-even; ZEN rounds half away from zero"),
    "([3, 1])[0.5]": (NONE, "ZEN cuts 0.5 to 0; a place is a whole number"),
    "([3, 1])[0:0.5]": (NONE, "ZEN cuts 0.5 to 0; a place is a whole number"),
    'len("ÁÇÃO é")': (6, BYTES),
    'len("ß")': (1, BYTES),
    'len("ΑΣ")': (2, BYTES),
    'split("abc", "")': (NONE, "ZEN gives empty ends; nothing separates nothing"),
    "string(1.50)": ("1.5", PLAIN),
    "string(-0.0)": ("0", PLAIN),
    'number("1e3")': (NONE, DIGITS),
    'number(" 1 ")': (NONE, DIGITS),
    'number("+1")': (NONE, DIGITS),
    'number(".5")': (NONE, DIGITS),
    'number("5.")': (NONE, DIGITS),
    'number("1_000")': (NONE, DIGITS),
    "date(1.5)": (NONE, A_FRACTION),
    "year(1.5)": (NONE, A_FRACTION),
    "duration(1.5)": (NONE, A_FRACTION),
    'duration("1.5h")': (NONE, A_FRACTION),
    'duration("1ms")': (NONE, A_FRACTION),
    'duration(" 1s")': (NONE, STRICT),
    'date("2026-1-3")': (NONE, STRICT),
    'date(" 2026-01-31")': (NONE, STRICT),
    'date("+2026-01-31")': (NONE, STRICT),
    'date("2026-01-31T10:00:60Z")': (NONE, "a leap second has no number"),
    'date("2026-01-31T10:00:00.5Z")': (NONE, A_FRACTION),
    'date("2026-01-31 10:00:00Z")': (NONE, STRICT),
    'date("2026-01-31t10:00:00z")': (NONE, STRICT),
    'time("1:5")': (NONE, STRICT),
    "year(-62135596801)": (NONE, "the years are 1 to 9999"),
}


def ours(text: str) -> Any:
    """The value, None for missing; both variants agree."""
    tree = parse_expression(text)
    layout = Layout()
    found: Any = closure(tree, layout)([])
    try:
        fast = value_function(tree, layout)([])
    except ArithmeticError:
        fast = Missing(frozenset())
    assert fast == found
    return None if isinstance(found, Missing) else found


def theirs(text: str) -> Any:
    try:
        return zen.evaluate_expression(text, {})
    except RuntimeError:
        return None


def near(found: Any, reference: Any) -> bool:
    """ZEN's decimals have 28 digits and arrive as floats."""
    if isinstance(found, tuple) and isinstance(reference, list):
        pairs = list(zip(found, reference, strict=False))
        return len(found) == len(reference) and all(near(*pair) for pair in pairs)
    if isinstance(found, Decimal) and isinstance(reference, float):
        return abs(found - Decimal(reference)) <= abs(found) * Decimal("1e-14")
    return type(found) is type(reference) and bool(found == reference)


def test_the_same_as_zen() -> None:
    pairs = [(text, ours(text), theirs(text)) for text in cases() if text not in DIFFERENT]

    assert [pair for pair in pairs if not near(*pair[1:])] == []
    # Liveness: most of the cases have a value.
    assert sum(found is not None for _, found, _ in pairs) > len(pairs) * 3 / 4


@pytest.mark.parametrize("text", DIFFERENT)
def test_different_for_a_reason(text: str) -> None:
    expected, reason = DIFFERENT[text]

    assert reason
    assert ours(text) == expected
    assert not near(ours(text), theirs(text)), "it agrees: no exception"


def test_every_function_is_compared() -> None:
    nodes = [node for text in cases() for node, _ in walk(parse_expression(text))]

    assert {node.function for node in nodes if isinstance(node, Call)} == set(FUNCTIONS)
    assert {node.function for node in nodes if isinstance(node, Each)} == {
        *("map", "flatMap", "filter", "some", "all", "none", "one", "count")
    }
