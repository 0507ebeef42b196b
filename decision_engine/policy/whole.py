"""
A policy that is all code as one function from its inputs to what it makes, on scaled integers.

Numbers are integers wherever a bound shows that exact decimals could not fail on them (see
`scaled`); anything else is the `Decimal` that the steps would have. Both say the same: what comes
out are equal values, whichever way they were made.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from decision_engine.policy.document import RuleTable, ValueTable, expressions_of
from decision_engine.policy.evaluation import RuleResult
from decision_engine.policy.layout import Layout
from decision_engine.policy.reading import is_list
from decision_engine.policy.scaled import (
    Term,
    aligned,
    bounds_of,
    chosen,
    constant,
    fitting,
    half_even,
    joined,
    quotient,
    rounded,
    scale_of,
    written,
)
from decision_engine.policy.schema import Field
from decision_engine.policy.statements import Code, Statements, written_out
from decision_engine.policy.syntax import (
    Arithmetic,
    Call,
    Choice,
    Compare,
    Expr,
    Literal,
    Member,
    Numeric,
    Quotient,
    Ref,
    Rounded,
    Within,
    names_of,
)

Values = tuple[Any, ...]
RunWhole = Callable[[Values, bytearray], tuple[tuple[RuleResult, ...], Values]]
_SCALED: Final = ("+", "-", "*")
#: Larger integers are possible, but no credit is about them: they are left to the steps, so that
#: what is made of the usual ones stays within bounds.
_USUAL: Final = 10**29


@dataclass(frozen=True, slots=True)
class Scales:
    """A name and a number of decimals for each value, in order; None where it stands for itself."""

    inputs: Mapping[str, int | None]
    derived: Mapping[str, int | None]


@dataclass(frozen=True, slots=True)
class Whole:
    """
    The function of a policy, and what its integers mean.

    `run` takes the inputs (numbers scaled as their fields say) and the codes of the rules, marks
    those that hit, and gives their results and the derived values; it raises NoAnswerError or
    ArithmeticError.
    """

    run: RunWhole
    scales: Scales


def whole(
    nodes: Sequence[Code] | None,
    fields: Sequence[Field],
    layout: Layout,
    hits: Sequence[RuleResult],
) -> Whole | None:
    """
    Return the function of a policy that is all code and reads no list, else None.

    `hits` are the results of the rules when they hit.
    """
    if nodes is None or any(map(is_list, fields)):
        return None
    return _Integers(layout, fields, hits).whole(nodes)


class _Integers(Statements):
    """Writes numbers as terms where it can; `_forms` says what a variable holds."""

    def __init__(self, layout: Layout, fields: Sequence[Field], hits: Sequence[RuleResult]) -> None:
        super().__init__(layout)
        self._namespace |= {"half_even": half_even}
        self._fields = fields
        self._hits = hits
        self._used: set[int] = set()
        self._forms: dict[int, Term] = {}
        self._terms: dict[tuple[int, int], tuple[Expr, Term | None]] = {}
        for field in fields:
            if field.kind == "number":
                place = self._places[field.name]
                most = max(map(abs, bounds_of(field)))
                self._forms[place] = Term(f"v{place}", scale_of(field), most)

    def whole(self, nodes: Sequence[Code]) -> Whole:
        read = names_of(expr for node in nodes for _, _, expr in expressions_of(node))
        self._used = {self._places[name] for name in read}
        lines = list(self.lines(nodes, 0))
        made = "".join(f"v{place}, " for place in self._made)
        taken = "".join(f"v{place}, " for place in range(len(self._fields)))
        head = [f"{taken}= facts"] if taken else []
        body = [*head, "asks = ()", *lines, f"return asks, ({made})"]
        run = self.function("\n ".join(body), "facts, codes")
        names = {place: name for name, place in self._places.items()}
        scales = Scales(
            inputs={field.name: self._decimals(self._places[field.name]) for field in self._fields},
            derived={names[place]: self._decimals(place) for place in self._made},
        )
        return Whole(run, scales)

    def _decimals(self, place: int) -> int | None:
        form = self._forms.get(place)
        return None if form is None else form.scale

    def _assigned(self, name: str, value: Expr) -> Iterator[str]:
        term = self._term(value)
        if term is None:
            yield from super()._assigned(name, value)
            return
        place = self._places[name]
        yield f"v{place} = {term.source}"
        yield from self._held(place, term)
        self._made[place] = None

    def _held(self, place: int, term: Term) -> Iterator[str]:
        """Remember what a variable holds; yield a line that leaves absurd numbers to the steps."""
        guarded = term.most > _USUAL and place in self._used
        self._forms[place] = Term(f"v{place}", term.scale, _USUAL if guarded else term.most)
        if guarded:
            yield f"if not ({written(-_USUAL)} <= v{place} <= {_USUAL}): raise NoAnswer"

    def _rules(self, node: RuleTable, first: int) -> Iterator[str]:
        for index, line in enumerate(super()._rules(node, first), first):
            yield f"{line}; asks = asks + ({self.constant(self._hits[index])}, )"

    def _values(self, node: ValueTable) -> Iterator[str]:
        places = [self._places[name] for name in node.outputs]
        yield from super()._values(node)
        for place in places:
            if place in self._forms:
                yield from self._held(place, self._forms[place])

    def _outputs(self, node: ValueTable, places: list[int]) -> list[str]:
        """Scale a column when every row of it can be."""
        rows = [row.outputs for row in node.searched]
        columns = [self._column(column) for column in zip(*rows, strict=True)]
        for place, column in zip(places, columns, strict=True):
            if column:
                most = max(term.most for term in column)
                self._forms[place] = Term(f"v{place}", column[0].scale, most)
        return [
            self._row(outputs, [column[index] if column else None for column in columns])
            for index, outputs in enumerate(rows)
        ]

    def _column(self, values: Sequence[Expr]) -> list[Term]:
        terms = [term for value in values if (term := self._term(value)) is not None]
        return aligned(terms) if len(terms) == len(values) else []

    def _row(self, outputs: Sequence[Expr], terms: Sequence[Term | None]) -> str:
        held = [
            term.number if term else value.value
            for value, term in zip(outputs, terms, strict=True)
            if isinstance(value, Literal)
        ]
        if len(held) == len(outputs):
            return self.constant(tuple(held))
        pairs = zip(outputs, terms, strict=True)
        return "".join(f"{term.source if term else self.source(value)}, " for value, term in pairs)

    def source(self, expr: Expr) -> str:
        """Return the source of a value that stands for itself: a term becomes a `Decimal`."""
        term = self._term(expr)
        if term is None or term.number is not None:
            return super().source(expr)
        return self.unscaled(term.source, term.scale)

    def _term(self, expr: Expr) -> Term | None:
        # Trees share their parts, and a part is asked for by everyone around it.
        key = (id(expr), self._level)
        if key not in self._terms:
            self._terms[key] = (expr, self._new_term(expr))  # an id is its own while it is kept
        return self._terms[key][1]

    def _new_term(self, expr: Expr) -> Term | None:
        match expr:
            case Literal(value=Decimal() as number):
                return constant(number)
            case Ref():
                return self._forms.get(self._places[expr.name])
            case Arithmetic() | Rounded() | Quotient():
                return self._number(expr)
            case Choice():
                terms = self._all_terms((expr.yes, expr.no))
                return chosen(self.source(expr.condition), *terms) if terms else None
            case Call():
                return self._largest(expr)
            case _:
                return None

    def _all_terms(self, exprs: Sequence[Expr]) -> list[Term] | None:
        """Return the terms of all, or None when one of them has none."""
        terms = [self._term(expr) for expr in exprs]
        found = [term for term in terms if term is not None]
        return found if len(found) == len(terms) else None

    def _number(self, expr: Numeric) -> Term | None:
        terms = self._all_terms(expr.parts)
        match expr:
            case Arithmetic(operator=sign):
                return joined(sign, *terms) if terms and sign in _SCALED else None
            case Rounded(digits=digits):
                return rounded(terms[0], digits) if terms else None
            case Quotient(digits=int() as digits):
                return quotient(terms[0], terms[1], digits) if terms else None
            case _:
                return None

    def _largest(self, expr: Call) -> Term | None:
        items = written_out(expr)
        terms = items and self._all_terms(items.items)
        if not items or not terms:
            return None
        equal = aligned(terms)
        source = self._one_of(expr.function, items, [term.source for term in equal])
        return fitting(Term(source, equal[0].scale, max(term.most for term in equal)))

    def _operands(self, expr: Compare | Within) -> list[str]:
        terms = self._all_terms(expr.parts)
        return [term.source for term in aligned(terms)] if terms else super()._operands(expr)

    def _member(self, expr: Member) -> str:
        subject, items = self._term(expr.subject), self._all_terms(expr.items)
        numbers = [term.number for term in items or ()]
        if subject is None or items is None or None in numbers:
            return super()._member(expr)
        least = aligned([subject, *items])
        return f"{least[0].source} in {self.constant(frozenset(t.number for t in least[1:]))}"
