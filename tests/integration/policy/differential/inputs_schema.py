"""The inputs of a generated policy as a JSON Schema."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from tests.integration.policy.differential.nodes import Json
from tests.integration.policy.differential.writer import Name

MOST: Final = 4
_TENTHS: Final[Json] = {"type": "number", "minimum": -50, "maximum": 50, "x-scale": 1}
ITEMS: Final[Mapping[str, Json]] = {
    "numbers": _TENTHS,
    "records": {
        "type": "object",
        "properties": {
            "rest": _TENTHS,
            "late": {"type": "boolean"},
            "tag": {"type": "string", "enum": ["x", "y", "z"]},
        },
    },
}


def schema(inputs: tuple[Name, ...]) -> Json:
    """Return the inputs as a JSON Schema whose leaves stand in groups."""
    groups: dict[str, Any] = {}
    for name in inputs:
        group, leaf = name.name.split(".")
        held = groups.setdefault(group, {"type": "object", "properties": {}})
        held["properties"][leaf] = dict(_leaf(name))
    return {"type": "object", "properties": groups}


def _leaf(name: Name) -> Iterator[tuple[str, Any]]:
    if name.kind in ("numbers", "records"):
        yield "type", "array"
        yield "maxItems", MOST
        yield "items", ITEMS[name.kind]
        return
    if name.kind != "number":
        yield "type", name.kind
        if name.kind == "string":
            yield "enum", list(name.words)
        return
    yield "type", "number" if name.scale else "integer"
    yield "minimum", int(name.low)
    yield "maximum", int(name.high)
    if name.scale:
        yield "x-scale", name.scale
