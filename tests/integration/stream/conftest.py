"""Two servers of Kinesis, each started once and ended after its last test."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from tests.integration.shared.caches import Loop
from tests.integration.stream.site import Site, site_on
from tests.services.provided import provided

_NAMES = count()


@pytest.fixture(scope="package")
def kinesalite_url() -> Iterator[str]:
    with provided("kinesis") as servers:
        yield servers["kinesis"].settings["KINESIS_ENDPOINT"]


@pytest.fixture(scope="package")
def resharding_url() -> Iterator[str]:
    with provided("kinesis-resharding") as servers:
        yield servers["kinesis-resharding"].settings["KINESIS_RESHARDING_ENDPOINT"]


@pytest.fixture(params=["kinesalite", "kinesis-local"])
def site(request: pytest.FixtureRequest, tmp_path: Path, loop: Loop) -> Iterator[Site]:
    """A stream of two shards, on each server."""
    fixture = {"kinesalite": "kinesalite_url", "kinesis-local": "resharding_url"}[request.param]
    with site_on(
        request.getfixturevalue(fixture), f"events-{next(_NAMES)}", tmp_path, loop, 2
    ) as made:
        yield made


@pytest.fixture
def resharding(resharding_url: str, tmp_path: Path, loop: Loop) -> Iterator[Site]:
    """A stream of two shards, on the server that knows every change of shards."""
    with site_on(resharding_url, f"events-{next(_NAMES)}", tmp_path, loop, 2) as made:
        yield made


@pytest.fixture
def narrow(kinesalite_url: str, tmp_path: Path, loop: Loop) -> Iterator[Site]:
    """A stream of one shard, on the quicker server."""
    with site_on(kinesalite_url, f"events-{next(_NAMES)}", tmp_path, loop, 1) as made:
        yield made
