"""Faults of the network at every packet of a batch: trip 1, trip 2 with COMMIT, the answers."""

import asyncio
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from decision_engine.record.entry import Done, Entry, Known
from tests.integration.ledger_faults.bank import LIMIT, Bank
from tests.integration.ledger_faults.desk import Desk, desk
from tests.services.proxy import NONE, FaultProxy, Faults, Part, Verdict, Way, proxied
from tests.unit.record.toy import entry

HEAD: Final = 4
#: A packet that does not come is given up after this: every half-open case costs so much.
TRIP_S: Final = 0.25
LATE_S: Final = (0.0, 0.02, 0.2)
ASKERS: Final = 5
KINDS: Final = ("approvals", "refusals")
SEEN: Final = ("sees", "seen", "saw")


class Spot(Enum):
    """Where in a packet."""

    BEFORE = "before its first byte"
    HEAD = "within its length"
    MIDDLE = "in its middle"


@dataclass(slots=True)
class Packets:
    """Finds the packets in the bytes of one way: three bytes of length, one of number."""

    #: Where packets begin, and the lengths of those whose heads have come.
    begins: list[int] = field(default_factory=lambda: [0])
    sizes: list[int] = field(default_factory=list)
    _head: bytearray = field(default_factory=bytearray)
    _at: int = 0

    def feed(self, data: bytes) -> tuple[int, int]:
        """Take bytes as they come; return where they begin and end."""
        before, at = self._at, 0
        while at < len(data):
            if len(self.sizes) < len(self.begins):
                missing = HEAD - len(self._head)
                self._head += data[at : at + missing]
                at = min(len(data), at + missing)
                if len(self._head) == HEAD:
                    self.sizes.append(int.from_bytes(self._head[:3], "little"))
                    self._head.clear()
            end = self._end()
            if end is not None:
                at = min(len(data), max(at, end - before))
                if before + at >= end:
                    self.begins.append(end)
        self._at += len(data)
        return before, self._at

    def _end(self) -> int | None:
        """Return where the packet ends that has begun, None while its head is on the way."""
        if len(self.sizes) < len(self.begins):
            return None
        return self.begins[-1] + HEAD + self.sizes[-1]

    def place(self, packet: int, spot: Spot) -> int | None:
        """Return where that spot is, None while nobody can know."""
        if spot is Spot.MIDDLE:
            known = packet < len(self.sizes)
            return self.begins[packet] + (HEAD + self.sizes[packet]) // 2 if known else None
        if packet >= len(self.begins):
            return None
        return self.begins[packet] + (2 if spot is Spot.HEAD else 0)


@dataclass(frozen=True, slots=True)
class Case:
    """A fault at one spot of one packet of a way."""

    way: Way
    packet: int
    spot: Spot
    verdict: Verdict
    late_s: float = 0.0

    def faults(self, struck: list["Case"]) -> Faults:
        """Return what the proxy does, once; then it says so."""
        packets = Packets()

        def judge(way: Way, data: bytes) -> Verdict | Part:
            if struck or way is not self.way:
                return Verdict.PASS
            before, end = packets.feed(data)
            place = packets.place(self.packet, self.spot)
            if place is None or place > end or (place == end and not self._may_end):
                return Verdict.PASS
            struck.append(self)
            return Part(max(0, place - before), self.verdict)

        return Faults(judge=judge, late_s=self.late_s)

    @property
    def _may_end(self) -> bool:
        """Whether the fault comes as soon as all before it has passed, or with what is next."""
        return self.verdict is Verdict.CUT


def check_packets(bank: Bank, keep: int, seed: int) -> Mapping[str, int]:
    """Break batches of approvals and of refusals in every way of `cases`, or in one of `keep`."""
    bank.add_persons(("warm", *(f"{kind}-{number}" for kind in KINDS for number in SEEN)))
    return asyncio.run(_broken(bank, keep, seed))


