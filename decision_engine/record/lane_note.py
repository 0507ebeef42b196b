"""What sequence 0 of a lane says: who writes it, and where the other lanes stood then."""

from collections.abc import Sequence
from typing import Final

from decision_engine.record.merkle import chain_hash
from decision_engine.record.statements import BatchRow
from domain.canonical import encode

#: What the column holds, in characters.
NOTE_MAX: Final = 2000


def lane_note(writer: str, heads: Sequence[BatchRow]) -> str:
    """
    Return the canonical note of a lane that begins.

    `heads` maps each other lane to its last sequence and the hash that its next batch must carry;
    the most recently written come first, and `left_out` counts those that do not fit. So whoever
    cuts a tail from an old lane must change a younger one as well.
    """
    newest = sorted(heads, key=lambda row: (-row.written_us, row.lane))
    named: dict[str, list[int | str]] = {}
    note = _text(writer, named, len(newest))
    for number, head in enumerate(newest, start=1):
        named[head.lane] = [head.sequence, _next_hash(head)]
        longer = _text(writer, named, len(newest) - number)
        if len(longer) > NOTE_MAX:
            break
        note = longer
    return note


def _text(writer: str, heads: dict[str, list[int | str]], left_out: int) -> str:
    return encode({"heads": heads, "left_out": left_out, "writer": writer}).decode()


def _next_hash(head: BatchRow) -> str:
    return chain_hash(head.lane, head.sequence, head.previous_hash, head.root, head.n).hex()
