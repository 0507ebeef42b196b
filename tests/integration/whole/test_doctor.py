"""What is wrong with a server of projections or stream is named, with the remedy."""

import json
from collections.abc import Mapping
from typing import Final

import pytest

from tests.integration.doctor.site import Shell
from tests.integration.ledger_faults.processes import Site
from tests.integration.whole.site import whole_site
from tests.services.server import HOST, Running, free_ports

REFUSED: Final = 4
DONE: Final = 0
BAD_USAGE: Final = 2
#: A setting that is wrong -> the check that says so, words of its detail and of its remedy.
WRONG: Final[Mapping[str, tuple[dict[str, str], str, str, str]]] = {
    "no table": ({"DYNAMODB_TABLE": "elsewhere"}, "hot store", "no such table", "stores prepare"),
    "no stream": ({"KINESIS_STREAM": "elsewhere"}, "stream", "elsewhere", "stores prepare"),
    "data centre": (
        {"CASSANDRA_DATACENTER": "moon"}, "wide store", "datacentre", "datacenter1",
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def site(servers: Mapping[str, Running], tmp_path_factory: pytest.TempPathFactory) -> Site:
    return whole_site(tmp_path_factory.mktemp("doctor"), servers, "doctored")


def examined(settings: Mapping[str, str], code: int) -> dict[str, dict[str, str]]:
    """Return the checks by name; ports may be another program's, keys come with the first start."""
    result = Shell(settings)("doctor", "--profile", "services", "--json")
    document = json.loads(result.stdout)
    assert result.exit_code == code, document
    return {each["name"]: each for each in document["checks"]}


def with_data(site: Site, **changes: str) -> dict[str, str]:
    return {**site.environment, "CREDITCTL_DATA": str(site.folder / "data"), **changes}


def test_all_is_well(site: Site) -> None:
    checks = examined(with_data(site), DONE)
    assert {checks[name]["level"] for name in ("wide store", "hot store", "stream")} == {"well"}


@pytest.mark.parametrize("name", WRONG)
def test_what_does_not_fit_is_named_and_ends_a_start(site: Site, name: str) -> None:
    changes, check, detail, remedy = WRONG[name]
    settings = with_data(site, **changes)

    found = examined(settings, 1)[check]
    up = Shell(settings)("up", "--profile", "services", "--port", "0", "--metrics-port", "0")

    assert found["level"] == "fault"
    assert detail in found["detail"] + found["remedy"]
    assert remedy in found["detail"] + found["remedy"]
    assert up.exit_code == REFUSED
    assert found["remedy"] in up.stderr


@pytest.mark.parametrize(
    ("setting", "check"),
    [
        ("CASSANDRA_ADDRESS", "wide store"),
        ("DYNAMODB_ENDPOINT", "hot store"),
        ("KINESIS_ENDPOINT", "stream"),
    ],
)
def test_a_server_that_is_away_is_named(site: Site, setting: str, check: str) -> None:
    (port,) = free_ports(1)
    scheme = "" if setting == "CASSANDRA_ADDRESS" else "http://"

    found = examined(with_data(site, **{setting: f"{scheme}{HOST}:{port}"}), 1)[check]

    assert found["level"] == "fault"
    assert "until then decisions are made" in found["remedy"]


def test_settings_that_name_nothing_are_bad_usage(site: Site) -> None:
    for changes in (
        {"CASSANDRA_ADDRESS": ""},
        {"CASSANDRA_ADDRESS": "no address"},
        {"DYNAMODB_ENDPOINT": "ftp://x"},
        {"AWS_REGION": "no/region"},
        {"PROJECTIONS": "clouds"},
    ):
        up = Shell(with_data(site, **changes))("up", "--profile", "services")
        assert up.exit_code == BAD_USAGE, changes
        assert next(iter(changes)) in up.stderr or "region" in up.stderr or "dynamodb" in up.stderr
