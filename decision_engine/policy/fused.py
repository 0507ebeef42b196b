"""
Consecutive nodes as one two-valued function: names are local variables, small tables are tests.

Only nodes that always run become code: what stands behind a gate, reads what may never be made or
shares its names with another branch stays a step of its own, and so do tables with more rows (see
`table_index`), `unique` tables, scorecards, switches and functions.
"""

from collections.abc import Callable, Iterable, Iterator
from decimal import getcontext, setcontext
from itertools import groupby
from typing import Any, Final

from decision_engine.policy.codegen import Builder
from decision_engine.policy.document import AnyNode, ExpressionNode, RuleTable, ValueTable
from decision_engine.policy.layout import Layout
from decision_engine.policy.run import NoAnswerError, Run, Step
from decision_engine.policy.steps import ExpressionStep, RuleStep, ValueStep
from decision_engine.policy.syntax import Arithmetic, Expr, Literal, Numeric
from decision_engine.policy.values import EXACT

Fast = Callable[[Run], Any]
_Code = ExpressionNode | RuleTable | ValueTable

#: So many rows may become code; every row of a rule table is tested anyhow.
_RULES: Final = 64
#: A value table stops at the first true row: with more rows the last would wait for the others.
_ROWS: Final = 16
#: These have operators, which are exact under the exact context; the others stay functions.
_NATIVE: Final = frozenset("+-*")


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


def _block(nodes: list[_Code], first: int, layout: Layout) -> Fast:
    block = _Block(layout)
    lines: list[str] = []
    for node in nodes:
        match node:
            case ExpressionNode():
                lines += [block.make(a.name, block.source(a.value)) for a in node.assignments]
            case RuleTable():
                lines += block.rules(node, first)
                first += len(node.rules)
            case _:
                lines += block.values(node)
    return block.finish(lines)


class _Block(Builder):
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
        if isinstance(expr, Arithmetic) and expr.operator in _NATIVE:
            left, right = self._sources(expr)
            if all(map(self._is_number, expr.parts)):
                return f"({left} {expr.operator} {right})"
        return super()._numeric(expr)

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

    def finish(self, lines: list[str]) -> Fast:
        self._namespace["NoAnswer"] = NoAnswerError
        reads = [f"v{place} = facts[{place}]" for place in self._read]
        writes = [f"facts[{place}] = v{place}" for place in self._made]
        run = self.function("\n ".join([*reads, *lines, *writes]) or "pass", "facts, codes")
        return lambda state: _exactly(run, state)


def _exactly(block: Callable[..., Any], run: Run) -> None:
    """Run with the exact context as the thread's own: its operators cost half of its methods."""
    before = getcontext()
    setcontext(EXACT)
    try:
        block(run.facts, run.codes)
    finally:
        setcontext(before)
