"""Writes expressions and cells from the forms, over the names that a node can see."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from tests.integration.policy.differential.forms import NULL_TESTS, Form, Text, accepted, cells

#: Whole digits and decimals of a number together: ZEN's decimals hold 28, ours 60.
WIDEST: Final = 20
#: Roundings in one expression: in ZEN's own words each writes its operand five times.
ROUNDINGS: Final = 1
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
        }

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
        forms = accepted(kind)
        form = self.rng.choices(forms, [item.weight for item in forms])[0]
        return self.write(form, depth)

    def write(self, form: Form, depth: int) -> Text:
        """Return a form with arguments, or a leaf where its number could grow too wide."""
        made = form.write([self._argument(kind, depth - 1) for kind in form.takes], self.rng)
        wide = made.digits + made.scale > WIDEST or made.rounds > ROUNDINGS
        return self.leaf(form.makes) if wide else made

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
