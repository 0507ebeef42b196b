"""Addresses that are ones, and what is never shown of them; what the driver does with hosts."""

import pytest
from cassandra.connection import DefaultEndPoint
from cassandra.metadata import Metadata
from cassandra.policies import SimpleConvictionPolicy
from cassandra.pool import Host

from adapters.aws.credentials import Credentials
from adapters.stores.keyspaces.address import Address, Flavour, Password, Tls
from adapters.stores.keyspaces.session import Reconnection
from domain.errors import PermanentError


@pytest.mark.parametrize(
    ("place", "host", "port"),
    [
        ("127.0.0.1:9999", "127.0.0.1", 9999),
        ("cassandra", "cassandra", 9042),
        ("node-1.internal:1", "node-1.internal", 1),
        ("[::1]:9042", "::1", 9042),
    ],
)
def test_a_place_is_taken_apart(place: str, host: str, port: int) -> None:
    made = Address.cassandra(place, "datacenter1")
    assert (made.host, made.port, made.flavour) == (host, port, Flavour.CASSANDRA)


@pytest.mark.parametrize(
    "place", ["", ":9042", "a:b", "a:0", "a:65536", "u:w@host:9042", "http://host", "a b"]
)
def test_what_is_no_place_is_refused_without_showing_it(place: str) -> None:
    with pytest.raises(PermanentError, match="CASSANDRA_ADDRESS is not host:port"):
        Address.cassandra(place, "datacenter1")


@pytest.mark.parametrize("name", ["", "Upper", "a-b", "a;b", "a.b", "1a", "a" * 49, "a b"])
def test_a_keyspace_that_is_no_name_never_gets_into_a_statement(name: str) -> None:
    with pytest.raises(PermanentError, match="name"):
        Address.cassandra("host", "datacenter1", keyspace=name)


def test_keyspaces_is_reached_over_tls_in_its_region() -> None:
    made = Address.keyspaces("sa-east-1", lambda: Credentials("a", "b"))
    assert (made.host, made.port) == ("cassandra.sa-east-1.amazonaws.com", 9142)
    assert (made.datacenter, made.tls, made.keyspace) == ("sa-east-1", Tls(), "creditplatform")


def test_a_word_is_never_shown() -> None:
    assert "hidden" not in repr(Address.cassandra("h", "d", login=Password("u", "hidden")))


def test_the_driver_knows_hosts_by_their_address() -> None:
    # A VPC endpoint of Keyspaces may show one host_id twice: both are hosts to connect to.
    metadata = Metadata()
    for number in (1, 2):
        host = Host(DefaultEndPoint(f"10.0.0.{number}", 9142), SimpleConvictionPolicy, host_id="h")
        metadata.add_or_return_host(host)
    assert len(metadata.all_hosts()) == 2


def test_a_lost_host_is_tried_at_once_and_then_at_leisure() -> None:
    schedule = Reconnection(1.0).new_schedule()
    assert [next(schedule) for _ in range(5)] == [0.0, 0.1, 1.0, 1.0, 1.0]
