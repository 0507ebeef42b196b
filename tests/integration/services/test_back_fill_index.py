"""A new version of the index key on a real platform: the back-fill, and what goes on meanwhile."""

import asyncio
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from adapters.security.key_ring import KeyRing
from adapters.stores.embedded.directory import INDEX_KEY
from tests.e2e.people import KNOWN_CPFS, Customer
from tests.integration.doctor.site import Shell
from tests.integration.ledger_faults.processes import Site, up
from tests.services.provided import provided

REFUSED = 4


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A platform that knows three persons, and has been told of a new version of its key."""
    with provided("mariadb", "redis") as servers:
        made = Site.made(
            tmp_path_factory.mktemp("index"),
            servers["mariadb"].settings["MYSQL_URL"],
            servers["redis"].settings["REDIS_URL"],
        )
        asyncio.run(registered(made, *KNOWN_CPFS[:3]))
        rotated(made)
        yield made


async def registered(site: Site, *cpfs: str) -> None:
    async with up(site, "one") as api:
        for cpf in cpfs:
            customer = Customer(customer_id=f"c-{cpf[:3]}", identity={"cpf": cpf})
            profile = customer.event(
                "crm", 1, "customer.profile_updated", {"identity": customer.identity}
            )
            await api.tell([profile])
            await site.known(customer, 1)


def ring(site: Site) -> KeyRing:
    return KeyRing.load_or_create(site.folder / "keys" / INDEX_KEY)


def rotated(site: Site) -> None:
    ring(site).rotated(site.folder / "keys" / INDEX_KEY)


def back_filled(site: Site, *words: str, **changes: str) -> tuple[int, Mapping[str, Any]]:
    data = {"CREDITCTL_DATA": str(site.folder / "unused")}
    shell = Shell({**site.environment, **data, **changes})
    result = shell("db", "back-fill-index", "--json", *words)
    return result.exit_code, json.loads(result.stdout) if result.stdout else {}


def test_everybody_is_found_once_and_a_second_run_has_nothing_to_do(site: Site) -> None:
    lost = {"erased": 0, "unknown": 0, "unread": 0}

    assert back_filled(site) == (
        0,
        {"customers": 3, "missing": 3, **lost, "old_versions_may_go": True},
    )
    assert back_filled(site)[1]["missing"] == 0
    # The customers are c-111, c-123 and c-529.
    assert back_filled(site, "--after", "c-123") == (
        0,
        {"customers": 1, "missing": 0, **lost, "old_versions_may_go": False},
    )
    assert not (site.folder / "unused").exists()


def test_key_files_that_are_not_those_of_the_vault_are_refused_and_none_is_made(
    site: Site, tmp_path: Path
) -> None:
    empty = tmp_path / "keys"
    empty.mkdir()
    code, _ = back_filled(site, KEYS_DIR=str(empty))
    assert code != 0
    assert list(empty.iterdir()) == []

    for name in ("wrapping.key", INDEX_KEY):
        KeyRing.load_or_create(empty / name)
    assert back_filled(site, KEYS_DIR=str(empty))[0] == REFUSED
