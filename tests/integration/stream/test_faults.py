"""A network that fails between us and Kinesis, at every packet: typed, in order, nothing lost."""

from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

import pytest

from adapters.aws.pool import Limits
from adapters.system import SystemClock
from domain.errors import DeadlineExceededError, NotFoundError, PermanentError, TransientError
from domain.ports.time import Deadline
from tests.contracts.opened import NEVER
from tests.integration.shared.caches import PATIENCE_S, soon
from tests.integration.stream.site import LIMITS, Both, Site, through
from tests.services.proxy import NONE, SILENCE, FaultProxy, Faults, Part, Verdict, Way, proxied
from tests.unit.streams.fake_kinesis import by_key, last_appearances

RECORDS: Final = [(f"c-{number % 3}", b"%04d" % number + bytes(8_000)) for number in range(30)]
HASTY: Final = Limits(connect_s=PATIENCE_S, attempt_s=0.2)


@pytest.fixture
def proxy(narrow: Site) -> Iterator[FaultProxy]:
    with proxied(urlsplit(narrow.url).port or 0) as made:
        yield made


def opened(site: Site, proxy: FaultProxy, limits: Limits = LIMITS) -> Iterator[Both]:
    with site.opened(SystemClock(), through(site.url, proxy.port), limits) as both:
        yield both


@pytest.fixture
def both(narrow: Site, proxy: FaultProxy) -> Iterator[Both]:
    yield from opened(narrow, proxy)


@pytest.fixture
def hasty(narrow: Site, proxy: FaultProxy) -> Iterator[Both]:
    yield from opened(narrow, proxy, HASTY)


def stored(site: Site, both: Both) -> list[tuple[str, bytes]]:
    (shard,) = site.loop(both.shards())
    found = site.loop(both.read(shard, 0, 10_000))
    return [(record.partition_key, record.data) for record in found]


class Once:
    """Lets so many chunks go one way, then judges one, and no other."""

    def __init__(self, way: Way, chunks: int, verdict: Verdict | Part) -> None:
        self._way, self._left, self._verdict = way, chunks, verdict
        self.struck = False

    def __call__(self, way: Way, _: bytes) -> Verdict | Part:
        if way is not self._way or self.struck:
            return Verdict.PASS
        self._left -= 1
        self.struck = self._left < 0
        return self._verdict if self.struck else Verdict.PASS


def put_whole(site: Site, both: Both) -> int:
    """Put until it is acknowledged; how often it had to be asked for."""
    for turn in range(1, 20):
        try:
            site.loop(both.put(RECORDS, soon()))
        except TransientError:
            continue
        return turn
    raise AssertionError("it never comes through")


@pytest.mark.parametrize("verdict", [Verdict.CUT, Verdict.RESET, Part(3, Verdict.RESET)])
@pytest.mark.parametrize("way", Way)
def test_a_cut_at_any_packet_loses_nothing_and_keeps_each_keys_order(
    narrow: Site, both: Both, proxy: FaultProxy, way: Way, verdict: Verdict | Part
) -> None:
    struck, chunk = True, 0
    while struck:
        fault = Once(way, chunk, verdict)
        proxy.faults = Faults(judge=fault)
        assert put_whole(narrow, both) == 1
        struck, chunk = fault.struck, chunk + 1
        proxy.faults = NONE
        assert last_appearances(stored(narrow, both)) == by_key(RECORDS)
    # It did strike: the request and its reply have packets.
    assert chunk > 1


@pytest.mark.parametrize("way", Way)
def test_a_reader_that_is_cut_goes_on_behind_its_checkpoint(
    narrow: Site, both: Both, proxy: FaultProxy, way: Way
) -> None:
    narrow.loop(both.put(RECORDS, soon()))
    (shard,) = narrow.loop(both.shards())
    seen: list[tuple[str, bytes]] = []
    for chunk in range(200):
        fault = Once(way, chunk % 5, Verdict.RESET)
        proxy.faults = Faults(judge=fault)
        try:
            after = narrow.loop(both.checkpoint(shard))
            page = narrow.loop(both.read(shard, after, 4))
        except TransientError:
            continue
        if not page:
            break
        seen += [(record.partition_key, record.data) for record in page]
        narrow.loop(both.set_checkpoint(shard, page[-1].sequence))

    assert seen == RECORDS


def test_a_silent_server_ends_a_put_in_time_and_heals(
    narrow: Site, hasty: Both, proxy: FaultProxy
) -> None:
    narrow.loop(hasty.put(RECORDS[:3], soon()))
    proxy.faults = SILENCE
    with pytest.raises(TransientError):
        narrow.loop(hasty.put(RECORDS, soon()))
    with pytest.raises(DeadlineExceededError):
        narrow.loop(hasty.put(RECORDS, Deadline.after(SystemClock(), 0.05)))
    proxy.faults = NONE
    proxy.cut()

    assert put_whole(narrow, hasty) == 1
    assert last_appearances(stored(narrow, hasty)) == by_key(RECORDS)


def test_a_server_that_is_away_is_transient_both_ways(
    narrow: Site, both: Both, proxy: FaultProxy
) -> None:
    (shard,) = narrow.loop(both.shards())
    proxy.close()
    proxy.cut()
    for call in (both.put(RECORDS, NEVER), both.read(shard, 0, 1), both.shards()):
        with pytest.raises(TransientError):
            narrow.loop(call)
    proxy.open()

    assert put_whole(narrow, both) == 1


def test_a_reply_that_drips_is_read_whole(narrow: Site, both: Both, proxy: FaultProxy) -> None:
    proxy.faults = Faults(drip=1_000)

    narrow.loop(both.put(RECORDS, soon()))

    assert stored(narrow, both) == RECORDS


def test_a_stream_that_was_removed_is_told_from_one_that_is_away(narrow: Site, both: Both) -> None:
    narrow.ask("DeleteStream")
    gone: list[type[Exception]] = []

    for _ in range(200):
        try:
            narrow.loop(both.put([("c", b"x")], soon()))
        except (NotFoundError, PermanentError) as error:
            gone.append(type(error))
            break
    assert gone
