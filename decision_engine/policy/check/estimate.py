"""What an expression can be, as a range, by the schema and by the conditions that stand around."""

from collections.abc import Mapping
from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, Decimal
from functools import reduce
from typing import Final

from decision_engine.policy.check.ranges import (
    ANY,
    NOT_NEGATIVE,
    Range,
    absolute,
    add,
    compared,
    divide,
    hull,
    meet,
    multiply,
    on_grid,
    pick,
    point,
    power,
    range_of_field,
    remainder,
    round_to,
    subtract,
)
from decision_engine.policy.kinds import ListOf
from decision_engine.policy.schema import Field
from decision_engine.policy.syntax import (
    FLIPPED,
    Arithmetic,
    Call,
    Choice,
    Compare,
    Each,
    Expr,
    FieldOf,
    Item,
    Items,
    Literal,
    Logic,
    Member,
    Not,
    Numeric,
    Operator,
    Quotient,
    Ref,
    Rounded,
    Within,
    nodes_in,
)
from decision_engine.policy.values import rounded

#: Sub-expressions that are estimated, over the whole policy.
MOST_STEPS: Final = 200_000
_MOST_FACTS: Final = 64
#: Facts are about expressions of so many parts at most: each is looked up by its whole tree.
_MOST_PARTS: Final = 16
#: What is known of expressions where one stands: by a condition that is true there.
Facts = Mapping[Expr, Range]
NO_FACTS: Final[Facts] = {}

_OPPOSITE: Final[Mapping[Operator, Operator]] = {
    "<": ">=",
    "<=": ">",
    ">": "<=",
    ">=": "<",
    "==": "!=",
    "!=": "==",
}
_NOUGHT: Final = point(Decimal(0))
_ARITHMETIC: Final = {
    "+": add,
    "-": subtract,
    "*": multiply,
    "%": remainder,
    "^": power,
}
_CUTS: Final = {"floor": ROUND_FLOOR, "ceil": ROUND_CEILING, "trunc": ROUND_DOWN}
_MIDDLE: Final = frozenset({"min", "max", "avg", "median", "mode"})


class TooLargeError(Exception):
    """The estimate was given up after `MOST_STEPS`."""


