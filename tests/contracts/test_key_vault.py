"""What `domain.ports.keys.KeyVault` promises, on every vault; then what the SQLite one adds."""

import asyncio
import re
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import apsw
import pytest

from adapters.security.key_ring import KeyRing
from adapters.security.key_vault import SqliteKeyVault
from domain.errors import (
    CreditError,
    DeadlineExceededError,
    GoneError,
    InvalidInputError,
    PermanentError,
    TransientError,
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


# --- the SQLite vault ---


def test_two_vaults_on_one_file_agree_on_the_first_key(tmp_path: Path) -> None:
    vaults = [open_sqlite(tmp_path, HandClock()) for _ in range(4)]

    def first_use(held: SqliteKeyVault) -> str:
        return asyncio.run(held.seal(PERSON, "name", SECRET, NEVER))

    with ThreadPoolExecutor(len(vaults)) as pool:
        sealed = set(pool.map(first_use, vaults))
    for held in vaults:
        held.close()

    assert len(sealed) == 1


def test_keys_survive_a_restart_and_so_do_tombstones(tmp_path: Path) -> None:
    with sqlite_vault(tmp_path) as before:
        sealed = seal(before)
        before.run(before.port.destroy(OTHER, NEVER))
    with sqlite_vault(tmp_path) as after:
        assert unseal(after, sealed) == SECRET
        assert seal(after) == sealed
        with pytest.raises(GoneError):
            seal(after, person=OTHER)


def test_every_file_is_for_its_owner_only(tmp_path: Path) -> None:
    with sqlite_vault(tmp_path) as held:
        seal(held)
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}

    assert {"keys.sqlite", "keys.sqlite-wal", "kek.key", "index.key"} <= set(modes)
    assert set(modes.values()) == {0o600}


def test_no_file_holds_a_clear_text_or_a_destroyed_key(tmp_path: Path) -> None:
    with sqlite_vault(tmp_path) as held:
        for number in range(60):
            seal(held, person=f"p1.{number:040d}")
        seal(held)
        wrapped = stored(tmp_path, PERSON)
        assert wrapped in all_bytes(tmp_path)

        held.run(held.port.destroy(PERSON, NEVER))

        everything = all_bytes(tmp_path)
    assert b"Honeytoken" not in everything
    pieces = [wrapped[place : place + 16] for place in range(len(wrapped) - 15)]
    assert not any(piece in everything for piece in pieces)


def stored(folder: Path, person: str) -> bytes:
    connection = apsw.Connection(str(folder / "keys.sqlite"))
    query = "SELECT wrapped FROM person_keys WHERE person_id = ?"
    ((wrapped,),) = connection.execute(query, (person,)).fetchall()
    connection.close()
    assert isinstance(wrapped, bytes)
    return wrapped


def all_bytes(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.iterdir()))


def test_old_keys_open_after_the_wrapping_key_was_rotated(tmp_path: Path) -> None:
    with sqlite_vault(tmp_path) as before:
        sealed = seal(before)
    KeyRing.load_or_create(tmp_path / "kek.key").rotated(tmp_path / "kek.key")
    with sqlite_vault(tmp_path) as after:
        assert unseal(after, sealed) == SECRET
        assert unseal(after, seal(after, person=OTHER), person=OTHER) == SECRET


def test_an_index_can_be_looked_up_under_older_keys(tmp_path: Path) -> None:
    with sqlite_vault(tmp_path) as before:
        old = before.port.blind_index(CPF)
    KeyRing.load_or_create(tmp_path / "index.key").rotated(tmp_path / "index.key")
    with sqlite_vault(tmp_path) as after:
        assert after.port.blind_indices(CPF) == (after.port.blind_index(CPF), old)
        assert after.port.blind_index(CPF).startswith("2:")


def test_a_row_cannot_be_moved_to_another_person(tmp_path: Path) -> None:
    with sqlite_vault(tmp_path) as held:
        seal(held)
        seal(held, person=OTHER)
    connection = apsw.Connection(str(tmp_path / "keys.sqlite"))
    connection.execute(
        "UPDATE person_keys SET wrapped = "
        "(SELECT wrapped FROM person_keys WHERE person_id = ?) WHERE person_id = ?",
        (PERSON, OTHER),
    )
    connection.close()
    with sqlite_vault(tmp_path) as after, pytest.raises(PermanentError):
        seal(after, person=OTHER)


def test_another_wrapping_key_opens_nothing(tmp_path: Path) -> None:
    with sqlite_vault(tmp_path) as before:
        seal(before)
    (tmp_path / "kek.key").unlink()
    with sqlite_vault(tmp_path) as after, pytest.raises(PermanentError):
        seal(after)


def test_a_lost_version_of_the_wrapping_key_is_named_as_such(tmp_path: Path) -> None:
    path = tmp_path / "kek.key"
    KeyRing.load_or_create(path).rotated(path)
    with sqlite_vault(tmp_path) as before:
        seal(before)
    path.unlink()
    with sqlite_vault(tmp_path) as after, pytest.raises(PermanentError, match="version"):
        seal(after)


def test_a_file_that_is_away_is_transient_and_quotes_nothing(tmp_path: Path) -> None:
    with sqlite_vault(tmp_path) as held:
        connection = apsw.Connection(str(tmp_path / "keys.sqlite"))
        connection.execute("DROP TABLE person_keys")
        connection.close()
        with pytest.raises(TransientError) as caught:
            seal(held)

    assert str(caught.value) == "the key vault is away (SQLError)"
    assert caught.value.__suppress_context__


def test_the_cache_is_bounded(tmp_path: Path) -> None:
    held = open_sqlite(tmp_path, HandClock(), cached_keys_max=3)
    try:
        for number in range(10):
            asyncio.run(held.seal(f"p1.{number}", "name", SECRET, NEVER))
        assert list(held._cache._ciphers) == ["p1.7", "p1.8", "p1.9"]
    finally:
        held.close()


def test_no_repr_shows_a_key_or_a_text(tmp_path: Path) -> None:
    with sqlite_vault(tmp_path) as held:
        sealed = seal(held)
        ring = KeyRing.load_or_create(tmp_path / "kek.key")
        shown = [repr(held.port), repr(ring), repr(vars(held.port))]
        try:
            unseal(held, sealed, field="email")
        except CreditError as error:
            shown.append(repr(error) + repr(error.__cause__))

    for text in shown:
        assert "Honeytoken" not in text
        assert str(ring.secret) not in text
