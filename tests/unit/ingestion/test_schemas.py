"""
The published schemas and the parser give one verdict.

A schema cannot say three things, which only the parser checks: that `source` is the first part of
`stream_id`, that a decision is the envelope's customer's, and that a number is written without
point (JSON Schema takes 1.0 for an integer). Lone surrogates and duplicate keys never get as far
as a schema. Check digits of a CPF are a `format`, which a validator may know or not.
"""

import copy
import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from domain.cpf import Cpf
from domain.errors import InvalidInputError
from ingestion.identity import clear_identity
from ingestion.parse import parse_event
from ingestion.payloads import CLEAR_GROUPS
from ingestion.seal import holds_clear_identity
from tests.unit.ingestion.builders import CLEAR_IDENTITY, TYPES, envelope, identity

FOLDER = Path(__file__).parents[3] / "schemas" / "events"
SCHEMAS: dict[str, Any] = {
    path.stem: json.loads(path.read_text()) for path in sorted(FOLDER.glob("*.json"))
}
REGISTRY = jsonschema_rs.Registry([(each["$id"], each) for each in SCHEMAS.values()])


def is_cpf(text: str) -> bool:
    try:
        Cpf.parse(text)
    except InvalidInputError:
        return False
    return True


def validator_of(name: str) -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator(
        SCHEMAS[name], registry=REGISTRY, validate_formats=True, formats={"cpf": is_cpf}
    )


VALIDATORS = {name: validator_of(name) for name in SCHEMAS}


def parses(document: Any) -> bool:
    groups = {"groups": CLEAR_GROUPS} if holds_clear_identity(document) else {}
    try:
        parse_event(document, **groups)
    except InvalidInputError:
        return False
    return True


def test_each_type_has_a_schema_and_there_is_one_for_the_envelope() -> None:
    assert set(SCHEMAS) == {*TYPES, "envelope"}


@pytest.mark.parametrize("name", TYPES)
def test_examples_of_a_schema_are_valid(name: str) -> None:
    for example in SCHEMAS[name]["examples"]:
        assert VALIDATORS[name].is_valid(example)
        assert VALIDATORS["envelope"].is_valid(example)
        assert parses(example)


@pytest.mark.parametrize("name", TYPES)
def test_every_property_is_described(name: str) -> None:
    data = SCHEMAS[name]["properties"]["data"]
    variants = data.get("oneOf", [data])

    assert SCHEMAS[name]["description"]
    for variant in variants:
        for field in variant["properties"].values():
            assert "description" in field or "properties" in field or "enum" in field or field


SEALED = "1." + "A" * 30
CPFS = ["529.982.247-25", "52998224725", "52998224726", "111.111.111-11", "5299822472"]
VALUES: list[Any] = [
    None, True, False, 0, 1, -1, 2, 36, 99, 100, 480, 481, 1000, 1001, 36_500, 36_501, 2**53 - 1,
    2**53, 10**30, 1.5, -0.5, "", "x", "c-1", "c 1", "a" * 64, "a" * 65, "a+b", "0", "0.00",
    "-0.00", "-0.01", "-1.00", "1.00", "1.0", "1", "01.00", "+1.00", "1.00 ", "1.00\n",
    "999999999999.99", "1000000000000.00", "\u0661.\u0660\u0660", "2026-05", "2026-13", "2026-00",
    "1989-12",
    "2100-12", "2101-01", "2026-5", "2026-06-10", "2026-02-29", "2024-02-29", "1899-12-31",
    "1900-01-01", "2100-12-31", "2026-06-31", "0000-01-01", "2026-06-10T12:00:00Z",
    "2026-06-10T12:00:00.1Z", "2026-06-10T12:00:00.1234567Z", "2026-06-10T24:00:00Z",
    "2026-06-10T23:59:60Z", "2026-02-30T12:00:00Z", "2026-06-10T12:00:00z", "2026-06-10t12:00:00Z",
    "1989-12-31T23:59:59Z", "1990-01-01T00:00:00Z", "2101-01-01T00:00:00Z", "2026-06-10 12:00:00Z",
    "card-system/c-1/1", "card-system/c-1/0", "card-system/c-1/01", "card-system/c-1/1234567890",
    "card-system/c-1", "card-system//1", *TYPES, "offer.accepted", "purchase", "payment",
    "inquiry", "statement", "verified", "declared", "estimated", "APPROVED", "REFERRED", "MAYBE",
    "01979f0e-4b1c-7d3a-9c55-0a1b2c3d4e5f", "01979f0e-4b1c-4d3a-9c55-0a1b2c3d4e5f",
    "01979F0E-4B1C-7D3A-9C55-0A1B2C3D4E5F", *CPFS, SEALED, "1." + "A" * 21, "siv1:" + "b" * 40,
    "1:" + "0a" * 32, "1:" + "0a" * 31, "Ana Souza", "João 🙂", "a\x07b", "a\x85b", "b" * 200,
    "🙂" * 200, "🙂" * 201, "ana@example.org", "ana@", "a@b@c", "+55 11 91234-5678", "12345",
    [], ["R12"], ["R 12"], [1], ["R"] * 101, {}, {"kind": "inquiry"}, {"extra": 1},
]  # fmt: skip
IDENTITIES = [
    CLEAR_IDENTITY,
    {"name": "Ana"},
    {"name": SEALED},
    {"cpf": SEALED, "cpf_index": "1:" + "0a" * 32},
    {"cpf": "52998224725", "name": SEALED},
]
BASES = [
    *(envelope(1, kind) for kind in TYPES),
    envelope(1, data={"kind": "inquiry"}),
    envelope(1, trace="00-1"),
    envelope(1, "customer.profile_updated", data={"relationship": {"since": "2020-01-01"}}),
    *(identity(1, each) for each in IDENTITIES),
]


