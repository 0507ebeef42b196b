"""
Anchors: where each lane's chain stood, kept outside the ledger.

Who can change the ledger can make its chains whole again, or cut their tails. Not so that they
still fit heads that were written down elsewhere. Anchors are chained themselves: each names the
hash of the one before and the lanes that moved since.
"""

import hashlib
import json
import struct
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from decision_engine.record.merkle import GENESIS, chain_hash
from decision_engine.record.statements import BatchRow, ReadLaneHeads
from decision_engine.record.verify import Fault
from domain.canonical import encode
from domain.errors import InvalidInputError, PermanentError
from domain.instants import epoch_micros
from domain.ports.monitoring import Monitoring
from domain.ports.time import Clock, Deadline
from domain.ports.truth import Truth

ANCHOR: Final = b"\x03"
FORMAT: Final = 1
TIMEOUT_S: Final = 10.0
PAGE: Final = 1_000
PACKED: Final = struct.Struct(">q32s")


@dataclass(frozen=True, slots=True)
class Head:
    """A place of a lane's chain: the hash that the batch after it carries."""

    lane: str
    sequence: int
    chain: bytes

    @classmethod
    def of(cls, row: BatchRow) -> "Head":
        """Return the head that a lane has after a batch."""
        chain = chain_hash(row.lane, row.sequence, row.previous_hash, row.root, row.n)
        return cls(row.lane, row.sequence, chain)


@dataclass(frozen=True, slots=True)
class Anchor:
    """The heads of the lanes that moved; numbers count from 0, the first `previous` is zeros."""

    number: int
    at_us: int
    heads: tuple[Head, ...]
    previous: bytes

    @property
    def hash(self) -> bytes:
        """What the next anchor names as `previous`."""
        return hashlib.sha256(ANCHOR + encode(self._members())).digest()

    def to_bytes(self) -> bytes:
        """Return the canonical bytes, one line."""
        return encode({**self._members(), "hash": self.hash.hex()})

    @classmethod
    def parse(cls, line: bytes) -> "Anchor":
        """
        Read what `to_bytes` gave.

        Raises:
            InvalidInputError: it is not an anchor, or not as it was written.
        """
        try:
            anchor = cls._of(json.loads(line))
            if anchor.to_bytes() == line:
                return anchor
        except (ValueError, KeyError, TypeError, AttributeError):
            # What is wrong with it helps nobody: it was changed, or is something else.
            pass
        raise InvalidInputError("this is not an anchor as it was written")

    @classmethod
    def _of(cls, members: Mapping[str, Any]) -> "Anchor":
        return cls(
            members["number"],
            members["at_us"],
            tuple(Head(lane, number, _hash(chain)) for lane, number, chain in members["heads"]),
            _hash(members["previous"]),
        )

    def _members(self) -> dict[str, object]:
        return {
            "anchor": FORMAT,
            "number": self.number,
            "at_us": self.at_us,
            "heads": [[head.lane, head.sequence, head.chain.hex()] for head in self.heads],
            "previous": self.previous.hex(),
        }


class AnchorStore(Protocol):
    """
    Keeps anchors outside the ledger, for good: what was appended is never changed or removed.

    One writer at a time. Besides the file of `adapters.stores.embedded.anchor_file`, an adapter
    for objects under a retention lock (S3 Object Lock in compliance mode) fits: one object an
    anchor, its number as the key in fixed width, written only if absent, its bytes those of
    `Anchor.to_bytes`.
    """

    async def append(self, anchor: Anchor, deadline: Deadline) -> None:
        """
        Keep an anchor; it is durable once this returns.

        Raises:
            ConflictError: somebody else has appended since this store was read.
            TransientError: it may be kept or not; read again before appending.
        """

    async def read(self, after: int, limit: int, deadline: Deadline) -> list[Anchor]:
        """
        Return up to `limit` anchors with numbers above `after` (-1: from the first), in order.

        Raises:
            PermanentError: what is kept is not as it was written.
            TransientError: the store is away.
        """


