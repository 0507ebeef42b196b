"""
Consecutive nodes as one two-valued function: names are local variables, small tables are tests.

Only nodes that always run become code: what stands behind a gate, reads what may never be made or
shares its names with another branch stays a step of its own, and so do tables with more rows (see
`table_index`), `unique` tables, scorecards, switches and functions.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import getcontext, setcontext
from itertools import groupby
from typing import Any, Final

from decision_engine.policy.document import AnyNode, ExpressionNode, RuleTable, ValueTable
from decision_engine.policy.layout import Layout
from decision_engine.policy.reading import Reading, is_list
from decision_engine.policy.run import Run, Step
from decision_engine.policy.schema import Field
from decision_engine.policy.steps import ExpressionStep, RuleStep, ValueStep
from decision_engine.policy.syntax import Arithmetic, Call, Expr, Items, Literal, Numeric, Ref
from decision_engine.policy.values import EXACT

Fast = Callable[[Run], Any]
#: From the values of the inputs to the derived values; marks the codes of the rules that hit.
Whole = Callable[[tuple[Any, ...], bytearray], dict[str, Any]]
_Code = ExpressionNode | RuleTable | ValueTable

#: So many rows may become code; every row of a rule table is tested anyhow.
_RULES: Final = 64
#: A value table stops at the first true row: with more rows the last would wait for the others.
_ROWS: Final = 16
#: These have operators, which are exact under the exact context; the others stay functions.
_NATIVE: Final = frozenset("+-*")
#: The one of several numbers that stays: the first of equal ones, as in `lists`.
_CHOSEN: Final = {"max": (max, ">="), "min": (min, "<=")}


def fused(steps: Iterable[tuple[AnyNode, Step]], layout: Layout) -> tuple[Fast, ...]:
    """Return what runs the steps in order when every fact is known, in as few calls as can be."""
    found: list[Fast] = []
    first = 0
    for is_code, group in groupby(steps, key=_is_code):
        pairs = list(group)
        if is_code:
            nodes = [node for node, _ in pairs if isinstance(node, _Code)]
            found.append(_block(nodes, first, layout))
        else:
            found += [step.fast for _, step in pairs]
        first += sum(len(node.rules) for node, _ in pairs if isinstance(node, RuleTable))
    return tuple(found)


def _is_code(pair: tuple[AnyNode, Step]) -> bool:
    """Tell by the step, not only by the node: a step behind a gate is of another type."""
    match pair:
        case ExpressionNode(), ExpressionStep():
            return True
        case RuleTable() as node, RuleStep():
            return len(node.rules) <= _RULES
        case ValueTable() as node, ValueStep():
            return len(node.rows) <= _ROWS
        case _:
            return False


def whole(
    steps: Sequence[tuple[AnyNode, Step]], fields: Sequence[Field], layout: Layout
) -> Whole | None:
    """Return one function of a policy that is all code and reads no list, else None."""
    if not all(map(_is_code, steps)) or any(map(is_list, fields)):
        return None
    block = _Block(layout)
    nodes = [node for node, _ in steps if isinstance(node, _Code)]
    return block.whole(list(block.reading(fields)), block.lines(nodes, 0))


def _block(nodes: list[_Code], first: int, layout: Layout) -> Fast:
    block = _Block(layout)
    return block.step(block.lines(nodes, first))


class _Block(Reading):
    """Writes the lines of one function; a name is read from the facts once, and written once."""

    def __init__(self, layout: Layout) -> None:
        super().__init__(layout)
        self._made: dict[int, None] = {}
        self._read: dict[int, None] = {}

    def place(self, name: str) -> str:
        place = self._places[name]
        if place not in self._made:
            self._read[place] = None
        return f"v{place}"

    def _numeric(self, expr: Numeric) -> str:
        match expr:
            case Arithmetic(operator=sign) if sign in _NATIVE and all(
                map(self._is_number, expr.parts)
            ):
                return f" {sign} ".join(self._sources(expr)).join("()")
            case _:
                return super()._numeric(expr)

    def _call(self, expr: Call) -> str:
        """Without the list in between where the numbers of `max` and `min` are written out."""
        items = expr.arguments[0]
        if expr.function not in _CHOSEN or not isinstance(items, Items) or len(items.items) == 1:
            return super()._call(expr)
        function, sign = _CHOSEN[expr.function]
        parts = self._sources(items)
        if len(parts) == 2 and all(isinstance(item, Ref | Literal) for item in items.items):  # noqa: PLR2004
            return f"({parts[0]} if {parts[0]} {sign} {parts[1]} else {parts[1]})"
        self._namespace[f"{expr.function}_of"] = function
        return f"{expr.function}_of({', '.join(parts)})"

    def make(self, name: str, source: str) -> str:
        self._made[self._places[name]] = None
        return f"v{self._places[name]} = {source}"

    def rules(self, node: RuleTable, first: int) -> Iterator[str]:
        for index, rule in enumerate(node.rules, first):
            yield f"if {self.source(rule.condition)}: codes[{index}] = 1"

    def values(self, node: ValueTable) -> Iterator[str]:
        places = [self._places[name] for name in node.outputs]
        targets = "".join(f"v{place}, " for place in places)
        word = "if"
        for row in node.searched:
            yield f"{word} {self.source(row.condition)}: {targets}= {self._outputs(row.outputs)}"
            word = "elif"
        yield "else: raise NoAnswer"
        self._made.update(dict.fromkeys(places))

    def _outputs(self, outputs: tuple[Expr, ...]) -> str:
        constants = tuple(item.value for item in outputs if isinstance(item, Literal))
        if len(constants) == len(outputs):
            return self._constant(constants)
        return "".join(f"{self.source(item)}, " for item in outputs)

    def lines(self, nodes: list[_Code], first: int) -> list[str]:
        lines: list[str] = []
        for node in nodes:
            match node:
                case ExpressionNode():
                    lines += [self.make(a.name, self.source(a.value)) for a in node.assignments]
                case RuleTable():
                    lines += self.rules(node, first)
                    first += len(node.rules)
                case _:
                    lines += self.values(node)
        return lines

    def step(self, lines: list[str]) -> Fast:
        reads = [f"v{place} = facts[{place}]" for place in self._read]
        writes = [f"facts[{place}] = v{place}" for place in self._made]
        run = self.function("\n ".join([*reads, *lines, *writes]) or "pass", "facts, codes")
        return lambda state: _exactly(run, state)

    def whole(self, reads: list[str], lines: list[str]) -> Whole:
        names = {place: name for name, place in self._places.items()}
        made = [f"{self._constant(names[place])}: v{place}" for place in self._made]
        body = [*reads, *lines, f"return {{{', '.join(made)}}}"]
        return self.function("\n ".join(body), "facts, codes")


def _exactly(block: Callable[..., Any], run: Run) -> None:
    """Run with the exact context as the thread's own: its operators cost half of its methods."""
    before = getcontext()
    setcontext(EXACT)
    try:
        block(run.facts, run.codes)
    finally:
        setcontext(before)
