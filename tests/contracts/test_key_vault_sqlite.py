"""What the vault in an SQLite file promises beside the port: its file, its keys, its bounds."""

import asyncio
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import apsw
import pytest

from adapters.security.key_ring import KeyRing
from adapters.security.key_vault import SqliteKeyVault
from domain.errors import CreditError, GoneError, PermanentError, TransientError
from tests.contracts.opened import NEVER, HandClock
from tests.contracts.test_key_vault import (
    CPF,
    OTHER,
    PERSON,
    SECRET,
    open_sqlite,
    seal,
    sqlite_vault,
    unseal,
)


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