async def _broken(bank: Bank, keep: int, seed: int) -> Mapping[str, int]:
    tally: Counter[str] = Counter()
    with proxied(bank.address.port) as proxy:
        # Look-ups go straight: what they meet is told by other tests, and here they ask again.
        address = bank.through(proxy.port)
        async with desk(address, lookups=bank.address, trip_seconds=TRIP_S) as made:
            await _batch(made, [entry("warm", person="warm", limit=LIMIT)])
            for kind in KINDS:
                packets = await _counted(made, proxy, kind)
                tally.update(
                    {f"{kind} {way.name} packets": count for way, count in packets.items()}
                )
                some = [one for turn, one in enumerate(cases(packets)) if (turn + seed) % keep == 0]
                bank.add_persons(f"{kind}-{turn:04d}" for turn in range(len(some)))
                for turn, case in enumerate(some):
                    await _one(bank, made, proxy, (kind, f"{turn:04d}"), case)
                tally.update(f"{case.verdict.name} {case.way.name}" for case in some)
            faults = bank.faults(made)
            assert not faults, faults
            # Each of both connections, and those of the look-ups.
            assert len(bank.sessions()) <= 2 + 4, bank.sessions()
    await bank.left_alone()
    return {
        **tally,
        **{name: made.seen.counts[name] for name in sorted(made.seen.counts) if "recover" in name},
        **{f"told {name}": number for name, number in made.errors.items()},
    }


async def _counted(made: Desk, proxy: FaultProxy, kind: str) -> Mapping[Way, int]:
    """Return of how many packets one batch is, both ways; a full machine may make two of it."""
    counts = [await _packets(made, proxy, (kind, number)) for number in SEEN]
    return {way: min(count[way] for count in counts) for way in Way}


async def _packets(made: Desk, proxy: FaultProxy, batch: tuple[str, str]) -> Mapping[Way, int]:
    seen = {way: Packets() for way in Way}

    def judge(way: Way, data: bytes) -> Verdict:
        seen[way].feed(data)
        return Verdict.PASS

    proxy.faults = Faults(judge=judge)
    await _batch(made, _entries(*batch))
    proxy.faults = NONE
    return {way: len(packets.sizes) for way, packets in seen.items()}


def cases(packets: Mapping[Way, int]) -> Iterator[Case]:
    """Yield every fault; an end at the very end of an answer is a fault as well."""
    for way, count in packets.items():
        for packet in range(count):
            for spot in Spot:
                for verdict in (Verdict.CUT, Verdict.RESET, Verdict.DROP):
                    yield Case(way, packet, spot, verdict)
                if way is Way.REQUEST:
                    for late_s in LATE_S:
                        yield Case(way, packet, spot, Verdict.LATE, late_s)
        yield Case(way, count, Spot.BEFORE, Verdict.CUT)


def _entries(kind: str, number: str) -> list[Entry]:
    """Return a batch of refusals, which lock nobody, or one in which three of four fit as well."""
    key, asks = f"{kind}-{number}", 0 if kind == "refusals" else ASKERS - 1
    return [
        *(entry(f"{key}/{turn}", person=key, limit=LIMIT) for turn in range(asks)),
        *(entry(f"{key}/no/{turn}", person=key, limit=0, amount=600_00) for turn in range(2)),
    ]


async def _batch(made: Desk, entries: Sequence[Entry]) -> None:
    results = await asyncio.gather(*(made.settle(each) for each in entries))
    assert all(isinstance(each, Done | Known) for each in results)


async def _one(
    bank: Bank, made: Desk, proxy: FaultProxy, batch: tuple[str, str], case: Case
) -> None:
    entries = _entries(*batch)
    struck: list[Case] = []
    proxy.faults = case.faults(struck)
    try:
        # First as clients do, who get a reply or an error; then with the same keys until a reply.
        await asyncio.gather(*(made.ask(each) for each in entries))
        proxy.faults = NONE
        await _batch(made, entries)
        await bank.settled()
    except (AssertionError, TimeoutError) as error:
        raise AssertionError(f"{case}: {error}") from error
    finally:
        proxy.faults = NONE
    assert struck == [case], f"{case} did not happen"
