"""The inputs of a policy, read from the JSON Schema of its input node."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Final

from decision_engine.policy import strict_json
from decision_engine.policy.findings import Notes, PolicyError
from decision_engine.policy.kinds import Kind, ListOf, Record, Scalar
from decision_engine.policy.limits import INPUTS, LIST_ITEMS, RECORD_FIELDS, SCALE
from decision_engine.policy.list_values import Reader, ScalarReader, list_reader, record_reader
from decision_engine.policy.shapes import NAME, object_of, only, whole_of, words_of
from decision_engine.policy.values import number_reader

_OBJECT_FIELDS: Final = frozenset(
    {"$schema", "type", "title", "description", "properties", "required", "additionalProperties"}
)
_LEAF_FIELDS: Final = frozenset(
    {"type", "title", "description", "enum", "minimum", "maximum"}
    | {"x-scale", "x-maxAgeDays", "x-family", "x-label"}
)
_ELEMENT_FIELDS: Final = _LEAF_FIELDS - {"x-maxAgeDays", "x-family", "x-label"}
_LIST_FIELDS: Final = frozenset(
    {"type", "title", "description", "items", "maxItems", "x-maxAgeDays", "x-family", "x-label"}
)
KINDS: Final[Mapping[str, Scalar]] = {
    "number": "number",
    "integer": "number",
    "string": "string",
    "boolean": "boolean",
}
_DAYS: Final = 36_500
_PLAIN: Final = number_reader()


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """
    One typed name: an input, or a declared output of a function.

    A list has in `elements` one field for its scalars, or one for each field of its objects.
    """

    name: str
    kind: Kind
    scale: int | None = None
    enum: tuple[str, ...] = ()
    minimum: Decimal | None = None
    maximum: Decimal | None = None
    max_age_days: int | None = None
    family: str = ""
    label: tuple[str, str] = ("", "")
    elements: tuple["Field", ...] = ()

    def reader(self) -> Reader:
        """Return what gives a value of this field (a number at its scale), or None for another."""
        return _list_reader(self) if isinstance(self.kind, ListOf) else self.scalar_reader()

    def scalar_reader(self) -> ScalarReader:
        """Return what gives a value of this field, or None for another; no list is a scalar."""
        if isinstance(self.kind, ListOf):
            return _read_nothing
        if self.kind == "number":
            return number_reader(self.scale, self.minimum, self.maximum)
        if self.kind == "boolean":
            return _read_boolean
        return _enum_reader(frozenset(self.enum)) if self.enum else _read_text

    def label_in(self, language: str) -> str:
        """Return the name for a person in `pt-BR` or `en`; the dotted name when none is given."""
        return self.label[language == "en"] or self.name


def _list_reader(made: Field) -> Reader:
    parts = made.elements
    readers = tuple((part.name, part.scalar_reader()) for part in parts)
    kind = made.kind
    most = kind.most if isinstance(kind, ListOf) else LIST_ITEMS
    objects = isinstance(kind, ListOf) and isinstance(kind.items, Record)
    return list_reader(record_reader(readers) if objects else readers[0][1], most)


def _read_nothing(_: object) -> None:
    return None


def _read_boolean(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


def _read_text(value: object) -> str | None:
    return value if type(value) is str and whole(value) else None


def whole(text: str) -> bool:
    """Tell whether a text has no half a character: nothing could keep that as evidence."""
    if text.isascii():
        return True
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _enum_reader(enum: frozenset[str]) -> ScalarReader:
    return lambda value: value if type(value) is str and value in enum else None


def parse_schema(text: Any, notes: Notes) -> tuple[Field, ...]:
    """Return the inputs in the order of the schema; every fault is a finding."""
    if not isinstance(text, str) or not text.strip():
        notes.error("the input node needs content.schema: a JSON Schema as a text, with types")
        return ()
    try:
        schema = strict_json.load(text.encode())
    except PolicyError as error:
        notes.error(f"content.schema: {error.findings[0].sentence}")
        return ()
    fields = tuple(_fields(object_of(schema, "content.schema", notes), "", notes))
    if not fields or len(fields) > INPUTS:
        notes.error(f"content.schema must name 1 to {INPUTS} inputs")
    return fields


def _fields(schema: dict[str, Any], prefix: str, notes: Notes) -> Iterator[Field]:
    what = f'the schema of "{prefix.rstrip(".")}"' if prefix else "the schema"
    if schema.get("type") != "object":
        notes.error(f'{what} must have the type "object"')
    only(schema, _OBJECT_FIELDS, what, notes)
    if schema.get("additionalProperties", False) is not False:
        notes.error(f"{what}: additionalProperties must be false")
    properties = object_of(schema.get("properties", {}), f"properties of {what}", notes)
    for key, value in properties.items():
        yield from _property(prefix + key, key, value, notes.at(cell=prefix + key))


def _property(name: str, key: str, value: Any, notes: Notes) -> Iterator[Field]:
    if NAME.fullmatch(key) is None:
        notes.error(f'"{key}" is no name: letters, digits and _, without accents')
        return
    schema = object_of(value, f'the schema of "{name}"', notes)
    if "properties" in schema or schema.get("type") == "object":
        yield from _fields(schema, f"{name}.", notes)
        return
    if "items" in schema or schema.get("type") == "array":
        yield _list_of(name, schema, notes)
        return
    only(schema, _LEAF_FIELDS, f'the schema of "{name}"', notes)
    yield field_of(name, schema, notes)


def _list_of(name: str, schema: dict[str, Any], notes: Notes) -> Field:
    only(schema, _LIST_FIELDS, f'the schema of "{name}"', notes)
    if schema.get("type") not in ("array", ["array", "null"]):
        notes.error(f'"{name}" has items: its type must be "array"')
    items = object_of(schema.get("items"), f'items of "{name}"', notes)
    most = whole_of(
        schema.get("maxItems", LIST_ITEMS), f'maxItems of "{name}"', 1, LIST_ITEMS, notes
    )
    objects = "properties" in items or items.get("type") == "object"
    if objects:
        elements = tuple(_elements(name, items, notes))
    else:
        elements = (_element(name, name, items, notes),)
    kinds = tuple((part.name, KINDS[str(part.kind)]) for part in elements)
    kind = ListOf(Record(kinds) if objects else kinds[0][1], most)
    shared = field_of(name, {**_shared(schema), "type": "string"}, notes)
    return replace(shared, kind=kind, elements=elements)


def _shared(schema: dict[str, Any]) -> dict[str, Any]:
    """Return what a list says about itself, as any input may."""
    return {key: value for key, value in schema.items() if key.startswith("x-")}


def _elements(name: str, schema: dict[str, Any], notes: Notes) -> Iterator[Field]:
    what = f'the items of "{name}"'
    only(schema, _OBJECT_FIELDS, what, notes)
    if schema.get("additionalProperties", False) is not False:
        notes.error(f"{what}: additionalProperties must be false")
    properties = object_of(schema.get("properties"), f"properties of {what}", notes)
    if not 1 <= len(properties) <= RECORD_FIELDS:
        notes.error(f"{what} must have 1 to {RECORD_FIELDS} fields")
    for key, value in properties.items():
        if NAME.fullmatch(key) is None:
            notes.error(f'"{key}" is no name: letters, digits and _, without accents')
        part = object_of(value, f'the schema of "{name}.{key}"', notes)
        yield _element(f"{name}.{key}", key, part, notes)


def _element(full: str, name: str, schema: dict[str, Any], notes: Notes) -> Field:
    """Return one scalar of a list; its age and its label are the list's."""
    only(schema, _ELEMENT_FIELDS, f'the schema of "{full}"', notes)
    return replace(field_of(full, schema, notes), name=name)


