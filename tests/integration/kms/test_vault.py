"""What the vault on AWS promises beside the port: one key, one end, bound to its person."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import pytest

from adapters.security.dynamodb_key_table import DynamoDbKeyTable
from adapters.security.key_ring import KeyRing
from adapters.security.kms_key_vault import FRESH_S, KmsKeyVault
from adapters.security.wrapped_keys import WrappedKey
from adapters.system import SystemClock
from domain.errors import DeadlineExceededError, GoneError, PermanentError, TransientError
from tests.contracts.opened import NEVER, HandClock
from tests.contracts.test_key_vault import (
    OTHER,
    PERSON,
    SECRET,
    check_destroyed_everywhere,
    seal,
    unseal,
)
from tests.integration.kms.vaults import NO_CACHE, Aws, client_of
from tests.integration.shared.caches import PATIENCE_S, Loop, soon
from tests.integration.stream.site import through
from tests.services.proxy import NONE, SILENCE, FaultProxy, Faults, Verdict, Way


def table_of(aws: Aws, calls: Any) -> DynamoDbKeyTable:
    return DynamoDbKeyTable(calls, aws.table)


def test_processes_that_race_agree_on_one_key_a_person(aws: Aws) -> None:
    persons = [f"p1.{number}" for number in range(8)]
    with ExitStack() as stack:
        loops = [stack.enter_context(Loop()) for _ in range(3)]
        vaults = [stack.enter_context(replace(aws, loop=loop).vault()).port for loop in loops]

        async def seal_all(vault: KmsKeyVault) -> list[str]:
            seals = (vault.seal(person, "name", SECRET, NEVER) for person in persons)
            return await asyncio.gather(*seals)

        with ThreadPoolExecutor(3) as pool:
            sealed = list(pool.map(lambda loop, vault: loop(seal_all(vault)), loops, vaults))

    assert len({tuple(each) for each in sealed}) == 1
    assert len(aws.rows()) == len(persons)


def test_those_who_need_a_key_at_once_ask_once(aws: Aws, before_kms: FaultProxy) -> None:
    asked = 0

    def judge(way: Way, _: bytes) -> Verdict:
        nonlocal asked
        asked += way is Way.REQUEST
        return Verdict.PASS

    before_kms.faults = Faults(judge=judge)
    with aws.vault(NO_CACHE, urls=(through(aws.kms, before_kms.port), "")) as vault:

        async def all_at_once() -> list[str]:
            seals = (vault.port.seal(PERSON, "name", SECRET, NEVER) for _ in range(50))
            return await asyncio.gather(*seals)

        assert len(set(vault.run(all_at_once()))) == 1
    assert asked == 1


def test_a_put_that_comes_late_does_not_bring_a_destroyed_key_back(aws: Aws) -> None:
    calls = client_of("dynamodb", aws.dynamodb, HandClock())
    table = table_of(aws, calls)
    key = WrappedKey("kms", b"wrapped before the end")
    assert aws.loop(table.put_if_absent(PERSON, key, NEVER)) == key

    aws.loop(table.destroy(PERSON, NEVER))
    late = aws.loop(table.put_if_absent(PERSON, key, NEVER))
    found = aws.loop(table.get(PERSON, NEVER))
    aws.loop(calls.close())

    assert late.wrapped is None
    assert found is not None
    assert found.wrapped is None
    assert aws.rows() == [{"personId": {"S": PERSON}, "destroyed": {"BOOL": True}}]


def test_a_first_use_that_races_with_a_destruction_leaves_no_key(aws: Aws) -> None:
    with aws.vault() as one, aws.vault() as other:

        async def race() -> None:
            seals = (one.port.seal(f"p1.{n}", "name", SECRET, NEVER) for n in range(20))
            ends = (other.port.destroy(f"p1.{n}", NEVER) for n in range(20))
            await asyncio.gather(*seals, *ends, return_exceptions=True)

        aws.loop(race())
        one.clock.advance(FRESH_S)
        for number in range(20):
            with pytest.raises(GoneError):
                seal(one, person=f"p1.{number}")
    assert len(aws.rows()) == 20
    assert not any("wrapped" in row for row in aws.rows())


def test_who_comes_after_a_destruction_shares_no_look_from_before(
    aws: Aws, before_kms: FaultProxy
) -> None:
    with aws.vault() as setup:
        sealed = seal(setup)
    with aws.vault(urls=(through(aws.kms, before_kms.port), "")) as vault:
        held = threading.Event()

        def hold(_: Way, __: bytes) -> Verdict:
            held.set()
            return Verdict.DROP

        before_kms.faults = Faults(judge=hold)

        async def scene() -> object:
            # It has read the key, and waits for KMS when the key is destroyed.
            early = asyncio.create_task(vault.port.open(PERSON, "name", sealed, NEVER))
            assert await asyncio.to_thread(held.wait, PATIENCE_S)
            await vault.port.destroy(PERSON, NEVER)
            before_kms.faults = NONE
            late = await asyncio.gather(
                vault.port.open(PERSON, "name", sealed, NEVER), return_exceptions=True
            )
            early.cancel()
            return late[0]

        assert isinstance(aws.loop(scene()), GoneError)


def test_a_destroyed_key_is_unusable_everywhere_after_a_stated_time(aws: Aws) -> None:
    with aws.vault() as one, aws.vault() as other:
        check_destroyed_everywhere(one, other, FRESH_S)


def test_a_wrapped_key_opens_for_its_person_only(aws: Aws) -> None:
    with aws.vault(NO_CACHE) as vault:
        seal(vault)
        (row,) = aws.rows()
        aws.ask(
            "dynamodb", "DynamoDB_20120810.PutItem", TableName=aws.table,
            Item={**row, "personId": {"S": OTHER}},
        )  # fmt: skip

        with pytest.raises(PermanentError, match="key and person"):
            seal(vault, person=OTHER)


def test_keys_outlive_a_restart_and_another_kms_key(aws: Aws) -> None:
    with aws.vault() as before:
        sealed = seal(before)

    with replace(aws, key=aws.new_key()).vault() as after:
        assert unseal(after, sealed) == SECRET
        assert unseal(after, seal(after, person=OTHER), person=OTHER) == SECRET
    assert len({row["kek"]["S"] for row in aws.rows()}) == 2


def test_the_table_holds_no_key_in_the_clear(aws: Aws) -> None:
    with aws.vault() as vault:
        seal(vault)
        (row,) = aws.rows()

    assert row.keys() == {"personId", "kek", "wrapped"}
    # 64 bytes in base64, and what KMS adds.
    assert len(row["wrapped"]["B"]) > 64 * 4 // 3 + 40


def test_another_index_key_is_refused_at_the_start(aws: Aws) -> None:
    with aws.vault() as first:
        assert not first.run(first.port.compare(NEVER))
        first.run(first.port.prepare(NEVER))
        assert first.run(first.port.compare(NEVER))
    KeyRing.load_or_create(aws.folder / "index.key").rotated(aws.folder / "index.key")
    with aws.vault() as rotated:
        rotated.run(rotated.port.prepare(NEVER))
    (aws.folder / "index.key").unlink()

    with aws.vault() as stranger:
        for check in (stranger.port.prepare(NEVER), stranger.port.compare(NEVER)):
            with pytest.raises(PermanentError, match="same files"):
                stranger.run(check)


def test_what_is_missing_or_of_another_kind_is_named(aws: Aws) -> None:
    asymmetric = aws.new_key(KeyUsage="SIGN_VERIFY", KeySpec="RSA_2048")
    disabled = aws.new_key()
    aws.ask("kms", "TrentService.DisableKey", KeyId=disabled)
    wrong = [
        (replace(aws, table="no-such-table"), "no table no-such-table"),
        (replace(aws, key="3d3f1b5c-0000-0000-0000-000000000000"), "KMS_KEY_ID"),
        (replace(aws, key=asymmetric), "symmetric"),
        (replace(aws, key=disabled), "symmetric"),
    ]
    for site, word in wrong:
        with site.vault() as vault, pytest.raises(PermanentError, match=word):
            vault.run(vault.port.prepare(NEVER))


def test_a_table_that_forgets_is_refused(aws: Aws) -> None:
    aws.ask(
        "dynamodb", "DynamoDB_20120810.UpdateTimeToLive", TableName=aws.table,
        TimeToLiveSpecification={"AttributeName": "ttl", "Enabled": True},
    )  # fmt: skip

    with aws.vault() as vault, pytest.raises(PermanentError, match="TTL"):
        vault.run(vault.port.prepare(NEVER))


@pytest.mark.parametrize("away", ["kms", "dynamodb"])
def test_what_is_away_is_transient_and_comes_back(
    aws: Aws, before_kms: FaultProxy, before_dynamodb: FaultProxy, away: str
) -> None:
    urls = (through(aws.kms, before_kms.port), through(aws.dynamodb, before_dynamodb.port))
    proxy = before_kms if away == "kms" else before_dynamodb
    with aws.vault(NO_CACHE, clock=SystemClock(), urls=urls) as vault:
        sealed = seal(vault)
        proxy.close()
        proxy.cut()
        for _ in range(2):
            with pytest.raises(TransientError) as caught:
                unseal(vault, sealed)
            assert PERSON not in str(caught.value)
        proxy.open()

        assert unseal(vault, sealed) == SECRET


@pytest.mark.parametrize("way", Way)
def test_a_cut_at_any_call_makes_one_key_and_ends_it_for_good(
    aws: Aws, before_dynamodb: FaultProxy, way: Way
) -> None:
    url = through(aws.dynamodb, before_dynamodb.port)
    with aws.vault(NO_CACHE, clock=SystemClock(), urls=("", url)) as vault:
        for chunk in range(4):
            person, left = f"p1.{chunk}", chunk

            def judge(found: Way, _: bytes) -> Verdict:
                nonlocal left
                left -= found is way
                return Verdict.RESET if found is way and left == -1 else Verdict.PASS

            before_dynamodb.faults = Faults(judge=judge)
            sealed = seal(vault, person=person)
            assert unseal(vault, sealed, person=person) == SECRET
            left = 0
            vault.run(vault.port.destroy(person, NEVER))
            before_dynamodb.faults = NONE
            with pytest.raises(GoneError):
                seal(vault, person=person)
    assert len(aws.rows()) == 4


def test_a_silent_service_ends_a_wait_at_its_deadline(aws: Aws, before_kms: FaultProxy) -> None:
    urls = (through(aws.kms, before_kms.port), "")
    with aws.vault(NO_CACHE, clock=SystemClock(), urls=urls) as vault:
        before_kms.faults = SILENCE

        with pytest.raises(DeadlineExceededError):
            vault.run(vault.port.seal(PERSON, "name", SECRET, soon(0.2)))
        before_kms.faults = NONE
        before_kms.cut()

        assert vault.run(vault.port.seal(OTHER, "name", SECRET, soon())).startswith("1.")
