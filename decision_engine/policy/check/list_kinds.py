"""Types of calls, lists, their elements and closures, from the kinds of their parts."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final

from decision_engine.policy.check.scope import Scope
from decision_engine.policy.findings import Notes
from decision_engine.policy.functions.registry import FUNCTIONS
from decision_engine.policy.kinds import Kind, ListOf, Record, Scalar, wider
from decision_engine.policy.limits import LIST_ITEMS, VISITS
from decision_engine.policy.syntax import Call, Closing, FieldOf, Index, Literal, Made, Slice


def kind_of_call(
    expr: Call, kinds: tuple[Kind | None, ...], scope: Scope, notes: Notes
) -> Kind | None:
    """Return the kind of a function's result; None when its arguments do not fit, now noted."""
    known = tuple(kind for kind in kinds if kind is not None)
    if len(known) < len(kinds):
        return None
    function = FUNCTIONS[expr.function]
    result = function.gives(known)
    if result is None:
        found = ", ".join(f"a {kind}" for kind in known) or "nothing"
        notes.error(f"{expr.function} takes {function.takes}, found {found}")
    else:
        for kind in known:
            check_visits(kind, scope, notes)
        _check_constant(expr, notes)
    return result


def _check_constant(expr: Call, notes: Notes) -> None:
    literals = [part.value for part in expr.arguments if isinstance(part, Literal)]
    if len(literals) == len(expr.arguments):
        try:
            FUNCTIONS[expr.function].run(*literals)
        except ArithmeticError:
            notes.error(f"{expr.function} has no value for what is written here")


def check_visits(kind: Kind | None, scope: Scope, notes: Notes) -> None:
    """Note it when closures go through a list too often, as far as the lengths of lists tell."""
    if isinstance(kind, ListOf) and scope.visits * kind.most > VISITS:
        notes.error(
            f"closures may visit {scope.visits * kind.most} elements, the most is {VISITS}: "
            "give the lists a smaller maxItems"
        )


def kind_of_items(kinds: Iterable[Kind | None], count: int, notes: Notes) -> Kind | None:
    """Return the kind of a list of elements of these kinds."""
    result: Kind | None = None
    for kind in kinds:
        if result and kind and kind != result:
            notes.error(f"the elements of a list are of one kind, found {result} and {kind}")
            return None
        result = wider(result, kind) if result and kind else result or kind
    return None if result is None else ListOf(result, count)


def kind_of_made(expr: Made, kinds: Iterable[Kind | None], notes: Notes) -> Kind | None:
    """Return the kind of an object of values of these kinds, all of them scalars."""
    fields: list[tuple[str, Scalar]] = []
    for name, kind in zip(expr.names, kinds, strict=True):
        if kind is None:
            return None
        if not isinstance(kind, str):
            notes.error(f'"{name}" of an object in a list must be one value, found a {kind}')
            return None
        fields.append((name, kind))
    return Record(tuple(fields))


def kind_of_index(
    expr: Index | Slice, kind: Kind | None, scope: Scope, notes: Notes
) -> Kind | None:
    """Return the kind of an element or a part of a value of some kind."""
    if isinstance(expr, Slice):
        check_visits(kind, scope, notes)
    if kind == "string":
        return kind
    if isinstance(kind, ListOf):
        return kind if isinstance(expr, Slice) else kind.items
    if kind is not None:
        notes.error(f"only a list or a text has elements, found a {kind}")
    return None


def kind_of_field(expr: FieldOf, kind: Kind | None, notes: Notes) -> Kind | None:
    """Return the kind of one field of an object."""
    if kind is None:
        return None
    found = kind.kind_of(expr.name) if isinstance(kind, Record) else None
    if found is None:
        notes.error(f'there is no field "{expr.name}" in a {kind}')
    return found


def inside(kind: ListOf, scope: Scope, notes: Notes) -> Scope:
    """Return what a closure over a list of this kind sees."""
    check_visits(kind, scope, notes)
    return replace(scope, item=kind.items, visits=scope.visits * kind.most)


def kind_of_each(function: Closing, kind: ListOf, body: Kind | None, notes: Notes) -> Kind | None:
    """Return the kind that a closure, whose result is of the kind `body`, makes of a list."""
    if body is None:
        return None
    if function == "map":
        return ListOf(body, kind.most)
    if function == "flatMap":
        return _flat(kind, body, notes)
    if body != "boolean":
        notes.error(f"the closure of {function} needs a boolean, found a {body}")
    return _RESULTS.get(function, kind)


def _flat(kind: ListOf, body: Kind, notes: Notes) -> Kind | None:
    if isinstance(body, ListOf):
        return ListOf(body.items, min(kind.most * body.most, LIST_ITEMS))
    notes.error(f"the closure of flatMap needs a list, found a {body}")
    return None


_RESULTS: Final[Mapping[Closing, Kind]] = {
    "some": "boolean",
    "all": "boolean",
    "none": "boolean",
    "one": "boolean",
    "count": "number",
}
