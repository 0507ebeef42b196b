"""Faults that the differential test has to find: each breaks our compiled code in one place."""

import operator
from collections.abc import Callable, Mapping
from decimal import ROUND_HALF_UP, Context, Decimal, InvalidOperation
from typing import Any, Final

import pytest

from decision_engine.policy import (
    closures,
    codegen,
    collect,
    document,
    each,
    flow,
    rows,
    steps,
    values,
)
from decision_engine.policy.functions import lists, operations, registry
from decision_engine.policy.syntax import Choice, Compare, Expr, Logic, Test, Within

Fault = Callable[[pytest.MonkeyPatch], None]
_HALF_UP: Final = Context(prec=80, rounding=ROUND_HALF_UP, traps=[InvalidOperation])


def less_in_code(patch: pytest.MonkeyPatch) -> None:
    """`<` becomes `<=` in generated code."""
    _in_code(patch, Compare, "_test", lambda text: text.replace(" < ", " <= "))


def less_in_closures(patch: pytest.MonkeyPatch) -> None:
    """`<` becomes `<=` in the three-valued variant."""
    patch.setitem(closures.ORDERS, "<", operator.le)


def less_in_rows(patch: pytest.MonkeyPatch) -> None:
    """`<` becomes `<=` in the prepared rows."""
    patch.setitem(rows._PREPARED, "<", "__ge__")


def range_end(patch: pytest.MonkeyPatch) -> None:
    """An open end of a range counts as inside, in both variants."""
    _in_code(patch, Within, "_test", lambda text: text.replace(" < ", " <= "))
    patch.setattr(closures, "_within", lambda _: lambda subject, low, high: low <= subject <= high)


def and_or(patch: pytest.MonkeyPatch) -> None:
    """`and` becomes `or` in generated code."""
    _in_code(patch, Logic, "_boolean", lambda text: text.replace(" and ", " or "))


def kleene(patch: pytest.MonkeyPatch) -> None:
    """A missing condition counts as false in `or` and `and`."""
    joined = closures._joined

    def fault(parts: tuple[closures.Closure, ...], *, decided: bool) -> closures.Closure:
        def run(facts: closures.Facts) -> values.Fact:
            return joined(parts, decided=decided)(facts) is True

        return run

    patch.setattr(closures, "_joined", fault)


def ternary(patch: pytest.MonkeyPatch) -> None:
    """The arms of a ternary are swapped in generated code."""

    def swapped(text: str) -> str:
        return text.replace(" if ", " if not ", 1)

    _in_code(patch, Choice, "source", swapped)


def last_row(patch: pytest.MonkeyPatch) -> None:
    """A table gives its last true row instead of the first."""
    first = steps.ValueStep.__init__

    def reverse(self: Any, *args: Any) -> None:
        first(self, *args)
        self.table.rows = tuple(reversed(self.table.rows))

    patch.setattr(steps.ValueStep, "__init__", reverse)


def half_up(patch: pytest.MonkeyPatch) -> None:
    """Halves are rounded away from zero."""

    def rounded(value: Decimal, digits: int) -> Decimal:
        return _HALF_UP.quantize(value, values.QUANTA[digits])

    patch.setattr(closures, "rounded", rounded)
    patch.setitem(codegen._HELPERS, "rounded", rounded)


def rounded_before(patch: pytest.MonkeyPatch) -> None:
    """A quotient is rounded to one more decimal before it is rounded."""

    def twice(dividend: Decimal, divisor: Decimal, digits: int) -> Decimal:
        return values.rounded(values.quotient(dividend, divisor, digits + 1), digits)

    patch.setattr(closures, "quotient", twice)
    patch.setitem(codegen._HELPERS, "quotient", twice)


def default_row(patch: pytest.MonkeyPatch) -> None:
    """A table whose row cannot be evaluated falls through to the next one."""
    condition = rows.PreparedRow.condition
    patch.setattr(rows.PreparedRow, "condition", lambda self, facts: condition(self, facts) is True)


