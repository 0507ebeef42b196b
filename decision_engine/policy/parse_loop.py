"""Expression nodes that run for each element of a list: one list of objects, made by a closure."""

from collections.abc import Mapping
from dataclasses import replace

from decision_engine.policy.document import Assignment, ExpressionNode
from decision_engine.policy.findings import Notes
from decision_engine.policy.limits import EXPRESSION_DEPTH, EXPRESSION_PARTS, RECORD_FIELDS
from decision_engine.policy.node_options import Options
from decision_engine.policy.rewrite import replaced
from decision_engine.policy.shapes import NAME
from decision_engine.policy.syntax import (
    Each,
    Expr,
    FieldOf,
    Item,
    Literal,
    Made,
    NullTest,
    Ref,
    names_in,
    nodes_in,
    walk,
)


def looping(node: ExpressionNode, options: Options, notes: Notes) -> ExpressionNode:
    """
    Return the node as one that makes the list of its results, `outputPath`.

    Every name is a field of the element; an earlier key stands in the place of its `$.key`.
    """
    if not options.source or not options.prefix:
        notes.error("a node that loops needs inputField, a list, and outputPath, its results")
        return node
    if len(node.assignments) > RECORD_FIELDS:
        notes.error(f"a node that loops has at most {RECORD_FIELDS} keys")
        return node
    made: dict[str, Expr] = {}
    for item in node.assignments:
        made[item.name] = _of_element(item.value, made, notes.at(cell=item.name))
    keys = tuple(name.removeprefix(options.prefix) for name in made)
    for key in keys:
        if NAME.fullmatch(key) is None:
            notes.error(f'"{key}" is no name of a field: letters, digits and _')
    if len(keys) < len(node.assignments):
        notes.error("each key of a node that loops is made once")
    value: Expr = Each("map", Ref(options.source), Made(keys, tuple(made.values())))
    if _too_large(value):
        notes.error("the keys of this node are too large together: split the node")
        value = Literal(value=False)
    path = options.prefix.removesuffix(".")
    return replace(node, assignments=(Assignment(name=path, value=value),))


def _of_element(expr: Expr, made: Mapping[str, Expr], notes: Notes) -> Expr:
    for part in nodes_in(expr):
        if isinstance(part, Each) and names_in(part.body):
            notes.error("a closure inside a loop can only name its own element, #")
            return Literal(value=False)
        if isinstance(part, NullTest):
            notes.error("a field of an element is never null")
            return Literal(value=False)

    def change(name: Ref | NullTest) -> Expr:
        if isinstance(name, Ref) and name.local:
            # An unknown key stays, and is refused where names are checked.
            return made.get(name.name, name)
        return FieldOf(Item(), name.name)

    found = replaced(expr, change)
    if _too_large(found):
        notes.error("with the earlier keys that it reads this one is too large: split the node")
        return Literal(value=False)
    return found


def _too_large(expr: Expr) -> bool:
    deepest = parts = 0
    for parts, (_, depth) in enumerate(walk(expr), 1):
        deepest = max(deepest, depth)
        if parts > EXPRESSION_PARTS:
            break
    return parts > EXPRESSION_PARTS or deepest > EXPRESSION_DEPTH
