"""Writes expressions and cells from the forms, over the names that a node can see."""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Final

from tests.integration.policy.differential.calls import forms_of
from tests.integration.policy.differential.forms import NULL_TESTS, Form, Text, cells

LISTS: Final = ("numbers", "strings")
#: Whole digits and decimals of a number together: ZEN's decimals hold 28, ours 60.
WIDEST: Final = 20
#: Roundings in one expression: in ZEN's own words each writes its operand five times.
ROUNDINGS: Final = 1
DAYS: Final = ("2026-01-31", "2024-02-29", "1999-12-31", "2027-01-01", "2025-06-15")
#: What stands at a place of a form as it is written here.
_WRITTEN: Final[Mapping[str, tuple[str, ...]]] = {
    "divisor": ("3", "4", "8", "0.7", "12"),
    "half": ("2.5", "0.7", "1.3", "0.4"),
    "bound": ("0", "1", "2.5", "-5"),
    "decimals": ("0", "1", "2", "3"),
    "exponent": ("0", "1", "2", "3"),
    "index": ("0", "0", "0", "1", "1"),
    "fraction": ('".5"', '".25"', '"0"'),
    "digits": ('"12.50"', '"-7"', '"0.1"', '"42"'),
    "filled": ("[3, 1, 2]", "[2.5, 2.5, 1]", "[1, 2]", "[7, 0.5]"),
    "numbers": ("[3, 1, 2]", "[2.5, 2.5, 1]", "[1]", "[4, 1, 3, 2]"),
    "strings": ('["x", "y"]', '["z"]', '["app", "x", "x"]'),
    "unit": ('"day"', '"week"', '"month"', '"hour"', '"minute"', '"second"'),
    "clock": ('"10:30"', '"23:59:59"', '"00:00"', "37800", '"2026-01-31T10:20:30Z"'),
    "span": ('"2d"', '"1h 30m"', '"1w"', '"1M"', '"1y"', "90"),
    "instant": (
        *(f'"{day}"' for day in DAYS),
        *('"2026-01-31 10:20:30"', '"2026-01-31T23:00:00-03:00"', "0", "951782400"),
    ),
}
_PLACES: Final = tuple(Text(str(n), str(n), str(10**n), 1, n) for n in range(4))


@dataclass(frozen=True, slots=True)
class Name:
    """A name that expressions can read; `low`, `high` and `scale` bound an input's numbers."""

    name: str
    kind: str
    digits: int = 1
    scale: int = 0
    low: Decimal = Decimal(0)
    high: Decimal = Decimal(100)
    words: tuple[str, ...] = ("x", "y")
    given: bool = False

    @property
    def text(self) -> Text:
        """The name as an expression."""
        return Text.same(self.name, self.digits, self.scale)

    def literal(self, rng: random.Random) -> Text:
        """Return a number or a word near what the name holds."""
        if self.kind == "string":
            return Text.same(f'"{rng.choice(self.words)}"')
        step = Decimal(1).scaleb(-min(self.scale, 2))
        number = self.low + step * rng.randint(0, int((self.high - self.low) / step))
        number = number if rng.random() < 0.5 else Decimal(round(number))
        return Text.same(format(number, "f"), len(str(abs(int(number)))), min(self.scale, 2))


