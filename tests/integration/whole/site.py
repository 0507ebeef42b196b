"""A platform whose every store is on a real server."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from tests.integration.doctor.site import Shell
from tests.integration.ledger_faults.processes import Site
from tests.services.server import Running

ALL: Final = ("mariadb", "redis", "cassandra", "dynamodb", "kinesis")
PREPARED: Final = {"wide store", "hot store", "stream"}


def whole_site(folder: Path, servers: Mapping[str, Running], name: str) -> Site:
    """Make databases, table, keyspace and a stream of its own; return where all of it is."""
    made = Site.made(
        folder, servers["mariadb"].settings["MYSQL_URL"], servers["redis"].settings["REDIS_URL"]
    )
    more = {key: value for each in servers.values() for key, value in each.settings.items()}
    environment = {
        **more,
        **made.environment,
        "PROJECTIONS": "servers",
        "KINESIS_STREAM": name,
        "DYNAMODB_TABLE": name,
    }
    site = replace(made, environment=environment)
    prepared = Shell(environment)("stores", "prepare", "--json")
    assert prepared.exit_code == 0, prepared.stderr
    assert {each["name"] for each in json.loads(prepared.stdout)["prepared"]} == PREPARED
    return site
