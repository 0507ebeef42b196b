"""
The steps of a compiled policy: each node once as fast two-valued code, once three-valued.

The fast variant runs when every input that the policy reads is there. It leaves by an exception as
soon as something has no value (no row, no exact result); the three-valued variant then runs from
the beginning and says what is missing.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from decision_engine.policy.closures import Closure, closure
from decision_engine.policy.codegen import block_function, values_function
from decision_engine.policy.document import (
    ExpressionNode,
    FunctionNode,
    RuleTable,
    ScorecardNode,
    ValueRow,
    ValueTable,
    outputs_of,
)
from decision_engine.policy.evaluation import HIT, NO_HIT, NOT_EVALUABLE
from decision_engine.policy.layout import Layout
from decision_engine.policy.rows import PreparedRow
from decision_engine.policy.run import NoAnswerError, Run
from decision_engine.policy.scorecard import Attribute, Loss, Scorecard
from decision_engine.policy.syntax import Expr, Literal
from decision_engine.policy.table_index import Searched
from decision_engine.policy.values import NOTHING, Fact, Missing, missing_of


class ExpressionStep:
    """An expression node."""

    def __init__(self, node: ExpressionNode, layout: Layout) -> None:
        named = [(item.name, item.value) for item in node.assignments]
        self._block = block_function(named, layout)
        self._closures = tuple((layout.places[n], closure(value, layout)) for n, value in named)

    def fast(self, run: Run) -> None:
        """Write all keys."""
        self._block(run.facts)

    def slow(self, run: Run) -> None:
        """Write all keys, missing ones too."""
        for place, value in self._closures:
            run.facts[place] = value(run.facts)


class Lacking:
    """
    Tells whether an input that is to blame is missing, so that the rule covering it speaks for it.

    What no missing input explains is never passed over: a value of a branch that was not taken, an
    operation without a result on inputs that are all there.
    """

    def __init__(self, layout: Layout) -> None:
        self._places = layout.places

    def __call__(self, unknown: Missing, facts: list[Any]) -> bool:
        """Return whether it explains what is not known."""
        return any(type(facts[self._places[name]]) is Missing for name in unknown.names)


class RuleStep:
    """A rule table: a result for every row."""

    def __init__(self, node: RuleTable, first: int, layout: Layout) -> None:
        rows = (
            (first + index, PreparedRow(rule, layout), rule.on_missing)
            for index, rule in enumerate(node.rules)
        )
        conditions = [rule.condition for rule in node.rules]
        self._table = Searched(rows, conditions, layout, first=False)
        self._lacks = Lacking(layout)

    def fast(self, run: Run) -> None:
        """Mark the rows that hit."""
        facts, codes = run.facts, run.codes
        for index, row, _ in self._table.candidates(facts):
            if row.holds(facts):
                codes[index] = HIT

    def slow(self, run: Run) -> None:
        """Mark every row, with the inputs to blame where one cannot be evaluated."""
        for index, row, on_missing in self._table.candidates(run.facts):
            result = row.condition(run.facts)
            if isinstance(result, Missing):
                silent = on_missing == "no_hit_if_missing" and self._lacks(result, run.facts)
                run.codes[index] = NO_HIT if silent else NOT_EVALUABLE
                run.blames[index] = tuple(sorted(result.names))
            else:
                run.codes[index] = HIT if result else NO_HIT


class RowOutputs:
    """
    What a row of a value table gives, `known` when every fact is, `settled` in three values.

    Expressions are compiled when the row first decides: of a big table few rows ever do, and
    compiling them all took longer than everything else. Two threads that are the first at once
    compile the same thing twice, and either result stays.
    """

    __slots__ = ("_closures", "_exprs", "_layout", "known")

    def __init__(self, exprs: tuple[Expr, ...], layout: Layout) -> None:
        self._exprs, self._layout = exprs, layout
        self._closures: tuple[Closure, ...] | None = None
        constants = tuple(item.value for item in exprs if isinstance(item, Literal))
        self.known: Callable[[list[Any]], Any] = (
            (lambda _: constants) if len(constants) == len(exprs) else self._first
        )

    def _first(self, facts: list[Any]) -> Any:
        self.known = known = values_function(self._exprs, self._layout)
        return known(facts)

    def settled(self, facts: list[Fact]) -> list[Fact]:
        """Return a value, or what is missing, for every output."""
        if self._closures is None:
            self._closures = tuple(closure(value, self._layout) for value in self._exprs)
        return [output(facts) for output in self._closures]


def value_rows(
    rows: Iterable[ValueRow], layout: Layout
) -> Iterator[tuple[PreparedRow, RowOutputs]]:
    """Yield each row prepared, with its outputs."""
    for row in rows:
        yield PreparedRow(row, layout), RowOutputs(row.outputs, layout)


class ValueStep:
    """A value table: the first true row searched, and never past one that is not evaluable."""

    def __init__(self, node: ValueTable, layout: Layout) -> None:
        self._name = node.name
        self._start = layout.places[node.outputs[0]]
        self._end = self._start + len(node.outputs)
        conditions = [row.condition for row in node.searched]
        self.table = Searched(value_rows(node.searched, layout), conditions, layout, first=True)

    def fast(self, run: Run) -> None:
        """Write the outputs of the first true row."""
        facts = run.facts
        for row, outputs in self.table.candidates(facts):
            if row.holds(facts):
                facts[self._start : self._end] = outputs.known(facts)
                return
        raise NoAnswerError

    def slow(self, run: Run) -> None:
        """Write the outputs, or what is missing in their place."""
        run.facts[self._start : self._end] = self._outputs(run)

    def _outputs(self, run: Run) -> list[Fact]:
        nothing: Missing = NOTHING
        for row, outputs in self.table.candidates(run.facts):
            result = row.condition(run.facts)
            if isinstance(result, Missing):
                nothing = result
                break
            if result:
                return outputs.settled(run.facts)
        else:
            run.uncovered.append(self._name)
        return [nothing] * (self._end - self._start)


class ScorecardStep:
    """A scorecard: the score, its probability and what each attribute lost."""

    def __init__(self, node: ScorecardNode, model: Scorecard, layout: Layout) -> None:
        self._model = model
        self._lacks = Lacking(layout)
        self._start = layout.places[outputs_of(node)[0]]
        self._attributes = tuple(
            (layout.places[node.name_of(item.name)], item, _losses(item))
            for item in model.attributes
        )
        self._known = tuple((place, *_table(item, held)) for place, item, held in self._attributes)

    def fast(self, run: Run) -> None:
        """Score with every attribute known."""
        facts = run.facts
        self._write(
            run,
            [
                table[facts[place] if highs is None else bisect_right(highs, facts[place])]
                for place, highs, table in self._known
            ],
        )

    def slow(self, run: Run) -> None:
        """Score, unless an attribute without a missing bin is missing."""
        facts = [run.facts[place] for place, _, _ in self._attributes]
        needed = list(zip(facts, self._attributes, strict=True))
        unknown = missing_of(
            fact
            for fact, (_, item, _) in needed
            if type(fact) is Missing
            and (item.missing_points is None or not self._lacks(fact, run.facts))
        )
        if unknown is None:
            self._write(run, [_loss(fact, item, losses) for fact, (_, item, losses) in needed])
        else:
            run.facts[self._start : self._start + 3] = [unknown] * 3

    def _write(self, run: Run, losses: list[Loss]) -> None:
        raw = self._model.base_points + sum([loss.points for loss in losses])
        run.losses.extend(losses)
        score = self._model.clamped(raw)
        values = (Decimal(score), Decimal(raw), self._model.pd(score))
        run.facts[self._start : self._start + 3] = values


def _loss(fact: Any, item: Attribute, losses: Mapping[int | None, Loss]) -> Loss:
    return losses[item.missing_points if type(fact) is Missing else item.points(fact)]


def _table(item: Attribute, losses: Mapping[int | None, Loss]) -> tuple[Any, Any]:
    """Return the upper bounds of the bins and a loss for each; or None and a loss for a value."""
    if item.numeric:
        return item.highs, tuple(losses[entry.points] for entry in item.bins)
    return None, {value: losses[entry.points] for entry in item.bins for value in entry.values}


def _losses(item: Attribute) -> dict[int | None, Loss]:
    """Every loss that an attribute can have, made once."""
    points = {entry.points for entry in item.bins}
    if item.missing_points is not None:
        points.add(item.missing_points)
    return {p: Loss(item.name, item.code, item.family, p, item.best - p) for p in points}


class FunctionStep:
    """A call of the host; what does not fit its declaration is missing."""

    def __init__(self, node: FunctionNode, layout: Layout) -> None:
        self._name, self._function = node.name, node.function
        self._keys = tuple(name for name, _ in node.arguments)
        self._values = values_function((value for _, value in node.arguments), layout)
        self._closures = tuple(closure(value, layout) for _, value in node.arguments)
        self._outputs = tuple(
            (layout.places[item.name], item.name.removeprefix(f"{node.path}."), item.reader())
            for item in node.outputs
        )

    def fast(self, run: Run) -> None:
        """Call it and write its outputs."""
        if not self._call(run, self._values(run.facts)):
            raise NoAnswerError

    def slow(self, run: Run) -> None:
        """Call it when every argument is known."""
        arguments: list[Any] = [argument(run.facts) for argument in self._closures]
        unknown = missing_of(arguments)
        if unknown is not None:
            for place, _, _ in self._outputs:
                run.facts[place] = unknown
        elif not self._call(run, arguments):
            run.uncovered.append(self._name)

    def _call(self, run: Run, arguments: Any) -> bool:
        result = run.call(self._function, dict(zip(self._keys, arguments, strict=True)))
        complete = True
        for place, key, read in self._outputs:
            value = read(result.get(key))
            run.facts[place] = NOTHING if value is None else value
            complete = complete and value is not None
        return complete
