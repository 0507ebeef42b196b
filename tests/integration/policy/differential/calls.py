"""
The forms of functions, closures, lists, texts and dates, beside the operators of `forms.py`.

A form that is written here for both engines is drawn by chance, and as a *duty*: each policy writes
the next few of all forms (`duties`), so that rare ones are not left to luck.
"""

from collections.abc import Sequence
from functools import cache, partial
from typing import Final

from tests.integration.policy.differential.forms import (
    ARITHMETIC,
    ATOM,
    BOOLEANS,
    COMPARISON,
    NUMBERS,
    ROUND_EVEN,
    STRINGS,
    Form,
    Text,
    placed,
    product,
    total,
    whole,
    widest,
)

#: Forms that each policy has to write, whatever chance says.
DUTIES: Final = 4
#: Our parser takes a part of a list behind `in` only in brackets.
PART: Final = ATOM - 1
#: Decimals that a quotient counts for: two of them never meet in a product.
_LONG: Final = 12


def quotient(args: Sequence[Text]) -> tuple[int, int]:
    digits, _ = widest(args)
    return digits + 1, _LONG


def cube(args: Sequence[Text]) -> tuple[int, int]:
    return args[0].digits * 3, args[0].scale * 3


def seconds(_: Sequence[Text]) -> tuple[int, int]:
    return 12, 0


def short(_: Sequence[Text]) -> tuple[int, int]:
    return 4, 0


_number = partial(Form, makes="number", weight=1)
_sum = partial(_number, level=ARITHMETIC, bare=ATOM)
_test = partial(Form, makes="boolean", weight=1)
_member = partial(Form, makes="boolean", level=COMPARISON, bare=ATOM, weight=1)
_text = partial(Form, makes="string", weight=1)
_list = partial(Form, makes="numbers", weight=1)
_LIST: Final = ("numbers",)
_FULL: Final = ("full",)
_EACH: Final = ("numbers", "number")
_INSTANT: Final = ("instant",)

