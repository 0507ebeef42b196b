"""Breakers that processes share: the table is made, looked at and written by a real process."""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from adapters.stores.dynamodb import breaker_table
from tests.integration.doctor.running import started
from tests.integration.doctor.site import Shell, Site
from tests.integration.doctor.test_faults import shell_with
from tests.integration.doctor.test_start import told
from tests.integration.hot.stores import client_of, soon
from tests.integration.shared.caches import Loop
from tests.services.provided import provided
from tests.services.redis_cluster import until
from tests.services.server import HOST, free_ports

CREDITCTL = Path(sys.executable).parent / "creditctl"
UP = ("up", "--profile", "services", "--port", "0", "--metrics-port", "0")


@pytest.fixture
def sharing() -> Iterator[dict[str, str]]:
    """Settings of a server without any table."""
    with provided("dynamodb") as servers:
        yield {**servers["dynamodb"].settings, "SHARED_BREAKERS": "yes"}


def called(settings: dict[str, str], action: str, body: dict[str, Any]) -> Any:
    with Loop() as loop, client_of(settings["DYNAMODB_ENDPOINT"], loop) as client:
        payload = json.dumps(body).encode()
        return json.loads(loop(client.call(f"DynamoDB_20120810.{action}", payload, soon())))


def test_a_table_that_is_missing_is_made_and_processes_write_rows_of_their_own(
    site: Site, sharing: dict[str, str]
) -> None:
    shell = shell_with(site, sharing)
    (found,) = [each for each in shell.doctor(1) if each["name"] != "ports"]
    up = shell(*UP)
    assert (found["name"], found["level"]) == ("breakers", "fault")
    assert "no table circuit-breaker-state" in found["detail"]
    assert (up.exit_code, "stores prepare" in up.stderr) == (4, True)

    prepared = json.loads(shell("stores", "prepare", "--json").stdout)["prepared"]
    assert [each["name"] for each in prepared] == ["breakers"]
    assert [each for each in shell.doctor(0) if each["name"] != "ports"] == []

    with started_process(site, sharing, "one"), started_process(site, sharing, "two"):
        until(lambda: len(names(sharing)) == 6)
    stores, processes = zip(*(name.split("/") for name in names(sharing)), strict=True)
    assert (set(stores), len(set(processes))) == ({"redis", "dynamodb", "keyspaces"}, 2)


def test_a_board_that_is_away_stops_no_start(site: Site) -> None:
    (port,) = free_ports(1)
    changes = {
        "SHARED_BREAKERS": "yes", "DYNAMODB_ENDPOINT": f"http://{HOST}:{port}",
        "AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s",
    }  # fmt: skip
    shell = shell_with(site, changes)
    (found,) = [each for each in shell.doctor(1) if each["name"] != "ports"]

    assert (found["name"], found["level"]) == ("breakers", "fault")
    assert any(found["remedy"] in line for line in told(site, shell))
    with started_process(site, changes, "alone"):
        pass


@pytest.mark.parametrize(
    "changes", [{"SHARED_BREAKERS": "maybe"}, {"SHARED_BREAKERS": "yes", "AWS_REGION": "no/region"}]
)
def test_settings_that_name_nothing_are_bad_usage(site: Site, changes: dict[str, str]) -> None:
    assert shell_with(site, changes)(*UP).exit_code == 2


def test_without_sharing_nothing_is_to_be_made(site: Site) -> None:
    made = Shell(site.settings)("stores", "prepare")
    assert (made.exit_code, "nothing to make" in made.stderr) == (2, True)


@contextmanager
def started_process(site: Site, changes: dict[str, str], name: str) -> Iterator[None]:
    data = {"CREDITCTL_DATA": str(site.folder / name)}
    with started([CREDITCTL, *UP], {**os.environ, **site.settings, **changes, **data}):
        yield


def names(settings: dict[str, str]) -> list[str]:
    page = called(settings, "Scan", {"TableName": breaker_table.NAME})
    return [item["service_name"]["S"] for item in page["Items"]]
