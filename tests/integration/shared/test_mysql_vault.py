"""What the vault of several processes promises beside the port: one key, one end, one folder."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from urllib.parse import urlsplit

import pytest

from adapters.security.key_ring import KeyRing
from adapters.security.key_vault import VaultLimits
from adapters.security.mysql_key_vault import FRESH_S, MysqlKeyVault
from adapters.system import SystemClock
from domain.errors import DeadlineExceededError, GoneError, PermanentError, TransientError
from domain.ports.time import Deadline
from tests.contracts.opened import NEVER, HandClock
from tests.contracts.test_key_vault import (
    OTHER,
    PERSON,
    SECRET,
    check_destroyed_everywhere,
    seal,
    unseal,
)
from tests.integration.shared.caches import Loop, soon
from tests.integration.shared.vaults import Keys, vault_on
from tests.services.proxy import NONE, SILENCE, proxied
from tests.services.server import free_ports


def through(keys: Keys, port: int) -> str:
    parts = urlsplit(keys.url)
    return parts._replace(netloc=f"{parts.username}:{parts.password}@127.0.0.1:{port}").geturl()


def test_processes_that_race_agree_on_one_key_a_person(keys: Keys) -> None:
    persons = [f"p1.{number}" for number in range(12)]
    with ExitStack() as stack:
        loops = [stack.enter_context(Loop()) for _ in range(4)]
        vaults = [stack.enter_context(vault_on(keys, loop)).port for loop in loops]

        async def seal_all(vault: MysqlKeyVault) -> list[str]:
            seals = (vault.seal(person, "name", SECRET, NEVER) for person in persons)
            return await asyncio.gather(*seals)

        with ThreadPoolExecutor(4) as pool:
            sealed = list(pool.map(lambda loop, vault: loop(seal_all(vault)), loops, vaults))

    assert len({tuple(each) for each in sealed}) == 1
    assert len(set(sealed[0])) == len(persons)


def test_a_destroyed_key_is_unusable_everywhere_after_a_stated_time(keys: Keys, loop: Loop) -> None:
    with vault_on(keys, loop) as one, vault_on(keys, loop) as other:
        check_destroyed_everywhere(one, other, FRESH_S)


def test_use_does_not_prolong_the_time_a_key_is_believed(keys: Keys, loop: Loop) -> None:
    with vault_on(keys, loop) as one, vault_on(keys, loop) as other:
        sealed = seal(one)
        other.run(other.port.destroy(PERSON, NEVER))
        for _ in range(4):
            one.clock.advance(FRESH_S / 4)
            if one.clock.seconds < FRESH_S:
                assert unseal(one, sealed) == SECRET

        with pytest.raises(GoneError):
            unseal(one, sealed)


def test_a_first_use_that_races_with_a_destruction_leaves_no_key(keys: Keys, loop: Loop) -> None:
    with vault_on(keys, loop) as one, vault_on(keys, loop) as other:

        async def race() -> None:
            seals = (one.port.seal(f"p1.{n}", "name", SECRET, NEVER) for n in range(20))
            ends = (other.port.destroy(f"p1.{n}", NEVER) for n in range(20))
            await asyncio.gather(*seals, *ends, return_exceptions=True)

        loop(race())
        one.clock.advance(FRESH_S)
        for number in range(20):
            with pytest.raises(GoneError):
                seal(one, person=f"p1.{number}")
    left = keys.rows("SELECT wrapped FROM KEYS.person_keys WHERE person_id LIKE 'p1.%%'")
    assert left == [(None,)] * 20


def test_keys_outlive_a_restart_and_a_rotation_of_the_wrapping_key(keys: Keys, loop: Loop) -> None:
    with vault_on(keys, loop) as before:
        sealed = seal(before)
        before.run(before.port.destroy(OTHER, NEVER))
    ring = KeyRing.load_or_create(keys.folder / "wrapping.key")
    ring.rotated(keys.folder / "wrapping.key")
    with vault_on(keys, loop) as after:
        assert seal(after) == sealed
        assert unseal(after, seal(after, person="p1.new"), person="p1.new") == SECRET
        with pytest.raises(GoneError):
            seal(after, person=OTHER)


def test_ids_that_differ_in_a_space_or_a_letters_size_are_different_persons(
    keys: Keys, loop: Loop
) -> None:
    with vault_on(keys, loop) as vault:
        assert len({seal(vault, person=name) for name in ("p", "p ", "P", "ṕ", "p\\", "p'")}) == 6


def test_the_database_holds_no_key_in_the_clear(keys: Keys, loop: Loop) -> None:
    with vault_on(keys, loop, VaultLimits(threads=1)) as vault:
        seal(vault)
        ((wrapped,),) = keys.rows(
            "SELECT wrapped FROM KEYS.person_keys WHERE person_id = %s", PERSON
        )
        assert len(wrapped) == 12 + 64 + 16
        vault.run(vault.port.destroy(PERSON, NEVER))
    found = keys.rows("SELECT * FROM KEYS.person_keys WHERE person_id = %s", PERSON)
    assert found == [(PERSON.encode(), "", None)]


@pytest.mark.parametrize(
    ("file", "sentence"), [("wrapping.key", "does not fit"), ("index.key", "same files")]
)
def test_a_process_with_other_key_files_is_refused_at_its_start(
    keys: Keys, loop: Loop, file: str, sentence: str
) -> None:
    with vault_on(keys, loop):
        pass
    (keys.folder / file).unlink()

    with pytest.raises(PermanentError, match=sentence), vault_on(keys, loop):
        pass


def test_a_new_version_of_the_index_key_is_no_other_file(keys: Keys, loop: Loop) -> None:
    with vault_on(keys, loop) as before:
        old = before.port.blind_index("52998224725")
    KeyRing.load_or_create(keys.folder / "index.key").rotated(keys.folder / "index.key")
    with vault_on(keys, loop) as after:
        assert old in after.port.blind_indices("52998224725")


def test_processes_that_start_at_once_make_one_table(new_keys: Keys) -> None:
    with ExitStack() as stack:
        loops = [stack.enter_context(Loop()) for _ in range(4)]
        vaults = [new_keys.vault(HandClock()) for _ in loops]
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda loop, vault: loop(vault.prepare(NEVER)), loops, vaults))
        for vault in vaults:
            vault.close()

    assert new_keys.rows("SELECT COUNT(*) FROM KEYS.person_keys") == [(2,)]


def test_connections_are_few_and_all_end(keys: Keys, loop: Loop) -> None:
    with vault_on(keys, loop) as vault:

        async def seal_many() -> None:
            await asyncio.gather(
                *(vault.port.seal(f"p1.{n}", "name", SECRET, NEVER) for n in range(200))
            )

        loop(seal_many())
        assert 1 <= connections(keys) <= 4
    # The server takes note of an end in one of its next turns.
    assert any(connections(keys) == 0 for _ in range(1000))


def connections(keys: Keys) -> int:
    name = urlsplit(keys.url).path[1:]
    listed = keys.rows("SELECT COUNT(*) FROM information_schema.processlist WHERE db = %s", name)
    return int(listed[0][0])


def test_a_connection_that_was_ended_costs_nobody_an_error(keys: Keys, loop: Loop) -> None:
    with (
        proxied(urlsplit(keys.url).port or 0) as proxy,
        vault_on(keys, loop, VaultLimits(threads=2, cached_keys_max=0), through(keys, proxy.port))
        as vault,
    ):  # fmt: skip
        sealed = seal(vault)
        for _ in range(3):
            proxy.cut()
            assert unseal(vault, sealed) == SECRET
            proxy.cut()
            vault.run(vault.port.destroy(OTHER, NEVER))


def test_a_database_that_is_away_is_transient_and_comes_back(keys: Keys, loop: Loop) -> None:
    with (
        proxied(urlsplit(keys.url).port or 0) as proxy,
        vault_on(keys, loop, VaultLimits(threads=2, cached_keys_max=0), through(keys, proxy.port))
        as vault,
    ):  # fmt: skip
        sealed = seal(vault)
        proxy.close()
        proxy.cut()
        for _ in range(3):
            with pytest.raises(TransientError, match="away") as caught:
                unseal(vault, sealed)
            assert PERSON not in str(caught.value)
        proxy.open()

        assert unseal(vault, sealed) == SECRET


def test_a_silent_database_ends_a_wait_at_its_deadline(keys: Keys, loop: Loop) -> None:
    with proxied(urlsplit(keys.url).port or 0) as proxy:
        vault = keys.vault(SystemClock(), VaultLimits(threads=1), through(keys, proxy.port))
        try:
            loop(vault.prepare(NEVER))
            proxy.faults = SILENCE

            async def seal_some() -> list[object]:
                until = soon(0.1)
                seals = (vault.seal(f"p1.{n}", "name", SECRET, until) for n in range(5))
                return list(await asyncio.gather(*seals, return_exceptions=True))

            found = loop(seal_some())
            assert [type(each) for each in found] == [DeadlineExceededError] * 5
            proxy.faults = NONE
            proxy.cut()

            assert loop(vault.seal(PERSON, "name", SECRET, soon())).startswith("1.")
        finally:
            vault.close()
    begun = keys.rows("SELECT COUNT(*) FROM KEYS.person_keys WHERE person_id IN ('p1.1', 'p1.4')")
    assert begun == [(0,)]


def test_a_stale_key_is_not_used_while_the_database_is_away(keys: Keys, loop: Loop) -> None:
    with (
        proxied(urlsplit(keys.url).port or 0) as proxy,
        vault_on(keys, loop, url=through(keys, proxy.port)) as vault,
    ):
        sealed = seal(vault)
        proxy.close()
        proxy.cut()
        assert unseal(vault, sealed) == SECRET

        vault.clock.advance(FRESH_S)
        with pytest.raises(TransientError):
            unseal(vault, sealed)


def test_a_wrong_login_is_named_and_not_quoted(keys: Keys, loop: Loop) -> None:
    wrong = keys.url.replace("app:app@", "app:honey-word@")
    vault = keys.vault(SystemClock(), url=wrong)
    try:
        with pytest.raises(PermanentError, match="KEYS_MYSQL_URL") as caught:
            loop(vault.prepare(NEVER))
    finally:
        vault.close()
    assert "honey" not in repr(caught.value) + repr(vars(vault))


def test_nobody_listens(keys: Keys, loop: Loop) -> None:
    (nobody,) = free_ports(1)
    vault = keys.vault(SystemClock(), url=through(keys, nobody))
    try:
        with pytest.raises(TransientError, match="away"):
            loop(vault.prepare(Deadline.after(SystemClock(), 20)))
    finally:
        vault.close()


@pytest.mark.parametrize("url", [
    "", "mysql://h", "mysql:///db", "postgres://h/honey", "mysql://u:honey@h:port/db",
    "mysql://u:honey@h/db?unknown=1",
])  # fmt: skip
def test_an_address_that_is_none_is_refused_and_not_quoted(keys: Keys, url: str) -> None:
    with pytest.raises(PermanentError, match="KEYS_MYSQL_URL") as caught:
        MysqlKeyVault(
            url,
            kek=KeyRing.load_or_create(keys.folder / "wrapping.key"),
            index=KeyRing.load_or_create(keys.folder / "index.key"),
            clock=HandClock(),
        )

    assert "honey" not in repr(caught.value)
