"""What `domain.ports.keys.KeyVault` promises, on every vault."""

import asyncio
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

from adapters.security.key_ring import KeyRing
from adapters.security.key_vault import SqliteKeyVault
from domain.errors import (
    DeadlineExceededError,
    GoneError,
    InvalidInputError,
    PermanentError,
)
from domain.ports.keys import KeyVault
from domain.ports.time import Deadline
from tests.contracts.opened import NEVER, Factory, HandClock, Opened, opened

PERSON: Final = "p1.3f6a"
OTHER: Final = "p1.77aa"
SECRET: Final = "Maria Honeytoken, Rua do Mel 123"
CPF: Final = "52998224725"


def open_sqlite(folder: Path, clock: HandClock, cached_keys_max: int = 100) -> SqliteKeyVault:
    return SqliteKeyVault(
        folder / "keys.sqlite",
        kek=KeyRing.load_or_create(folder / "kek.key"),
        index=KeyRing.load_or_create(folder / "index.key"),
        clock=clock,
        cached_keys_max=cached_keys_max,
    )


@contextmanager
def sqlite_vault(folder: Path) -> Iterator[Opened[SqliteKeyVault]]:
    clock = HandClock()
    with opened(open_sqlite(folder, clock), clock) as vault:
        yield vault


@contextmanager
def sqlite_vault_without_cache(folder: Path) -> Iterator[Opened[SqliteKeyVault]]:
    clock = HandClock()
    with opened(open_sqlite(folder, clock, cached_keys_max=0), clock) as vault:
        yield vault


VAULTS: Final[dict[str, Factory[KeyVault]]] = {
    "sqlite": sqlite_vault,
    "sqlite without cache": sqlite_vault_without_cache,
}


@pytest.fixture(params=sorted(VAULTS))
def vault(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Opened[KeyVault]]:
    with VAULTS[request.param](tmp_path) as held:
        yield held


def seal(
    vault: Opened[KeyVault], text: str = SECRET, person: str = PERSON, field: str = "name"
) -> str:
    return vault.run(vault.port.seal(person, field, text, NEVER))


def unseal(vault: Opened[KeyVault], sealed: str, person: str = PERSON, field: str = "name") -> str:
    return vault.run(vault.port.open(person, field, sealed, NEVER))


def check_destroyed_everywhere(
    one: Opened[KeyVault], other: Opened[KeyVault], fresh_s: float
) -> None:
    """Destroy a key in one of two processes; each is without it after so many seconds."""
    sealed = seal(one)
    assert unseal(other, sealed) == SECRET

    other.run(other.port.destroy(PERSON, NEVER))

    with pytest.raises(GoneError):
        seal(other)
    # What a process had in its memory it may use a little longer: no more than `fresh_s`.
    one.clock.advance(fresh_s - 0.01)
    assert unseal(one, sealed) == SECRET
    one.clock.advance(0.01)
    with pytest.raises(GoneError):
        unseal(one, sealed)
    with pytest.raises(GoneError):
        seal(one)


@pytest.mark.parametrize("text", [SECRET, "", "João Ávila 🏠", "x" * 100_000])
def test_what_was_sealed_opens_again(vault: Opened[KeyVault], text: str) -> None:
    assert unseal(vault, seal(vault, text)) == text


def test_the_same_text_of_the_same_field_gives_the_same_bytes(vault: Opened[KeyVault]) -> None:
    assert seal(vault) == seal(vault)


def test_person_and_field_are_part_of_the_seal(vault: Opened[KeyVault]) -> None:
    sealed = {
        seal(vault),
        seal(vault, field="email"),
        seal(vault, person=OTHER),
        seal(vault, SECRET + "."),
    }

    assert len(sealed) == 4


def test_a_seal_shows_nothing_of_the_text(vault: Opened[KeyVault]) -> None:
    sealed = seal(vault)

    assert re.fullmatch(r"1\.[A-Za-z0-9_-]+", sealed)
    assert "Honeytoken" not in sealed


@pytest.mark.parametrize(("person", "field"), [(OTHER, "name"), (PERSON, "email")])
def test_a_seal_opens_for_its_person_and_field_only(
    vault: Opened[KeyVault], person: str, field: str
) -> None:
    sealed = seal(vault)
    seal(vault, person=OTHER)

    with pytest.raises(PermanentError):
        unseal(vault, sealed, person, field)


@pytest.mark.parametrize(
    "sealed", ["", "1.", "2.AAAA", "plain text", "1.****", "1.AAAAAAAAAAAAAAAAAAAAAAAA", "1.é"]
)
def test_what_was_never_sealed_does_not_open(vault: Opened[KeyVault], sealed: str) -> None:
    seal(vault)

    with pytest.raises(PermanentError):
        unseal(vault, sealed)


def test_nothing_opens_for_a_person_without_a_key(vault: Opened[KeyVault]) -> None:
    with pytest.raises(PermanentError):
        unseal(vault, seal(vault), person="p1.never")


def test_half_a_character_is_refused_without_being_quoted(vault: Opened[KeyVault]) -> None:
    with pytest.raises(InvalidInputError) as caught:
        seal(vault, SECRET + "\ud800")

    assert "Honeytoken" not in repr(caught.value)


def test_a_destroyed_key_is_gone_for_good(vault: Opened[KeyVault]) -> None:
    sealed = seal(vault)

    vault.run(vault.port.destroy(PERSON, NEVER))
    vault.run(vault.port.destroy(PERSON, NEVER))

    with pytest.raises(GoneError):
        unseal(vault, sealed)
    with pytest.raises(GoneError):
        seal(vault)


def test_a_key_can_be_destroyed_before_it_exists(vault: Opened[KeyVault]) -> None:
    vault.run(vault.port.destroy(PERSON, NEVER))

    with pytest.raises(GoneError):
        seal(vault)


def test_destroying_touches_one_person_only(vault: Opened[KeyVault]) -> None:
    sealed = seal(vault, person=OTHER)
    seal(vault)

    vault.run(vault.port.destroy(PERSON, NEVER))

    assert unseal(vault, sealed, person=OTHER) == SECRET


def test_many_first_uses_at_once_make_one_key(vault: Opened[KeyVault]) -> None:
    async def all_at_once() -> list[str]:
        return await asyncio.gather(
            *(vault.port.seal(PERSON, "name", SECRET, NEVER) for _ in range(50))
        )

    assert len(set(vault.run(all_at_once()))) == 1


def test_destroying_wins_over_a_race_of_uses(vault: Opened[KeyVault]) -> None:
    async def race() -> None:
        uses = [vault.port.seal(PERSON, "name", SECRET, NEVER) for _ in range(20)]
        await asyncio.gather(*uses, vault.port.destroy(PERSON, NEVER), return_exceptions=True)

    vault.run(race())

    with pytest.raises(GoneError):
        seal(vault)


def test_past_the_deadline_nothing_is_begun(vault: Opened[KeyVault]) -> None:
    vault.clock.advance(10)

    with pytest.raises(DeadlineExceededError):
        vault.run(vault.port.seal(PERSON, "name", SECRET, Deadline(9)))


def test_an_index_names_its_key_and_hides_the_number(vault: Opened[KeyVault]) -> None:
    index = vault.port.blind_index(CPF)

    assert re.fullmatch(r"1:[0-9a-f]{64}", index)
    assert index == vault.port.blind_index(CPF)
    assert index != vault.port.blind_index("11144477735")
