"""Every promise of the stream's ports, on two servers of Kinesis: the shared suite."""

from collections.abc import Iterator

import pytest

from tests.contracts import test_event_stream
from tests.contracts.opened import HandClock, Opened
from tests.contracts.test_event_stream import Stream, everything, put
from tests.integration.stream.site import Site

globals().update(
    {name: test for name, test in vars(test_event_stream).items() if name.startswith("test_")}
)


@pytest.fixture
def stream(site: Site) -> Iterator[Opened[Stream]]:
    clock = HandClock()
    with site.opened(clock) as both:
        yield Opened(both, clock, site.loop)


def test_a_record_is_read_as_it_was_put(stream: Opened[Stream]) -> None:
    """As in the shared suite, but for the instant: a server has a clock of its own."""
    put(stream, ("c-1", bytes(range(256))), ("c-1", b""))

    first, second = everything(stream)

    assert (first.partition_key, first.data) == ("c-1", bytes(range(256)))
    assert (second.data, second.shard_id) == (b"", first.shard_id)
    assert first.arrived_us > 1_700_000_000_000_000
