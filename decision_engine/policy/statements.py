"""
Whole nodes as lines of one two-valued function: names are local variables, rows are tests.

What the lines read and make is known by its place; who writes a function around them adds how
names come in and go out.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from decision_engine.policy.codegen import Builder
from decision_engine.policy.document import ExpressionNode, RuleTable, ValueTable
from decision_engine.policy.layout import Layout
from decision_engine.policy.run import NoAnswerError
from decision_engine.policy.syntax import Call, Expr, Items, Literal, Ref

Code = ExpressionNode | RuleTable | ValueTable

#: The one of several numbers that stays: the first of equal ones, as in `lists`.
CHOSEN: Final = {"max": (max, ">="), "min": (min, "<=")}


class Statements(Builder):
    """Writes nodes as lines; a name is read once, and written once."""

    def __init__(self, layout: Layout) -> None:
        super().__init__(layout)
        self._namespace |= {"NoAnswer": NoAnswerError}
        self._made: dict[int, None] = {}
        self._read: dict[int, None] = {}

    def place(self, name: str) -> str:
        """Return the variable of a name."""
        place = self._places[name]
        if place not in self._made:
            self._read[place] = None
        return f"v{place}"

    def lines(self, nodes: Iterable[Code], first: int) -> Iterator[str]:
        """Yield the lines of the nodes in order; their first rule is number `first` of all."""
        for node in nodes:
            match node:
                case ExpressionNode():
                    for item in node.assignments:
                        yield from self._assigned(item.name, item.value)
                case RuleTable():
                    yield from self._rules(node, first)
                    first += len(node.rules)
                case _:
                    yield from self._values(node)

    def _assigned(self, name: str, value: Expr) -> Iterator[str]:
        yield f"v{self._places[name]} = {self.source(value)}"
        self._made[self._places[name]] = None

    def _rules(self, node: RuleTable, first: int) -> Iterator[str]:
        for index, rule in enumerate(node.rules, first):
            yield f"if {self.source(rule.condition)}: codes[{index}] = 1"

    def _values(self, node: ValueTable) -> Iterator[str]:
        places = [self._places[name] for name in node.outputs]
        targets = "".join(f"v{place}, " for place in places)
        word = "if"
        rows = zip(node.searched, self._outputs(node, places), strict=True)
        for row, outputs in rows:
            yield f"{word} {self.source(row.condition)}: {targets}= {outputs}"
            word = "elif"
        yield "else: raise NoAnswer"
        self._made.update(dict.fromkeys(places))

    def _outputs(self, node: ValueTable, places: list[int]) -> list[str]:
        """Return the source of each row's outputs; `places` are where they go."""
        del places
        return [self._output(row.outputs) for row in node.searched]

    def _output(self, outputs: tuple[Expr, ...]) -> str:
        constants = tuple(item.value for item in outputs if isinstance(item, Literal))
        if len(constants) == len(outputs):
            return self.constant(constants)
        return "".join(f"{self.source(item)}, " for item in outputs)

    def _call(self, expr: Call) -> str:
        """Without the list in between where the numbers of `max` and `min` are written out."""
        items = written_out(expr)
        if items is None:
            return super()._call(expr)
        return self._one_of(expr.function, items, self._sources(items))

    def _one_of(self, function: str, items: Items, parts: list[str]) -> str:
        """Return the source of the largest or smallest of parts that are sources of numbers."""
        choose, sign = CHOSEN[function]
        if len(parts) == 2 and all(isinstance(item, Ref | Literal) for item in items.items):  # noqa: PLR2004
            return f"({parts[0]} if {parts[0]} {sign} {parts[1]} else {parts[1]})"
        self._namespace[f"{function}_of"] = choose
        return f"{function}_of({', '.join(parts)})"


def written_out(call: Call) -> Items | None:
    """Return the numbers that `max` or `min` chooses from, when they are written one by one."""
    items = call.arguments[0]
    if call.function in CHOSEN and isinstance(items, Items) and len(items.items) > 1:
        return items
    return None