def places(document: Any, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    found = [path] if path else []
    if isinstance(document, dict):
        for name, value in document.items():
            found += places(value, (*path, name))
    return found


MISSING = object()


def changed(base: Any, place: tuple[str, ...], value: Any) -> Any:
    """Return a copy with a value at a place, or without the place; as it was if it has none."""
    document = copy.deepcopy(base)
    *path, name = place
    inside = document
    for step in path:
        inside = inside.get(step) if isinstance(inside, dict) else None
    if isinstance(inside, dict) and value is not MISSING:
        inside[name] = value
    elif isinstance(inside, dict):
        inside.pop(name, None)
    return document


@st.composite
def documents(draw: st.DrawFn) -> Any:
    """Return a valid envelope with up to two fields changed, removed or added."""
    document = draw(st.sampled_from(BASES))
    for _ in range(draw(st.integers(0, 2))):
        place = draw(st.sampled_from([*places(document), ("extra",), ("data", "extra")]))
        value = draw(st.sampled_from([*VALUES, MISSING]) | st.text(max_size=12))
        document = changed(document, place, value)
    return document


def beyond_a_schema(document: Any) -> bool:
    """Return whether a document breaks one of the rules that only the parser knows."""
    source, stream = document.get("source"), document.get("stream_id")
    if isinstance(stream, str) and stream.partition("/")[0] != source:
        return True
    data = document.get("data")
    named = data.get("customer_id") if isinstance(data, dict) else None
    return isinstance(named, str) and named != document.get("customer_id")


@given(documents())
def test_parser_and_schema_give_one_verdict(document: Any) -> None:
    assume(not beyond_a_schema(document))

    assert not verdicts_differ(document)


def verdicts_differ(document: Any) -> bool:
    kind = document.get("type")
    schema = VALIDATORS.get(kind) if isinstance(kind, str) else None
    return parses(document) != (schema is not None and schema.is_valid(document))


@pytest.mark.parametrize("number", range(len(BASES)))
def test_any_value_at_any_place_is_judged_alike(number: int) -> None:
    base = BASES[number]
    differing = [
        (place, value)
        for place in [*places(base), ("extra",), ("data", "extra")]
        for value in [*VALUES, MISSING]
        if (document := changed(base, place, value)) and not beyond_a_schema(document)
        if verdicts_differ(document)
    ]

    assert differing == []


@given(st.sampled_from(sorted(CLEAR_IDENTITY)), st.text(max_size=40))
def test_any_text_as_an_identifier_is_judged_alike(field: str, text: str) -> None:
    assert not verdicts_differ(identity(1, CLEAR_IDENTITY | {field: text}))


def test_a_lone_surrogate_is_refused_by_the_parser_alone() -> None:
    with pytest.raises(InvalidInputError):
        clear_identity({"name": "\ud800"}, "")
