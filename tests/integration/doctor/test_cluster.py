"""A Redis that is a cluster, and one that is none: named as it is, or the doctor says so."""

from collections.abc import Iterator

import pytest

from adapters.settings import ServicesSettings
from tests.integration.doctor.site import Site
from tests.integration.doctor.test_faults import shell_with
from tests.integration.doctor.test_start import told
from tests.services.provided import skipping
from tests.services.redis_cluster import ClusterServers, redis_cluster


@pytest.fixture(scope="module")
def cluster() -> Iterator[ClusterServers]:
    with skipping("redis"), redis_cluster() as made:
        for node in made.nodes:
            node.ask("CONFIG", "SET", "maxmemory-policy", "volatile-lru")
        yield made


@pytest.mark.parametrize("node", range(3))
@pytest.mark.parametrize("tls", [False, True], ids=["clear", "tls"])
def test_a_node_named_as_if_it_were_alone_is_a_fault_whichever_keys_it_has(
    site: Site, cluster: ClusterServers, node: int, *, tls: bool
) -> None:
    url = cluster.url(node, tls=tls).replace("+cluster", "")
    shell = shell_with(site, {"REDIS_URL": url})
    (found,) = [each for each in shell.doctor(1) if each["name"] != "ports"]
    up = shell("up", "--profile", "services", "--port", "0", "--metrics-port", "0")

    assert (found["name"], found["level"]) == ("cache", "fault")
    assert found["detail"] == "REDIS_URL names a node of a cluster"
    assert found["remedy"] == "begin it with redis+cluster:// or rediss+cluster://"
    assert (up.exit_code, found["remedy"] in up.stderr) == (4, True)


@pytest.mark.parametrize("node", range(4), ids=["0", "1", "2", "replica"])
def test_a_cluster_named_as_one_is_well_by_any_of_its_nodes(
    site: Site, cluster: ClusterServers, node: int
) -> None:
    shell = shell_with(site, {"REDIS_URL": cluster.url(node)})

    assert [each for each in shell.doctor(0) if each["name"] != "ports"] == []


def test_one_server_named_as_a_cluster_is_a_warning(site: Site) -> None:
    url = site.redis.replace("redis:", "redis+cluster:")
    shell = shell_with(site, {"REDIS_URL": url})
    (found,) = [each for each in shell.doctor(0) if each["name"] != "ports"]

    assert (found["name"], found["level"]) == ("cache", "warning")
    assert "is no node of a cluster" in found["detail"]
    assert "redis://" in found["remedy"]
    assert any("is no node of a cluster" in line for line in told(site, shell))


def test_the_rate_limits_and_who_shares_them_are_told(site: Site) -> None:
    changes = {"RATE_LIMIT_ADMIN": "7", "RATE_LIMIT_PROCESSES": "3"}
    settings = ServicesSettings.from_environment(site.folder, {}, {**site.settings, **changes})
    result = shell_with(site, changes)("doctor", "--profile", "services")

    assert settings.rate_limit_processes == 3
    assert "decisions 10000, reads 5000, events 1000, admin 7; shared by 3" in " ".join(
        result.stdout.split()
    )