@dataclass(slots=True)
class AnchoredHeads:
    """All heads of a chain of anchors, 40 bytes each, and what is wrong with the chain."""

    lanes: dict[str, bytearray] = field(default_factory=dict)
    anchors: int = 0
    last: Anchor | None = None
    faults: list[Fault] = field(default_factory=list)

    def add(self, anchor: Anchor) -> None:
        """Go on with the next anchor."""
        number, previous = (self.last.number + 1, self.last.hash) if self.last else (0, GENESIS)
        if (anchor.number, anchor.previous) != (number, previous):
            self.faults.append(Fault("anchor-chain-broken", f"anchor {anchor.number}"))
        for head in anchor.heads:
            packed = self.lanes.setdefault(head.lane, bytearray())
            if packed and PACKED.unpack(packed[-PACKED.size :])[0] >= head.sequence:
                self.faults.append(Fault("anchor-backwards", f"{head.lane}/{head.sequence}"))
            else:
                packed += PACKED.pack(head.sequence, head.chain)
        self.anchors += 1
        self.last = anchor

    def heads(self) -> Mapping[str, Iterable[tuple[int, bytes]]]:
        """Return the heads of each lane in order."""
        return {lane: _Unpacked(packed) for lane, packed in self.lanes.items()}


@dataclass(frozen=True, slots=True)
class _Unpacked:
    packed: bytearray

    def __iter__(self) -> Iterator[tuple[int, bytes]]:
        return PACKED.iter_unpack(self.packed)


@dataclass(slots=True)
class AnchorKeeper:
    """
    Writes down where the lanes stand, when something moved since the last time.

    It never anchors backwards: a ledger that lies behind its anchors, or differs from them, is
    counted and told (`anchor_refused`), and stays so for `verify` to find.
    """

    truth: Truth
    store: AnchorStore
    clock: Clock
    monitoring: Monitoring
    _last: Anchor | None = None
    _known: dict[str, Head] = field(default_factory=dict)
    _read: bool = False

    async def run_once(self) -> int:
        """
        Append one anchor if a lane moved; return how many lanes did.

        Raises:
            CreditError: nothing is lost: call again later.
        """
        deadline = Deadline.after(self.clock, TIMEOUT_S)
        await self._read_kept(deadline)
        (rows,) = await self.truth.read([ReadLaneHeads()], deadline)
        moved = tuple(head for head in map(Head.of, rows) if self._moved(head))
        if not moved:
            return 0
        number, previous = (self._last.number + 1, self._last.hash) if self._last else (0, GENESIS)
        anchor = Anchor(number, epoch_micros(self.clock.now()), moved, previous)
        # Until the store has said yes, only the store knows what it holds.
        self._read = False
        await self.store.append(anchor, deadline)
        self._keep(anchor)
        self._read = True
        self.monitoring.count("anchors_written")
        return len(moved)

    def _moved(self, head: Head) -> bool:
        known = self._known.get(head.lane)
        if known is None or head.sequence > known.sequence:
            return True
        if head != known:
            self.monitoring.count("anchor_refused")
            self.monitoring.event(
                "ledger_is_behind_its_anchors", level="error", lane=head.lane, at=head.sequence
            )
        return False

    async def _read_kept(self, deadline: Deadline) -> None:
        while not self._read:
            after = self._last.number if self._last else -1
            page = await self.store.read(after, PAGE, deadline)
            for anchor in page:
                if self._last is not None and anchor.previous != self._last.hash:
                    raise PermanentError("the anchors are no chain")
                self._keep(anchor)
            self._read = len(page) < PAGE

    def _keep(self, anchor: Anchor) -> None:
        self._last = anchor
        self._known.update((head.lane, head) for head in anchor.heads)


def _hash(text: str) -> bytes:
    held = bytes.fromhex(text)
    if len(held) != len(GENESIS):
        raise ValueError("not a hash")
    return held
