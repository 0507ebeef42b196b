"""
The forms that generated expressions take: one entry a form, written for both engines.

A new operator of the language is one more entry; functions and lists stand in `calls.py`.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Final

ATOM: Final = 9
ARITHMETIC: Final = 5
COMPARISON: Final = 3
LOGIC: Final = 2
CHOICE: Final = 1


@dataclass(frozen=True, slots=True)
class Text:
    """
    One expression in three spellings: ours, ZEN's, and ZEN's made to round half-even.

    `digits` and `scale` bound its number (whole digits, decimals), `level` says how tightly its
    outermost operator binds, `rounds` how many roundings are in it.
    """

    ours: str
    zen: str
    even: str
    digits: int = 1
    scale: int = 0
    level: int = ATOM
    rounds: int = 0

    @classmethod
    def same(cls, text: str, digits: int = 1, scale: int = 0) -> "Text":
        """Return a text that both engines spell alike."""
        return cls(text, text, text, digits, scale)

    def bracketed(self) -> "Text":
        """Return the same expression in brackets."""
        ours, zen, even = (f"({text})" for text in (self.ours, self.zen, self.even))
        return Text(ours, zen, even, self.digits, self.scale, ATOM, self.rounds)


Size = Callable[[Sequence[Text]], tuple[int, int]]


def widest(args: Sequence[Text]) -> tuple[int, int]:
    return max((a.digits for a in args), default=1), max((a.scale for a in args), default=0)


def total(args: Sequence[Text]) -> tuple[int, int]:
    digits, scale = widest(args)
    return digits + 1, scale


def product(args: Sequence[Text]) -> tuple[int, int]:
    return sum(a.digits for a in args), sum(a.scale for a in args)


def placed(args: Sequence[Text]) -> tuple[int, int]:
    """A rounding: the last argument has the number of places as its scale."""
    return args[0].digits + 1, args[-1].scale


def divided(args: Sequence[Text]) -> tuple[int, int]:
    return args[0].digits + args[1].scale + 1, args[-1].scale


def whole(args: Sequence[Text]) -> tuple[int, int]:
    return args[0].digits + 1, 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """
    One form: what it makes, its text with a place for each argument, and what each place takes.

    An argument whose level is `bare` or tighter may stand without brackets. `zen` and `even` are
    the spellings for ZEN where they differ.
    """

    makes: str
    text: str
    takes: tuple[str, ...]
    zen: str = ""
    even: str = ""
    level: int = ATOM
    bare: int = CHOICE
    size: Size = widest
    weight: int = 2

    def write(self, args: Sequence[Text], rng: random.Random) -> Text:
        """Return the form with these arguments, in brackets where chance or grammar wants them."""
        held = [a if self._may_be_bare(a, rng) else a.bracketed() for a in args]
        zen = self.zen or self.text
        digits, scale = self.size(args)
        return Text(
            self.text.format(*(a.ours for a in held)),
            zen.format(*(a.zen for a in held)),
            (self.even or zen).format(*(a.even for a in held)),
            digits,
            scale,
            self.level,
            sum(a.rounds for a in args) + ("round" in self.text),
        )

    def _may_be_bare(self, arg: Text, rng: random.Random) -> bool:
        return arg.level == ATOM or (arg.level >= self.bare and rng.random() < 0.6)


#: Half-even in ZEN's own words, with 10^places in the last argument's even spelling. It avoids
#: `and`: in a cell, ZEN takes what follows an `and` for a unary test of its own.
_EVEN: Final = (
    "((floor({y}) % 2 == 0 ? ({y} - floor({y}) == 0.5 ? floor({y}) : floor({y} + 0.5))"
    " : floor({y} + 0.5)) / {k})"
)
ROUND_EVEN: Final = _EVEN.format(y="(({0}) * {1})", k="{1}")
_WHOLE_EVEN: Final = _EVEN.format(y="(({0}) * 1)", k="1")
_DIVIDE_EVEN: Final = _EVEN.format(y="((({0}) / ({1})) * {2})", k="{2}")
_ORDERS: Final = ("<", "<=", ">", ">=", "==", "!=")
_RANGES: Final = ("[{1}..{2}]", "({1}..{2}]", "[{1}..{2})", "({1}..{2})")


_number = partial(Form, makes="number")
_sum = partial(Form, makes="number", level=ARITHMETIC, bare=ARITHMETIC)
_test = partial(Form, makes="boolean", level=COMPARISON, bare=ARITHMETIC)
_member = partial(Form, makes="boolean", level=COMPARISON, bare=ATOM)
_logic = partial(Form, makes="boolean", level=LOGIC, bare=LOGIC, weight=6)
_choice = partial(Form, level=CHOICE, bare=LOGIC)
_TWO: Final = ("number", "number")
_BOTH: Final = ("boolean", "boolean")

NUMBERS: Final = (
    _sum(text="{0} + {1}", takes=_TWO, size=total),
    _sum(text="{0} - {1}", takes=_TWO, size=total),
    _sum(text="{0} * {1}", takes=_TWO, size=product, weight=3),
    _number(text="-{0}", takes=("number",), level=ARITHMETIC, bare=ATOM),
    _number(text="abs({0})", takes=("number",)),
    _number(text="min([{0}, {1}])", takes=_TWO),
    _number(text="max([{0}, {1}, {2}])", takes=("number", *_TWO)),
    _number(text="round({0}, {1})", takes=("number", "places"), even=ROUND_EVEN, size=placed),
    _number(text="round({0})", takes=("number",), even=_WHOLE_EVEN, size=whole, weight=1),
    _number(
        text="round({0} / {1}, {2})",
        takes=("number", "nonzero", "places"),
        even=_DIVIDE_EVEN,
        bare=ATOM,
        size=divided,
    ),
    _choice(makes="number", text="{0} ? {1} : {2}", takes=("boolean", *_TWO)),
)
BOOLEANS: Final = (
    *(_test(text=f"{{0}} {order} {{1}}", takes=_TWO) for order in _ORDERS),
    *(_test(text=f"{{0}} {order} {{1}}", takes=("field", "threshold")) for order in _ORDERS),
    *(_test(text=f"{{0}} in {text}", takes=("field", "low", "high")) for text in _RANGES),
    _member(text="{0} in [{1}, {2}]", takes=("field", "threshold", "number")),
    _member(text="{0} not in [{1}, {2}]", takes=("field", "threshold", "threshold")),
    _member(text="{0} == {1}", takes=("text", "word")),
    _member(text="{0} != {1}", takes=("text", "word")),
    _member(text="{0} in {1}", takes=("text", "words")),
    _member(text="{0} not in {1}", takes=("text", "words")),
    _member(text="{0} == {1}", takes=("flag", "boolean"), weight=1),
    _logic(text="{0} and {1}", takes=_BOTH),
    _logic(text="{0} or {1}", takes=_BOTH),
    _logic(text="not {0}", takes=("boolean",), bare=ATOM, weight=4),
    _choice(makes="boolean", text="{0} ? {1} : {2}", takes=("boolean", *_BOTH)),
)
STRINGS: Final = (
    _choice(makes="string", text="{0} ? {1} : {2}", takes=("boolean", "string", "string")),
)

NULL_TESTS: Final = (
    Form(makes="boolean", text="{0} == null", takes=("nullable",), level=COMPARISON),
    Form(makes="boolean", text="{0} != null", takes=("nullable",), level=COMPARISON),
)

#: Cells about a column: kind of the column, and what the cell's places take.
CELLS: Final = (
    *(Form(makes="number", text=f"{order} {{0}}", takes=("threshold",)) for order in _ORDERS),
    *(
        Form(
            makes="number",
            text=text.replace("1", "0").replace("2", "1"),
            takes=("low", "high"),
        )
        for text in _RANGES
    ),
    Form(makes="number", text="{0}", takes=("threshold",)),
    Form(makes="number", text="{0}, {1}", takes=("threshold", "threshold")),
    Form(makes="number", text="[{0}, {1}]", takes=("threshold", "threshold")),
    Form(makes="number", text="not in [{0}]", takes=("threshold",)),
    Form(makes="number", text="> {0} and <= {1}", takes=("low", "high")),
    Form(makes="number", text="< {0} or >= {1}", takes=("threshold", "threshold")),
    Form(makes="number", text="<= {0}", takes=("number",), bare=ARITHMETIC),
    Form(makes="string", text="{0}", takes=("word",)),
    Form(makes="string", text="!= {0}", takes=("word",)),
    Form(makes="string", text="{0}, {1}", takes=("word", "word")),
    Form(makes="string", text="in {0}", takes=("words",)),
    Form(makes="string", text="not in {0}", takes=("words",)),
    Form(makes="boolean", text="true", takes=()),
    Form(makes="boolean", text="false", takes=()),
    Form(makes="boolean", text="== true", takes=()),
)


@cache
def cells(kind: str) -> tuple[Form, ...]:
    """Return the cells about a column of one kind."""
    return tuple(form for form in CELLS if form.makes == kind)
