"""
The deliberate differences: each a predicate that is proven true of the pair that it excuses.

| kind | the engines differ because |
|---|---|
| `unread` | the input that ZEN's schema refuses is read by nothing in our policy |
| `decided` | a faulty input is read, but by Kleene's logic nothing needs it |
| `half_even` | ZEN rounds halves away from zero; with half-even written out it says what we say |
| `no_result` | an operation on known values has no result: we say missing, ZEN stops or goes on |
| `no_row` | a table has no row, or no single one: its values are missing, ZEN goes on without |
| `no_host_answer` | the host's function gave no answer |
| `needless` | an operation has no result, but by Kleene's logic nothing needs it: ZEN stops there |
| `rounded_twice` | ZEN rounds a quotient to 28 digits before `round` does, we round it once |
| `not_made` | a value is read that the branches taken do not make: missing for us, null for ZEN |

The first three, `needless` and `rounded_twice` are decided where ZEN's answers are compared
(`compare.py`); the others here, from our own evaluation.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

from decision_engine.policy.closures import Facts, closure
from decision_engine.policy.document import (
    AnyNode,
    FunctionNode,
    SwitchNode,
    ValueTable,
    expressions_of,
)
from decision_engine.policy.evaluation import Evaluation
from decision_engine.policy.functions.numbers import divide
from decision_engine.policy.syntax import (
    Choice,
    Each,
    Expr,
    Logic,
    NullTest,
    Quotient,
    Ref,
    names_in,
)
from decision_engine.policy.values import Fact, Missing
from tests.integration.policy.differential.inputs import Case
from tests.integration.policy.differential.prepare import Item, Prepared

KINDS: Final = (
    "unread",
    "decided",
    "half_even",
    "no_result",
    "no_row",
    "no_host_answer",
    "needless",
    "rounded_twice",
    "not_made",
)


@dataclass(frozen=True)
class Question:
    """One pair with what we said of it.

    `items` are compared; of these `absent` stand in branches not taken, and `held` is what we
    withhold.
    """

    prepared: Prepared
    case: Case
    evaluation: Evaluation
    facts: Facts
    ours: Mapping[str, Any]
    items: tuple[Item, ...]
    absent: frozenset[str]
    held: tuple[Item, ...]

    @property
    def gone(self) -> frozenset[str]:
        """The names, inputs and derived ones, that are missing in our evaluation."""
        places = self.prepared.ours.layout.places
        return frozenset(n for n, place in places.items() if isinstance(self.facts[place], Missing))

    def has_cause(self, item: Item) -> bool:
        """Tell whether something explains that an item is withheld, and blames nobody else."""
        reach = self.reach(item.node)
        return self._blames_faulty(item, reach) and (
            isinstance(reach, Missing)
            or bool(item.reads & self.gone)
            or any(self.has_no_result(expr) for expr in item.exprs)
            or item.node.name in self.evaluation.uncovered
        )

    def reach(self, node: AnyNode) -> Fact:
        """Return whether a node is reached."""
        return self.prepared.ours.flow.reach(node.id, self.facts)

    def _blames_faulty(self, item: Item, reach: Fact) -> bool:
        """An operation without a result blames the inputs that it read; else only faulty ones."""
        blamed = set(self.evaluation.missing.get(item.key, ()))
        behind = self.prepared.ours.layout.behind(*item.exprs) if item.exprs else blamed
        if isinstance(reach, Missing):
            behind = behind | reach.names
        return blamed <= behind and (blamed <= self.case.faulty or self.lacks_result)

    @property
    def lacks_result(self) -> bool:
        """Tell whether some operation on known values has no result."""
        return any(self.has_no_result(e) for item in self.held for e in item.exprs) or any(
            self.has_no_result(expr)
            for node in self.prepared.ours.nodes
            if isinstance(node, SwitchNode) and self.reach(node) is not False
            for _, _, expr in expressions_of(node)
        )

    def has_no_result(self, expr: Expr) -> bool:
        """Tell whether an operation in the expression is missing though its operands are not."""
        inside = isinstance(expr, Each) and self._fails_inside(expr)
        return inside or self._fails(expr) or any(self.has_no_result(part) for part in _apart(expr))

    def _fails_inside(self, expr: Each) -> bool:
        """Ask for each element that the closure is applied to."""
        listed = closure(expr.subject, self.prepared.ours.layout)(self.facts)
        found = False
        for item in listed if isinstance(listed, tuple) else ():
            self.facts.append(item)
            found = found or self.has_no_result(expr.body)
            self.facts.pop()
        return found

    def odd(self, items: Iterable[Item]) -> list[Item]:
        """Return what we say although an operation in it has no result: nothing needs that."""
        return [
            item
            for item in items
            if item.key not in self.absent and any(map(self.has_no_result, item.exprs))
        ]

    def rounds_twice(self) -> bool:
        """
        Tell whether some quotient is another number when it is rounded to 28 digits before.

        What we say of it must be right by fractions: no fault of our own rounding is excused.
        """
        return any(
            self._rounds_twice(part)
            for item in self.items
            for expr in item.exprs
            for part in _outside(expr)
            if isinstance(part, Quotient) and part.digits is not None
        )

    def _rounds_twice(self, part: Quotient) -> bool:
        layout = self.prepared.ours.layout
        top, bottom, ours = (
            closure(expr, layout)(self.facts) for expr in (part.dividend, part.divisor, part)
        )
        if not (type(top) is type(bottom) is type(ours) is Decimal):
            return False
        once = round(Fraction(top) / Fraction(bottom), part.digits)
        return Fraction(ours) == once != round(Fraction(divide(top, bottom)), part.digits)

    def _fails(self, part: Expr) -> bool:
        if isinstance(part, Each) and names_in(part.body) & self.gone:
            return False
        if isinstance(part, Ref | NullTest | Choice | Logic) or not part.parts:
            return False
        return self._missing(part) and not any(self._missing(inner) for inner in _apart(part))

    def _missing(self, expr: Expr) -> bool:
        return isinstance(closure(expr, self.prepared.ours.layout)(self.facts), Missing)


def _apart(expr: Expr) -> tuple[Expr, ...]:
    """Return the parts that have a value by themselves; a closure's body has none."""
    return (expr.subject,) if isinstance(expr, Each) else expr.parts


def _outside(expr: Expr) -> Iterator[Expr]:
    """Yield an expression and what is in it, but not the bodies of closures."""
    yield expr
    for part in _apart(expr):
        yield from _outside(part)


def _uncovered(question: Question, kind: type) -> bool:
    names = question.evaluation.uncovered
    return any(isinstance(n, kind) and n.name in names for n in question.prepared.ours.nodes)


PREDICATES: Final[Mapping[str, Callable[[Question], bool]]] = {
    "no_result": lambda question: question.lacks_result,
    "no_row": lambda question: _uncovered(question, ValueTable),
    "no_host_answer": lambda question: _uncovered(question, FunctionNode),
    "not_made": lambda question: any(item.reads & question.absent for item in question.held),
}


def excuses_of(question: Question) -> tuple[str, ...]:
    """Return the kinds that are true of a pair of which we withhold something."""
    return tuple(kind for kind, holds in PREDICATES.items() if holds(question))