def field_of(name: str, schema: dict[str, Any], notes: Notes) -> Field:
    """Return one typed field; a fault is noted and a harmless value taken."""
    kind = _kind(name, schema.get("type"), notes)
    label = schema.get("x-label")
    return Field(
        name=name,
        kind=kind,
        scale=_scale(name, schema, kind, notes),
        enum=_enum(name, schema, kind, notes),
        minimum=_bound(name, schema, "minimum", kind, notes),
        maximum=_bound(name, schema, "maximum", kind, notes),
        max_age_days=_days(name, schema, notes),
        family=_family(name, schema, notes),
        label=("", "") if label is None else words_of(label, f'x-label of "{name}"', notes),
    )


def _kind(name: str, declared: Any, notes: Notes) -> Scalar:
    if isinstance(declared, list):
        declared = declared[0] if len(declared) == 2 and declared[1] == "null" else None  # noqa: PLR2004
    if isinstance(declared, str) and declared in KINDS:
        return KINDS[declared]
    notes.error(f'"{name}" needs a type: number, integer, string or boolean')
    return "number"


def _scale(name: str, schema: dict[str, Any], kind: Kind, notes: Notes) -> int | None:
    declared = schema.get("x-scale")
    if declared is not None and kind != "number":
        notes.error(f'x-scale of "{name}": only numbers have decimals')
    if "integer" in str(schema.get("type")):
        return 0
    if declared is None:
        return None
    return whole_of(declared, f'x-scale of "{name}"', 0, SCALE, notes)


def _enum(name: str, schema: dict[str, Any], kind: Kind, notes: Notes) -> tuple[str, ...]:
    if "enum" not in schema:
        return ()
    values = schema["enum"]
    if kind != "string" or not isinstance(values, list) or not values:
        notes.error(f'enum of "{name}" must be a list of texts, for a string')
        return ()
    if not all(isinstance(value, str) for value in values) or len(set(values)) != len(values):
        notes.error(f'enum of "{name}" must be a list of different texts')
        return ()
    return tuple(values)


def _bound(name: str, schema: dict[str, Any], key: str, kind: Kind, notes: Notes) -> Decimal | None:
    value = schema.get(key)
    if value is None:
        return None
    number = _PLAIN(Decimal(value) if type(value) is int else value)
    if number is None or kind != "number":
        notes.error(f'{key} of "{name}" must be a plain number, for a number')
    return number


def _days(name: str, schema: dict[str, Any], notes: Notes) -> int | None:
    value = schema.get("x-maxAgeDays")
    if value is None:
        return None
    return whole_of(value, f'x-maxAgeDays of "{name}"', 0, _DAYS, notes)


def _family(name: str, schema: dict[str, Any], notes: Notes) -> str:
    value = schema.get("x-family", "")
    if not isinstance(value, str):
        notes.error(f'x-family of "{name}" must be a text')
        return ""
    return value
