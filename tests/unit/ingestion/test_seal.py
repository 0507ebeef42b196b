"""No identifier leaves the edge in clear, and sealing twice gives the same bytes."""

import asyncio
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.canonical import encode
from domain.errors import InvalidInputError, TransientError
from domain.identifiers import own_person, person_of_index
from ingestion.identity import IDENTITY_FIELDS
from ingestion.parse import parse_event
from ingestion.seal import holds_clear_identity, seal_identity, sealed_event
from tests.unit.ingestion.builders import CLEAR_IDENTITY, TYPES, envelope, identity
from tests.unit.ingestion.fakes import FAR, FakeVault

SEALED_FORM = {"name": "siv1:" + "A" * 40}


def sealed(document: object, vault: FakeVault | None = None) -> bytes:
    return asyncio.run(seal_identity(document, vault or FakeVault(), FAR))


def refused(document: object, vault: FakeVault | None = None) -> list[tuple[str, str]]:
    with pytest.raises(InvalidInputError) as caught:
        sealed(document, vault)
    return [(problem.pointer, problem.code) for problem in caught.value.problems]


def test_every_field_is_sealed_for_the_person_of_the_cpf() -> None:
    vault = FakeVault()
    index = vault.blind_index("52998224725")

    group = json.loads(sealed(identity(1, CLEAR_IDENTITY), vault))["data"]["identity"]

    assert group.keys() == IDENTITY_FIELDS | {"cpf_index"}
    assert group["cpf_index"] == index
    for name, clear in (CLEAR_IDENTITY | {"cpf": "52998224725"}).items():
        opened = asyncio.run(vault.open(person_of_index(index), name, group[name], FAR))
        assert opened == clear


def test_without_a_cpf_the_customer_s_own_person_holds_the_key() -> None:
    vault = FakeVault()

    group = json.loads(sealed(identity(1, {"name": "Ana"}), vault))["data"]["identity"]

    assert group.keys() == {"name"}
    assert asyncio.run(vault.open(own_person("c-1"), "name", group["name"], FAR)) == "Ana"


def test_nothing_clear_is_left_and_the_result_is_canonical() -> None:
    raw = sealed(identity(1, CLEAR_IDENTITY, trace="t-1"))

    assert encode(json.loads(raw)) == raw
    assert json.loads(raw)["trace"] == "t-1"
    assert not [text for text in CLEAR_IDENTITY.values() if text.encode() in raw]


def test_what_is_sealed_already_and_other_types_stay_as_they_are() -> None:
    for document in (*(envelope(1, kind) for kind in TYPES), identity(1, SEALED_FORM)):
        vault = FakeVault()
        assert not holds_clear_identity(document)
        assert sealed(document, vault) == encode(document)
        assert vault.seals == 0


def test_other_groups_of_the_same_update_are_kept() -> None:
    document = identity(1, {"name": "Ana"})
    document["data"]["income"] = {"monthly": "1.00", "basis": "declared"}

    event, _ = asyncio.run(sealed_event(document, FakeVault(), FAR))

    assert event.data["income"] == {"monthly": 100, "basis": "declared"}


@given(st.dictionaries(st.sampled_from(sorted(CLEAR_IDENTITY)), st.none(), min_size=1))
def test_sealing_gives_equal_bytes_and_they_parse(chosen: dict[str, None]) -> None:
    document = identity(1, {name: CLEAR_IDENTITY[name] for name in chosen})

    once, twice = sealed(document), sealed(dict(reversed(document.items())))

    assert once == twice
    assert parse_event(json.loads(once)).customer_id == "c-1"
    assert sealed(json.loads(once)) == once


@pytest.mark.parametrize(
    ("group", "pointer", "code"),
    [
        ({}, "", "identity-incomplete"),
        ({"cpf": "52998224726"}, "/cpf", "cpf-check-digits"),
        ({"cpf": "5299822472"}, "/cpf", "cpf-format"),
        ({"cpf": 52998224725}, "/cpf", "cpf-format"),
        ({"name": ""}, "/name", "text-format"),
        ({"name": "a" * 201}, "/name", "text-format"),
        ({"name": "a\x00"}, "/name", "text-format"),
        ({"name": "\ud800"}, "/name", "text-format"),
        ({"name": None}, "/name", "text-format"),
        ({"birth_date": "1990-02-30"}, "/birth_date", "date-format"),
        ({"birth_date": "28/02/1990"}, "/birth_date", "date-format"),
        ({"email": "ana"}, "/email", "email-format"),
        ({"phone": "none"}, "/phone", "phone-format"),
        ({"address": "\n"}, "/address", "text-format"),
        ({"mother": "Eva"}, "", "unknown-field"),
        ({"name": "Ana", "address": "siv1:" + "A" * 40}, "/address", "text-format"),
        ({"name": "Ana", "cpf_index": "1:" + "0a" * 32}, "", "unknown-field"),
    ],
)
def test_a_wrong_identity_is_refused_and_makes_no_key(
    group: dict[str, Any], pointer: str, code: str
) -> None:
    vault = FakeVault()

    assert refused(identity(1, group), vault) == [(f"/data/identity{pointer}", code)]
    assert vault.seals == 0


def test_no_key_is_made_for_an_envelope_that_is_wrong_elsewhere() -> None:
    vault = FakeVault()

    assert refused(identity(1, CLEAR_IDENTITY, source_version=0), vault) == [
        ("/source_version", "whole-number")
    ]
    assert refused(identity(1, CLEAR_IDENTITY, customer_id="a/b"), vault) == [
        ("/customer_id", "name-format")
    ]
    assert vault.seals == 0


@pytest.mark.parametrize(
    "document",
    [None, [], {}, envelope() | {"data": None}, {"type": "customer.profile_updated"}],
)
def test_what_is_no_envelope_is_refused(document: object) -> None:
    assert not holds_clear_identity(document)
    assert refused(document)


def test_an_erased_person_is_refused_for_good() -> None:
    vault = FakeVault()
    vault.destroyed.add(person_of_index(vault.blind_index("52998224725")))

    assert refused(identity(1, CLEAR_IDENTITY), vault) == [("/data/identity", "person-erased")]


def test_a_vault_that_is_away_is_no_refusal() -> None:
    vault = FakeVault(away={own_person("c-1"): TransientError("away")})

    with pytest.raises(TransientError):
        sealed(identity(1, {"name": "Ana"}), vault)