class Writer:
    """Chance, and what the expression under way may read."""

    def __init__(self, rng: random.Random, names: Sequence[Name], nullable: str) -> None:
        self.rng = rng
        self.names = names
        self._nullable = nullable
        self._subject: Name | None = None
        self._low = Decimal(0)
        self._takes: dict[str, Callable[[], Text]] = {
            "places": lambda: rng.choice(_PLACES),
            "nonzero": self._nonzero,
            "field": self._field,
            "threshold": self._threshold,
            "low": self._lower,
            "high": self._higher,
            "text": self._text,
            "flag": lambda: self.leaf("boolean"),
            "nullable": lambda: Text.same(self._nullable),
            "word": self._word,
            "words": self._words,
            "records": lambda: rng.choice(self.of("records")).text,
            "plain": self._plain,
            **{kind: partial(self._written, kind) for kind in _WRITTEN if kind not in LISTS},
        }
        self._takes |= {"instant": self._instant, "full": self._full}

    def hiding(self, name: str) -> "Writer":
        """Return a writer that does not read this name."""
        rest = [item for item in self.names if item.name != name]
        return Writer(self.rng, rest, self._nullable)

    def of(self, kind: str) -> list[Name]:
        """Return the names of one kind."""
        return [item for item in self.names if item.kind == kind]

    def expr(self, kind: str, depth: int = 2) -> Text:
        """Return an expression of one kind."""
        if depth == 0 or self.rng.random() < 0.15:
            return self.leaf(kind)
        forms = forms_of(kind)
        if not self.of("records"):
            forms = tuple(item for item in forms if "records" not in item.takes)
        form = self.rng.choices(forms, [item.weight for item in forms])[0]
        return self.write(form, depth)

    def write(self, form: Form, depth: int, *, always: bool = False) -> Text:
        """Return a form with arguments, or a leaf where its number could grow too wide."""
        made = form.write([self._argument(kind, depth - 1) for kind in form.takes], self.rng)
        wide = made.digits + made.scale > WIDEST or made.rounds > ROUNDINGS
        return self.leaf(form.makes) if wide and not always else made

    def null_test(self) -> Text:
        """Return a condition whose only word about the nullable input is a null test."""
        test = self.rng.choice(NULL_TESTS).write([Text.same(self._nullable)], self.rng)
        other = self.hiding(self._nullable).expr("boolean", 1).bracketed()
        if self.rng.random() < 0.5:
            return test
        join = self.rng.choice(("and", "or"))
        return Text(
            f"{test.ours} {join} {other.ours}",
            f"{test.zen} {join} {other.zen}",
            f"{test.even} {join} {other.even}",
        )

    def leaf(self, kind: str) -> Text:
        """Return a name of one kind, or a literal."""
        names = self.of(kind)
        if names and self.rng.random() < 0.8:
            return self.rng.choice(names).text
        if kind == "boolean":
            return Text.same(self.rng.choice(("true", "false")))
        if kind in LISTS:
            return self._written(kind)
        return (self.rng.choice(names) if names else Name("", kind)).literal(self.rng)

    def cell(self, subject: Name) -> Text:
        """Return a unary test about a column's field; sometimes an empty one."""
        if self.rng.random() < 0.2:
            return Text.same("")
        self._subject = subject
        args_of = self.rng.choice(cells(subject.kind))
        args = []
        for kind in args_of.takes:
            self._subject = subject
            args.append(self._argument(kind, 1))
        return args_of.write(args, self.rng)

    def _argument(self, kind: str, depth: int) -> Text:
        make = self._takes.get(kind)
        return self.expr(kind, max(depth, 0)) if make is None else make()

    def _written(self, kind: str) -> Text:
        return Text.same(self.rng.choice(_WRITTEN[kind]), 2, 1)

    def _plain(self) -> Text:
        """A number without zeros at its end: ZEN writes those that a sum has kept."""
        names = [item for item in self.of("number") if item.given and not item.scale]
        return self.rng.choice(names).text if names else Text.same("7")

    def _full(self) -> Text:
        """A list that is seldom empty."""
        names = [item for item in self.of("numbers") if item.name.startswith("past.")]
        return self.rng.choice(names).text if names and self.rng.random() < 0.5 else self._filled()

    def _filled(self) -> Text:
        one, two = self.leaf("number"), self.expr("number", 1).bracketed()
        written = self._written("filled")
        both = Text(
            f"[{one.ours}, {two.ours}]",
            f"[{one.zen}, {two.zen}]",
            f"[{one.even}, {two.even}]",
            max(one.digits, two.digits),
            max(one.scale, two.scale),
            rounds=two.rounds,
        )
        return written if self.rng.random() < 0.5 else both

    def _instant(self) -> Text:
        names = [item for item in self.of("string") if item.words == DAYS]
        if names and self.rng.random() < 0.7:
            return self.rng.choice(names).text
        return self._written("instant")

    def _nonzero(self) -> Text:
        """A divisor: seldom zero."""
        if self.rng.random() < 0.6:
            return Text.same(self.rng.choice(("3", "4", "0.7", "12", "1.25")), 2, 1)
        text = self.expr("number", 1)
        return Text.same("3") if text.ours.strip("-0.") == "" else text

    def _field(self) -> Text:
        names = self.of("number")
        self._subject = self.rng.choice(names) if names else None
        return self._subject.text if self._subject else self.leaf("number")

    def _threshold(self) -> Text:
        return (self._subject or Name("", "number")).literal(self.rng)

    def _lower(self) -> Text:
        text = self._threshold()
        self._low = Decimal(text.ours)
        return text

    def _higher(self) -> Text:
        """The other end of a range that is not empty."""
        high = Decimal(self._threshold().ours)
        if high <= self._low:
            high = self._low + self.rng.choice((1, 2, 10))
        return Text.same(format(high, "f"), 4, 2)

    def _text(self) -> Text:
        names = self.of("string")
        self._subject = self.rng.choice(names) if names else None
        return self._subject.text if self._subject else Text.same('"x"')

    def _word(self) -> Text:
        return Text.same(f'"{self.rng.choice(self._vocabulary())}"')

    def _vocabulary(self) -> tuple[str, ...]:
        if self._subject is not None and self._subject.kind == "string":
            return self._subject.words
        names = self.of("string")
        return self.rng.choice(names).words if names else ("x", "y")

    def _words(self) -> Text:
        words = self._vocabulary()
        some = self.rng.sample(words, self.rng.randint(1, len(words)))
        return Text.same(f"[{', '.join(f'{chr(34)}{word}{chr(34)}' for word in some)}]")