def priority(patch: pytest.MonkeyPatch) -> None:
    """The largest number wins."""

    def searched(self: document.ValueTable) -> tuple[document.ValueRow, ...]:
        return tuple(sorted(self.rows, key=lambda row: -row.priority))

    patch.setattr(document.ValueTable, "searched", property(searched))


def part_end(patch: pytest.MonkeyPatch) -> None:
    """The last element of a part is left out."""

    def part(subject: Any, first: Decimal | None, last: Decimal | None) -> Any:
        return lists.part_of(subject, first, last)[:-1]

    patch.setattr(closures, "part_of", part)
    patch.setitem(codegen._HELPERS, "part_of", part)


def remainder(patch: pytest.MonkeyPatch) -> None:
    """What is left of a division has the divisor's sign."""

    def floored(left: Decimal, right: Decimal) -> Decimal:
        rest = left % right
        return rest + right if rest * right < 0 else rest

    patch.setitem(operations.ARITHMETIC, "%", floored)
    patch.setitem(codegen._HELPERS, "remainder", floored)


def filtered(patch: pytest.MonkeyPatch) -> None:
    """`filter` keeps what it should drop, in both variants."""

    def dropped(results: list[Any], listed: tuple[Any, ...]) -> values.Fact:
        pairs = zip(listed, results, strict=True)
        return values.missing_of(results) or tuple(item for item, kept in pairs if not kept)

    source = codegen._EACH["filter"].replace(" if ", " if not ")
    patch.setitem(each._SETTLE, "filter", dropped)
    patch.setitem(codegen._EACH, "filter", source)


def day(patch: pytest.MonkeyPatch) -> None:
    """A week begins on Sunday."""
    entry = registry.FUNCTIONS["dayOfWeek"]
    changed = entry._replace(run=lambda value: entry.run(value) % 7)
    patch.setitem(registry.FUNCTIONS, "dayOfWeek", changed)


def statement(patch: pytest.MonkeyPatch) -> None:
    """A switch tries its statements from the last to the first."""
    first = flow.SwitchStep.__init__

    def reverse(self: Any, *args: Any) -> None:
        first(self, *args)
        self._rows = tuple(reversed(self._rows))

    patch.setattr(flow.SwitchStep, "__init__", reverse)


def reached(patch: pytest.MonkeyPatch) -> None:
    """The nodes of a branch that is not taken run all the same."""
    patch.setattr(flow.GatedStep, "fast", lambda self, run: self._step.fast(run))
    patch.setattr(flow.GatedStep, "slow", lambda self, run: self._step.slow(run))


def collecting(patch: pytest.MonkeyPatch) -> None:
    """A table that collects ends at its first true row."""
    written = collect.CollectStep.fast

    def fast(self: Any, run: Any) -> None:
        written(self, run)
        run.facts[self._place] = run.facts[self._place][:1]

    def slow(self: Any, run: Any) -> None:
        fast(self, run)

    patch.setattr(collect.CollectStep, "fast", fast)
    patch.setattr(collect.CollectStep, "slow", slow)


def _in_code(
    patch: pytest.MonkeyPatch, kind: type[Expr], method: str, change: Callable[[str], str]
) -> None:
    write = getattr(codegen.Builder, method)

    def fault(self: Any, expr: Test) -> str:
        text: str = write(self, expr)
        return change(text) if isinstance(expr, kind) else text

    patch.setattr(codegen.Builder, method, fault)


FAULTS: Final[Mapping[str, Fault]] = {
    fault.__name__: fault
    for fault in (
        less_in_code,
        less_in_closures,
        less_in_rows,
        range_end,
        and_or,
        kleene,
        ternary,
        last_row,
        half_up,
        rounded_before,
        default_row,
        priority,
        part_end,
        remainder,
        filtered,
        day,
        statement,
        reached,
        collecting,
    )
}