_OF_NUMBERS: Final = (
    _sum(text="{0} / {1}", takes=("number", "divisor"), size=quotient, weight=2),
    _sum(text="{0} % {1}", takes=("number", "divisor"), size=widest, weight=2),
    _sum(text="{0} ^ {1}", takes=("number", "exponent"), size=cube),
    *(_number(text=f"{name}({{0}})", takes=("number",), size=whole) for name in ("floor", "ceil")),
    _number(text="trunc({0})", takes=("number",), size=whole),
    _number(text="round({0}, {1})", takes=("half", "places"), even=ROUND_EVEN, size=placed),
    _number(text="trunc({0}, {1})", takes=("number", "decimals"), size=widest),
)
_OF_LISTS: Final = (
    _number(text="sum({0})", takes=_LIST, size=total),
    *(_number(text=f"{name}({{0}})", takes=_FULL) for name in ("min", "max", "mode")),
    *(_number(text=f"{name}({{0}})", takes=_FULL, size=quotient) for name in ("avg", "median")),
    _number(text="len({0})", takes=_LIST, size=short),
    _number(text="len({0})", takes=("strings",), size=short),
    _number(text="{0}[0]", takes=_FULL, bare=ATOM),
    _number(text="flatten([{0}, {1}])[{2}]", takes=("numbers", "filled", "index")),
    _number(text="{0}[0].rest", takes=("records",), size=short),
    _number(text='sum(map({0}, #["rest"]))', takes=("records",), size=short),
    _number(text="sum(map(filter({0}, #.late), #.rest))", takes=("records",), size=short),
    _number(text="count({0}, # > {1})", takes=_EACH, bare=ATOM, size=short),
    _number(text="count({0}, #.late)", takes=("records",), size=short),
    _number(text="count({0}, #.tag == {1})", takes=("records", "word"), bare=ATOM, size=short),
    _test(text="contains({0}, {1})", takes=_EACH),
    _test(text="contains({0}, {1})", takes=("strings", "word")),
    _member(text="{0} in {1}", takes=("number", "numbers")),
    _member(text="{0} not in {1}", takes=("number", "numbers")),
    *(
        _test(text=f"{name}({{0}}, # {order} {{1}})", takes=_EACH, bare=ATOM)
        for name, order in zip(("some", "all", "none", "one"), (">", "<=", ">=", "<"), strict=True)
    ),
    *(_test(text=f"{name}({{0}}, #.late)", takes=("records",)) for name in ("some", "all")),
    _test(text="none({0}, #.rest > {1} or #.late)", takes=("records", "number"), bare=ATOM),
    _test(text="one({0}, #.late ? #.rest > 5 : #.rest > {1})", takes=("records", "bound")),
    _test(text="some({0}, some({1}, # > 3))", takes=("numbers", "numbers")),
    _list(text="map({0}, # + {1})", takes=_EACH, bare=ATOM, size=total, weight=2),
    _list(text="map({0}, # * {1})", takes=_EACH, bare=ATOM, size=product),
    _list(text="map({0}, #.late ? #.rest : 0)", takes=("records",), size=short),
    _list(text="filter({0}, # >= {1})", takes=("numbers", "bound"), weight=2),
    _list(text="flatMap({0}, [#, # + {1}])", takes=_EACH, bare=ATOM, size=total, weight=2),
    _list(text="flatten([{0}, [{1}]])", takes=_EACH, bare=ATOM, weight=2),
    _list(text="[{0}, {1}, {2}]", takes=("number", "number", "number"), weight=3),
    _list(text="{0}[0:1]", takes=("filled",), level=PART),
    _list(text="{0}[1:]", takes=("filled",), level=PART),
    _list(text="{0}[:1]", takes=("filled",), level=PART),
)
_OF_TEXTS: Final = (
    _text(text="{0} + {1}", takes=("text", "string"), level=ARITHMETIC, bare=ATOM, weight=3),
    *(_text(text=f"{name}({{0}})", takes=("string",), weight=2) for name in ("upper", "lower")),
    _text(text='trim("  " + {0})', takes=("text",), weight=2),
    _text(text="string({0})", takes=("plain",), weight=2),
    _text(text="string({0})", takes=("flag",)),
    _text(text="{0}[0]", takes=("text",)),
    _text(text="{0}[0:0]", takes=("text",)),
    _text(text='split("b-a-" + {0}, "-")[{1}]', takes=("text", "index")),
    _text(text="{0}[0].tag", takes=("records",)),
    *(
        _test(text=f"{name}({{0}}, {{1}})", takes=("string", "word"))
        for name in ("contains", "startsWith", "endsWith")
    ),
    _test(text="startsWith({0}, {0})", takes=("string",)),
    _member(text="upper({0}) == upper({1})", takes=("text", "word")),
    _number(text="len({0})", takes=("string",), size=short),
    _number(text="number(string({0}) + {1})", takes=("plain", "fraction"), size=total),
    _number(text="number({0})", takes=("digits",), size=widest),
    Form(makes="strings", text='split({0} + ",y", ",")', takes=("text",)),
    Form(makes="strings", text="map({0}, #.tag)", takes=("records",)),
    Form(makes="strings", text='map({0}, # + "!")', takes=("strings",)),
)
_PARTS: Final = (*("year", "monthOfYear", "dayOfMonth", "dayOfWeek", "dayOfYear", "weekOfYear"),)
_OF_DATES: Final = (
    *(_number(text=f"{name}({{0}})", takes=_INSTANT, size=short) for name in _PARTS),
    *(_text(text=f"{n}({{0}})", takes=_INSTANT) for n in ("monthString", "weekdayString")),
    _text(text="dateString({0})", takes=_INSTANT),
    _number(text="date({0})", takes=_INSTANT, size=seconds),
    _number(text="time({0})", takes=("clock",), size=seconds),
    _number(text="duration({0})", takes=("span",), size=seconds),
    _number(text="startOf({0}, {1})", takes=("instant", "unit"), size=seconds),
    _number(text="endOf({0}, {1})", takes=("instant", "unit"), size=seconds),
    _member(text="date({0}) < date({1})", takes=("instant", "instant")),
    _member(text="date({0}) + duration({1}) >= date({2})", takes=("instant", "span", "instant")),
)
CALLS: Final = (*_OF_NUMBERS, *_OF_LISTS, *_OF_TEXTS, *_OF_DATES)
FORMS: Final = (*NUMBERS, *BOOLEANS, *STRINGS, *CALLS)


@cache
def forms_of(makes: str) -> tuple[Form, ...]:
    """Return the forms of one kind."""
    return tuple(form for form in FORMS if form.makes == makes)


def duties(number: int) -> list[Form]:
    """Return the forms that a policy has to write, in turn with the other policies."""
    return [CALLS[(number * DUTIES + index) % len(CALLS)] for index in range(DUTIES)]
