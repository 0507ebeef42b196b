"""
Which parts of the language a pair has used, counted where they were evaluated.

The list of what there is comes from the language itself: the classes of its syntax tree with the
values that their fields can have, the kinds of nodes and the hit policies of their annotations, and
the functions of the registry. A new one that no policy uses is therefore a gap, not a silence.
"""

import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, Literal, get_args, get_origin, get_type_hints

from decision_engine.policy import document, syntax
from decision_engine.policy.closures import Closure, Facts, closure
from decision_engine.policy.compile import CompiledPolicy
from decision_engine.policy.document import (
    AnyNode,
    DecisionNode,
    RefusedNode,
    Row,
    RuleTable,
    ValueTable,
    expressions_of,
)
from decision_engine.policy.functions.registry import FUNCTIONS
from decision_engine.policy.layout import Layout
from decision_engine.policy.syntax import Call, Choice, Each, Expr, Logic, Quotient

Features = frozenset[str]
Reached = Callable[[Facts, set[str]], None]


def features() -> Features:
    """Return the name of every part of the language."""
    found: set[str] = set()
    for kind in get_args(syntax.Expr):
        found.update(_variants(kind))
    for kind in get_args(AnyNode):
        # A decision node's graph stands in its place: `EnterNode` and `LeaveNode` are its ends.
        if kind not in (RefusedNode, DecisionNode):
            found.update(_variants(kind, ("hit_policy",)))
    return frozenset(found)


def _variants(kind: type, only: tuple[str, ...] = ()) -> Iterator[str]:
    """Yield a name for each combination of the values that a class's fields can have."""
    choices = [
        [(name, value) for value in values]
        for name, values in _choices(kind)
        if not only or name in only
    ]
    for chosen in itertools.product(*choices):
        yield _named(kind, chosen)


def _choices(kind: type) -> Iterator[tuple[str, tuple[Any, ...]]]:
    if kind is Call:
        yield "function", tuple(FUNCTIONS)
    if kind is Quotient:
        yield "bare", (False, True)
    module = syntax if kind.__module__ == syntax.__name__ else document
    for name, hint in get_type_hints(kind, vars(module)).items():
        if hint is bool and name != "local":
            yield name, (False, True)
        elif get_origin(hint) is Literal:
            yield name, get_args(hint)


def _named(kind: type, chosen: Any) -> str:
    parts = [f"{name}={value}" for name, value in chosen]
    return " ".join((kind.__name__, *parts))


def name_of(node: Any, only: tuple[str, ...] = ()) -> str:
    """Return the feature that a node of the syntax tree or of a policy is."""
    kind = type(node)
    chosen = [(name, _value(node, name)) for name in _choices_of(kind) if not only or name in only]
    return _named(kind, chosen)


def _value(node: Any, name: str) -> Any:
    return node.digits is None if name == "bare" else getattr(node, name)


def _choices_of(kind: type) -> tuple[str, ...]:
    if kind not in _CHOICES:
        _CHOICES[kind] = tuple(name for name, _ in _choices(kind))
    return _CHOICES[kind]


_CHOICES: Final[dict[type, tuple[str, ...]]] = {}


class _Visit:
    """What evaluating one expression surely uses, and what depends on the facts."""

    def __init__(self, expr: Expr, layout: Layout) -> None:
        self._static = {name_of(expr)}
        self._dynamic: list[Reached] = []
        if isinstance(expr, Logic):
            self._dynamic.append(_logic(expr, layout))
        elif isinstance(expr, Choice):
            self._dynamic.append(_choice(expr, layout))
        elif isinstance(expr, Each):
            self._dynamic.append(_each(expr, layout))
        else:
            for part in expr.parts:
                inner = _Visit(part, layout)
                self._static |= inner._static
                self._dynamic += inner._dynamic

    def __call__(self, facts: Facts, found: set[str]) -> None:
        found |= self._static
        for visit in self._dynamic:
            visit(facts, found)


def _logic(expr: Logic, layout: Layout) -> Reached:
    parts = [(_Visit(part, layout), closure(part, layout)) for part in expr.conditions]
    decided = expr.operator == "or"

    def visit(facts: Facts, found: set[str]) -> None:
        for part, truth in parts:
            part(facts, found)
            if truth(facts) is decided:
                return

    return visit


def _choice(expr: Choice, layout: Layout) -> Reached:
    condition, yes, no = (_Visit(part, layout) for part in expr.parts)
    truth = closure(expr.condition, layout)

    def visit(facts: Facts, found: set[str]) -> None:
        condition(facts, found)
        chosen = truth(facts)
        if isinstance(chosen, bool):
            (yes if chosen else no)(facts, found)

    return visit


def _each(expr: Each, layout: Layout) -> Reached:
    """A closure's body is used by the elements that there are."""
    subject, body = (_Visit(part, layout) for part in expr.parts)
    elements = closure(expr.subject, layout)

    def visit(facts: Facts, found: set[str]) -> None:
        subject(facts, found)
        listed = elements(facts)
        for item in listed if isinstance(listed, tuple) else ():
            facts.append(item)
            body(facts, found)
            facts.pop()

    return visit


def watch(policy: CompiledPolicy) -> Reached:
    """Return what adds to a set the features that an evaluation with these facts has used."""
    visits = [(node.id, _node(node, policy.layout)) for node in policy.nodes]
    reach = policy.flow.reach

    def visit(facts: Facts, found: set[str]) -> None:
        for identity, one in visits:
            if reach(identity, facts) is True:
                one(facts, found)

    return visit


def _node(node: AnyNode, layout: Layout) -> Reached:
    name = name_of(node, ("hit_policy",))
    if isinstance(node, ValueTable):
        rest = _searched(node, layout)
    elif isinstance(node, RuleTable):
        rest = _all([_row(row, layout)[0] for row in node.rules])
    else:
        rest = _all([_Visit(expr, layout) for _, _, expr in expressions_of(node)])

    def visit(facts: Facts, found: set[str]) -> None:
        found.add(name)
        rest(facts, found)

    return visit


def _all(visits: Sequence[Reached]) -> Reached:
    def visit(facts: Facts, found: set[str]) -> None:
        for one in visits:
            one(facts, found)

    return visit


def _row(row: Row, layout: Layout) -> tuple[Reached, Closure]:
    return _Visit(row.condition, layout), closure(row.condition, layout)


def _searched(node: ValueTable, layout: Layout) -> Reached:
    """Rows until one is true, of some tables all of them; and the outputs of true ones."""
    rows = [
        (*_row(row, layout), _all([_Visit(value, layout) for value in row.outputs]))
        for row in node.searched
    ]

    def visit(facts: Facts, found: set[str]) -> None:
        for condition, truth, outputs in rows:
            condition(facts, found)
            result = truth(facts)
            if result is True:
                outputs(facts, found)
            if result is not False and node.hit_policy not in ("unique", "collect"):
                return

    return visit
