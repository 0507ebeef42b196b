"""
Consecutive nodes as one two-valued function over the facts; small tables are tests.

Only nodes that always run become code: what stands behind a gate, reads what may never be made or
shares its names with another branch stays a step of its own, and so do tables with more rows (see
`table_index`), `unique` tables, scorecards, switches and functions.
"""

from collections.abc import Callable, Iterable, Sequence
from decimal import getcontext, setcontext
from itertools import groupby
from typing import Any, Final

from decision_engine.policy.document import AnyNode, ExpressionNode, RuleTable, ValueTable
from decision_engine.policy.layout import Layout
from decision_engine.policy.run import Run, Step
from decision_engine.policy.statements import Code, Statements
from decision_engine.policy.steps import ExpressionStep, RuleStep, ValueStep
from decision_engine.policy.syntax import Arithmetic, Numeric
from decision_engine.policy.values import EXACT

Fast = Callable[[Run], Any]

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
            nodes = [node for node, _ in pairs if isinstance(node, Code)]
            found.append(_Block(layout).step(nodes, first))
        else:
            found += [step.fast for _, step in pairs]
        first += sum(len(node.rules) for node, _ in pairs if isinstance(node, RuleTable))
    return tuple(found)


def all_code(steps: Sequence[tuple[AnyNode, Step]]) -> list[Code] | None:
    """Return the nodes of a policy that is nothing but code, else None."""
    if not all(map(_is_code, steps)):
        return None
    return [node for node, _ in steps if isinstance(node, Code)]


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


class _Block(Statements):
    """Writes a step: it reads from the facts and writes to them."""

    def _numeric(self, expr: Numeric) -> str:
        match expr:
            case Arithmetic(operator=sign) if sign in _NATIVE and all(
                map(self._is_number, expr.parts)
            ):
                return f" {sign} ".join(self._sources(expr)).join("()")
            case _:
                return super()._numeric(expr)

    def step(self, nodes: Iterable[Code], first: int) -> Fast:
        lines = list(self.lines(nodes, first))
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