class Estimate:
    """
    The ranges of all names so far, and of expressions over them.

    `fields` are the typed names; `made` has the ranges of names that nodes before have made.
    """

    def __init__(self, fields: Mapping[str, Field]) -> None:
        self.fields = fields
        self.made: dict[str, Range] = {}
        self._steps = 0

    def of(self, expr: Expr, facts: Facts) -> Range:
        """
        Return what a number can be where the facts hold; anything for what is no number.

        Raises:
            TooLargeError: it was asked too often, in the whole policy.
        """
        if isinstance(expr, Literal):
            return point(expr.value) if isinstance(expr.value, Decimal) else ANY
        self._steps += 1
        if self._steps > MOST_STEPS:
            raise TooLargeError
        found = self._plain(expr, facts)
        known = facts.get(_key(expr)) if facts and _small(expr) else None
        if known is not None:
            found = meet(found, known)
            if isinstance(expr, Ref):
                found = on_grid(found, self.fields[expr.name].scale)
        return found

    def learn(self, condition: Expr, facts: Facts, *, truth: bool) -> Facts:
        """Return the facts where the condition is true, or where it is false."""
        match condition:
            case Not():
                return self.learn(condition.condition, facts, truth=not truth)
            case Logic():
                parts = condition.conditions
                if (condition.operator == "and") == truth:
                    return reduce(
                        lambda so_far, c: self.learn(c, so_far, truth=truth), parts, facts
                    )
                return _common([self.learn(part, facts, truth=truth) for part in parts])
            case Compare():
                operator = condition.operator if truth else _OPPOSITE[condition.operator]
                return self._compared(condition.left, operator, condition.right, facts)
            case Within() | Member():
                return self.learn(_spelled_out(condition), facts, truth=truth)
            case _:
                return facts

    def inside(self, each: Each, facts: Facts) -> Facts:
        """Return the facts in the body of a closure: `#` is another element there."""
        outside = {
            expr: known
            for expr, known in facts.items()
            if not any(isinstance(node, Item) for node in nodes_in(expr))
        }
        return {**outside, **self._elements(each.subject, facts)}

    def _plain(self, expr: Expr, facts: Facts) -> Range:
        match expr:
            case Ref():
                return self.made.get(expr.name) or range_of_field(self.fields[expr.name])
            case Arithmetic() | Rounded() | Quotient():
                return self._numeric(expr, facts)
            case Choice():
                yes = self.learn(expr.condition, facts, truth=True)
                no = self.learn(expr.condition, facts, truth=False)
                return hull((self.of(expr.yes, yes), self.of(expr.no, no)))
            case Call():
                return self._call(expr, facts)
            case _:
                counts = isinstance(expr, Each) and expr.function == "count"
                return NOT_NEGATIVE if counts else ANY

    def _numeric(self, expr: Numeric, facts: Facts) -> Range:
        one, *others = (self.of(part, facts) for part in expr.parts)
        match expr:
            case Rounded():
                return round_to(one, lambda value: rounded(value, expr.digits))
            case Quotient():
                return divide(one, others[0], rounded=expr.digits is not None)
            case _:
                return _ARITHMETIC[expr.operator](one, others[0])

    def _call(self, expr: Call, facts: Facts) -> Range:
        subject, *rest = expr.arguments
        if expr.function == "abs":
            return absolute(self.of(subject, facts))
        if expr.function in _CUTS and not rest:
            cut = _CUTS[expr.function]
            return round_to(self.of(subject, facts), lambda value: value.to_integral_value(cut))
        if expr.function == "len":
            return self._length(subject)
        if expr.function in _MIDDLE or expr.function == "sum":
            return self._over_list(expr.function, subject, facts)
        return ANY

    def _length(self, subject: Expr) -> Range:
        if isinstance(subject, Items):
            return point(Decimal(len(subject.items)))
        field = self.fields.get(subject.name) if isinstance(subject, Ref) else None
        kind = field.kind if field else None
        most = point(Decimal(kind.most)) if isinstance(kind, ListOf) else ANY
        return compared(NOT_NEGATIVE, "<=", most)

    def _over_list(self, function: str, subject: Expr, facts: Facts) -> Range:
        if isinstance(subject, Items):
            ranges = [self.of(item, facts) for item in subject.items]
            if function == "sum":
                return reduce(add, ranges)
            if function in ("min", "max"):
                return pick(ranges, largest=function == "max")
            # A mean lies between the smallest and the largest, and may be zero between them.
            return hull(ranges)._replace(hole=False)
        one = self._item_of(subject, facts)
        if function == "sum":
            # An empty list sums to zero.
            return NOT_NEGATIVE if one.low.value >= 0 else ANY
        return one._replace(hole=one.hole and function in ("min", "max", "mode"))

    def _item_of(self, subject: Expr, facts: Facts) -> Range:
        """Return what each element of a list of numbers can be."""
        if isinstance(subject, Each) and subject.function == "map":
            return self.of(subject.body, self.inside(subject, facts))
        return self._elements(subject, facts).get(Item(), ANY)

    def _elements(self, subject: Expr, facts: Facts) -> Facts:
        """Return what is known of `#` and its fields, where it is an element of this list."""
        match subject:
            case Ref():
                field = self.fields[subject.name]
                known = {_part(field, part): range_of_field(part) for part in field.elements}
                return {expr: found for expr, found in known.items() if found != ANY}
            case Each(function="filter"):
                return self.learn(subject.body, self.inside(subject, facts), truth=True)
            case Items():
                return {Item(): hull(self.of(item, facts) for item in subject.items)}
            case _:
                return NO_FACTS

    def _compared(self, left: Expr, operator: Operator, right: Expr, facts: Facts) -> Facts:
        if not (_small(left) and _small(right)):
            return facts
        one, two = self.of(left, facts), self.of(right, facts)
        learned: dict[Expr, Range] = {
            _key(left): compared(one, operator, two),
            _key(right): compared(two, FLIPPED[operator], one),
            # Of two values only their order may be known: then so is their difference.
            Arithmetic("-", left, right): compared(ANY, operator, _NOUGHT),
            Arithmetic("-", right, left): compared(ANY, FLIPPED[operator], _NOUGHT),
        }
        told: dict[Expr, Range] = {
            expr: known
            for expr, known in learned.items()
            if known != ANY and not isinstance(expr, Literal)
            # To know less is no harm, to copy very much in every row of a big table is.
            if expr in facts or len(facts) < _MOST_FACTS
        }
        return {**facts, **told}


def _small(expr: Expr) -> bool:
    found = [expr]
    for node in found:
        found += node.parts
        if len(found) > _MOST_PARTS:
            return False
    return True


def _key(expr: Expr) -> Expr:
    """One name is one expression, however it was written."""
    return Ref(expr.name) if isinstance(expr, Ref) else expr


def _part(field: Field, part: Field) -> Expr:
    """An element is `#` itself in a list of scalars, else a field of it."""
    scalars = isinstance(field.kind, ListOf) and isinstance(field.kind.items, str)
    return Item() if scalars else FieldOf(Item(), part.name)


def _common(facts: list[Facts]) -> Facts:
    """Return what holds wherever one of several lists of facts holds."""
    shared = reduce(lambda one, two: one & two.keys(), facts[1:], set(facts[0]))
    return {expr: hull(each[expr] for each in facts) for expr in shared}


def _spelled_out(test: Within | Member) -> Expr:
    if isinstance(test, Member):
        return Logic("or", tuple(Compare("==", test.subject, item) for item in test.items))
    low = Compare(">=" if test.low_closed else ">", test.subject, test.low)
    high = Compare("<=" if test.high_closed else "<", test.subject, test.high)
    return Logic("and", (low, high))
