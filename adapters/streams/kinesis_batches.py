"""How records travel to Kinesis in calls, and what of a call has to travel again; pure."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from domain.errors import InvalidInputError

RECORD_BYTES_MAX: Final = 1 << 20
KEY_CHARS_MAX: Final = 256
#: Kinesis takes 10 MiB a call since 2025, 5 MiB before that and in its emulators.
CALL_BYTES_MAX: Final = 5 << 20
CALL_RECORDS_MAX: Final = 500

Record = tuple[str, bytes]


class Put(NamedTuple):
    """What became of one record of a call: where it lies, or the code of its failure."""

    shard_id: str = ""
    sequence: int = 0
    error: str = ""


def check(key: str, data: bytes) -> None:
    """
    Do nothing for a record that may be put.

    Raises:
        InvalidInputError: its key or its data is too long; a larger one needs a claim check.
    """
    if not 0 < len(key) <= KEY_CHARS_MAX:
        raise InvalidInputError.at("", "partition-key", f"1 to {KEY_CHARS_MAX} characters")
    if not key.isascii() and any("\ud800" <= letter <= "\udfff" for letter in key):
        raise InvalidInputError.at("", "partition-key", "half a character cannot be a key")
    if len(data) > RECORD_BYTES_MAX:
        raise InvalidInputError.at("", "record-too-large", "a record is at most 1 MiB")


def fitting(records: Sequence[Record]) -> int:
    """Return how many of the first records one call takes, at least one."""
    size = 0
    for number, (key, data) in enumerate(records[:CALL_RECORDS_MAX]):
        size += len(key.encode()) + len(data)
        if size > CALL_BYTES_MAX and number:
            return number
    return min(len(records), CALL_RECORDS_MAX)


def unsettled(records: Sequence[Record], puts: Sequence[Put]) -> list[Record]:
    """
    Return the records of a call that have to travel again, in their order.

    Of each key they are all from the first one on that failed or came to lie before its
    predecessor: Kinesis tries every record of a call and promises no order among them. What is
    repeated so stands twice, and the last appearances of a key's records are in order.
    """
    last: dict[str, Put] = {}
    broken: set[str] = set()
    again: list[Record] = []
    for record, put in zip(records, puts, strict=True):
        key = record[0]
        if put.error or _overtaken(last.get(key), put):
            broken.add(key)
        if key in broken:
            again.append(record)
        last[key] = put
    return again


def _overtaken(before: Put | None, put: Put) -> bool:
    """Numbers tell an order within a shard only; a key changes its shard when that one closes."""
    return before is not None and before.shard_id == put.shard_id and put.sequence < before.sequence
