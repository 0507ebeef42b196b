"""JDM nodes to typed nodes, one reader per kind; every other kind is refused by its name."""

from collections.abc import Callable
from typing import Any, Final

from decision_engine.policy.document import (
    AnyNode,
    Assignment,
    DecisionNode,
    ExpressionNode,
    FunctionNode,
    InputNode,
    OutputNode,
    RefusedNode,
    ScorecardNode,
)
from decision_engine.policy.findings import Notes
from decision_engine.policy.node_options import options_of, refuse_loop
from decision_engine.policy.parse_loop import looping
from decision_engine.policy.parse_switch import parse_switch
from decision_engine.policy.parse_tables import parse_table
from decision_engine.policy.rewrite import inside, with_expressions
from decision_engine.policy.schema import Field, field_of, parse_schema
from decision_engine.policy.shapes import (
    LATER,
    NAME,
    dotted,
    expression_of,
    object_of,
    objects_of,
    only,
    text_of,
)
from decision_engine.policy.syntax import Literal

_REFUSED: Final = {
    "functionNode": "is refused for ever: JavaScript can read clocks, randomness and the network",
}


def parse_node(record: dict[str, Any], notes: Notes) -> AnyNode:
    """Return the typed node; one of another kind becomes a `RefusedNode` and a finding."""
    identity = str(record.get("id", ""))
    notes = notes.at(node=identity)
    only(record, ("id", "name", "type", "content", "position", "data"), "the node", notes)
    text_of(record, "id", "a node", notes)
    name, kind = text_of(record, "name", "a node", notes), text_of(record, "type", "a node", notes)
    content = object_of(record.get("content", {}), "content", notes)
    reader = _READERS.get(kind)
    if reader is not None:
        return reader(identity, name, content, notes)
    sentence = _REFUSED.get(kind, "is not known to this version")
    notes.error(f'the node kind "{kind}" {sentence}')
    return RefusedNode(id=identity, name=name)


def _input(identity: str, name: str, content: dict[str, Any], notes: Notes) -> AnyNode:
    only(content, ("schema",), "an input node", notes)
    return InputNode(id=identity, name=name, fields=parse_schema(content.get("schema"), notes))


def _output(identity: str, name: str, content: dict[str, Any], notes: Notes) -> AnyNode:
    only(content, ("schema",), "an output node", notes)
    if content.get("schema"):
        notes.error("a schema of the output node " + LATER)
    return OutputNode(id=identity, name=name)


def _expressions(identity: str, name: str, content: dict[str, Any], notes: Notes) -> AnyNode:
    allowed = ("expressions", "passThrough", "inputField", "outputPath", "executionMode")
    only(content, allowed, "an expression node", notes)
    options = options_of(content, notes)
    records = objects_of(content.get("expressions"), "expressions", notes)
    node = ExpressionNode(
        id=identity,
        name=name,
        passes=options.passes,
        assignments=tuple(_assign(r, options.prefix, notes) for r in records),
    )
    if options.loops:
        return looping(node, options, notes)
    return with_expressions(node, inside(options.source)) if options.source else node


def _assign(record: dict[str, Any], prefix: str, notes: Notes) -> Assignment:
    only(record, ("id", "key", "value"), "an expression", notes)
    name = prefix + dotted(record.get("key"), "the key of an expression", notes)
    expr = expression_of(record.get("value"), notes.at(cell=name), prefix)
    return Assignment(name=name, value=expr or Literal(value=False))


def _decision(identity: str, name: str, content: dict[str, Any], notes: Notes) -> AnyNode:
    allowed = ("key", "passThrough", "inputField", "outputPath", "executionMode")
    only(content, allowed, "a decision node", notes)
    options = options_of(content, notes)
    refuse_loop(options, "a decision", "let an expression node loop", notes)
    return DecisionNode(
        id=identity,
        name=name,
        passes=options.passes,
        key=text_of(content, "key", "a decision node", notes),
        path=options.prefix.removesuffix("."),
        source=options.source,
    )


def _custom(identity: str, name: str, content: dict[str, Any], notes: Notes) -> AnyNode:
    only(content, ("kind", "config", "component"), "a custom node", notes)
    kind = text_of(content, "kind", "a custom node", notes)
    config = object_of(content.get("config"), "config", notes)
    if kind == "scorecard":
        return _scorecard(identity, name, config, notes)
    if kind == "function":
        return _function(identity, name, config, notes)
    notes.error(f'the custom node kind "{kind}" is not known to this version')
    return RefusedNode(id=identity, name=name)


def _scorecard(identity: str, name: str, config: dict[str, Any], notes: Notes) -> AnyNode:
    only(config, ("model", "outputPath"), "a scorecard node", notes)
    path = dotted(config.get("outputPath", "score"), "outputPath", notes)
    model = text_of(config, "model", "a scorecard node", notes)
    return ScorecardNode(id=identity, name=name, model=model, path=path)


def _function(identity: str, name: str, config: dict[str, Any], notes: Notes) -> AnyNode:
    only(config, ("name", "arguments", "outputs", "outputPath"), "a function node", notes)
    function = text_of(config, "name", "a function node", notes)
    path = dotted(config.get("outputPath", function), "outputPath", notes)
    arguments = object_of(config.get("arguments"), "arguments", notes)
    for key in arguments:
        if NAME.fullmatch(key) is None:
            notes.error(f'the argument "{key}" is no name: letters, digits and _')
    read = {key: expression_of(text, notes.at(cell=key)) for key, text in arguments.items()}
    return FunctionNode(
        id=identity,
        name=name,
        function=function,
        arguments=tuple((key, expr or Literal(value=False)) for key, expr in read.items()),
        outputs=_declared(config.get("outputs"), f"{path}.", notes),
        path=path,
    )


def _declared(value: Any, prefix: str, notes: Notes) -> tuple[Field, ...]:
    outputs = object_of(value, "outputs", notes)
    if not outputs:
        notes.error("a function node declares its outputs: name, type and x-scale")
    fields: list[Field] = []
    for key, item in outputs.items():
        if NAME.fullmatch(key) is None:
            notes.error(f'the output "{key}" is no name: letters, digits and _')
        schema = object_of(item, f'the output "{key}"', notes)
        only(schema, ("type", "x-scale"), f'the output "{key}"', notes)
        fields.append(field_of(prefix + key, schema, notes))
    return tuple(fields)


_READERS: Final[dict[str, Callable[[str, str, dict[str, Any], Notes], AnyNode]]] = {
    "inputNode": _input,
    "outputNode": _output,
    "expressionNode": _expressions,
    "decisionTableNode": parse_table,
    "customNode": _custom,
    "switchNode": parse_switch,
    "decisionNode": _decision,
}
