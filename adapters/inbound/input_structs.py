"""
The inputs of a policy from JSON bytes, as fast as they can be read without trusting them.

msgspec decodes the object that the policy's schema describes: whole numbers, others by their
literal, texts in sound UTF-8, no name that the schema has not. Whatever is not that object, exactly
once each, is read by `read_inputs`, which knows every way to be wrong.
"""

from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import Any

import msgspec

from decision_engine.policy.compile import CompiledPolicy
from decision_engine.policy.json_inputs import read_inputs
from decision_engine.policy.kinds import ListOf
from decision_engine.policy.schema import Field
from decision_engine.policy.values import Value

Inputs = Mapping[str, Value | None]
#: Names by their parts; a leaf is the field itself.
_Tree = dict[str, Any]


def input_reader(policy: CompiledPolicy) -> Callable[[bytes], Inputs]:
    """
    Return a function from JSON bytes to inputs that the policy evaluates.

    It gives an `InputStruct` when all inputs are there, else names and values, and raises
    InvalidInputError as `read_inputs` does.
    """
    if len(policy.reads) < 2 or any(isinstance(field.kind, ListOf) for field in policy.inputs):  # noqa: PLR2004
        return read_inputs
    tree = _tree(policy.inputs)
    decode = msgspec.json.Decoder(_struct(tree), float_hook=str.encode).decode
    take = attrgetter(*(_place(tree, field.name) for field in policy.reads))
    colons, struct_of = _names(tree), policy.struct_of

    def read(raw: bytes) -> Inputs:
        # Every name has its colon: as many as there are names, and no name stands twice.
        if raw.count(b":") == colons:
            try:
                struct = struct_of(take(decode(raw)))
            except (msgspec.MsgspecError, ValueError, ArithmeticError, RecursionError):
                struct = None
            if struct is not None:
                return struct
        return read_inputs(raw)

    return read


def _tree(fields: tuple[Field, ...]) -> _Tree:
    tree: _Tree = {}
    for field in fields:
        *path, last = field.name.split(".")
        inner = tree
        for part in path:
            inner = inner.setdefault(part, {})
        inner[last] = field
    return tree


def _names(tree: _Tree) -> int:
    return sum(1 + (_names(held) if isinstance(held, dict) else 0) for held in tree.values())


def _place(tree: _Tree, name: str) -> str:
    """Return where a value stands in the struct: by numbers, as names may be words of Python."""
    found: list[str] = []
    for part in name.split("."):
        found.append(f"f{list(tree).index(part)}")
        tree = tree[part] if isinstance(tree[part], dict) else {}
    return ".".join(found)


def _struct(tree: _Tree) -> Any:
    fields = [(f"f{place}", _type(held)) for place, held in enumerate(tree.values())]
    return msgspec.defstruct(
        "Inputs",
        fields,
        rename=dict(zip((name for name, _ in fields), tree, strict=True)),
        forbid_unknown_fields=True,
        frozen=True,
        gc=False,
    )


def _type(held: Any) -> Any:
    if isinstance(held, dict):
        return _struct(held)
    if held.kind == "number":
        # Untyped where decimals may stand: a number then comes as it is written, and no text does.
        return int if held.scale == 0 else Any
    return str if held.kind == "string" else bool
