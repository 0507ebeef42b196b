"""Kinesis in memory, at the level of its JSON: shards, iterators, and the failures a test wants."""

import base64
import itertools
import json
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final

from adapters.aws.errors import service_error
from domain.ports.time import Deadline

BAD_REQUEST: Final = 400
STREAM: Final = "events"
THROTTLED: Final = "ProvisionedThroughputExceededException"
#: Sequence numbers have 56 digits.
FIRST: Final = 10**55


class Fate(Enum):
    """What becomes of one record of a call, and what the reply says."""

    STORED = "it is stored"
    THROTTLED = "it is not stored"
    LOST_SIGHT = "it is stored, and called failed"
    OVERTAKEN = "it is stored behind everything else of its call"


@dataclass(slots=True)
class FakeShard:
    """A shard's records as (number, key, data, arrival in seconds)."""

    parents: tuple[str, ...] = ()
    records: list[tuple[int, str, bytes, float]] = field(default_factory=list)
    closed: bool = False


def refusal(code: str) -> Exception:
    """The client's exception for a code."""
    body = json.dumps({"__type": f"com.amazonaws.kinesis#{code}"}).encode()
    return service_error(BAD_REQUEST, body)


@dataclass(slots=True)
class FakeKinesis:
    """
    Implements `adapters.streams.kinesis_api.Calls`.

    `fates` say what becomes of records, in the order they come; then all are stored. `before` and
    `after` run around an operation, and may raise. `chatter` empty pages come before each record.
    """

    shards: dict[str, FakeShard] = field(default_factory=lambda: {"shard-0": FakeShard()})
    fates: deque[Fate] = field(default_factory=deque)
    before: Callable[[str], None] = lambda _operation: None
    after: Callable[[str], None] = lambda _operation: None
    waits_max: int = 1_000
    chatter: int = 0
    page_max: int = 10_000
    summary: dict[str, Any] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    waits: list[int] = field(default_factory=list)
    expired: set[str] = field(default_factory=set)
    _number: Any = field(default_factory=lambda: itertools.count(FIRST))
    _tokens: dict[str, tuple[str, int, int]] = field(default_factory=dict)

    async def call(self, target: str, payload: bytes, deadline: Deadline) -> bytes:
        operation = target.rpartition(".")[2]
        fields = json.loads(payload)
        self.asked.append((operation, fields))
        self.before(operation)
        reply = getattr(self, f"_{operation}")(fields)
        self.after(operation)
        return json.dumps(reply).encode()

    async def wait(self, attempt: int, deadline: Deadline) -> bool:
        self.waits.append(attempt)
        return len(self.waits) <= self.waits_max

    def operations(self, name: str) -> list[dict[str, Any]]:
        return [fields for operation, fields in self.asked if operation == name]

    def add(self, shard_id: str, *data: bytes, at: float = 0.0) -> list[int]:
        added = [(next(self._number), "key", each, at) for each in data]
        self.shards[shard_id].records += added
        return [number for number, *_ in added]

    def split(self, shard_id: str, *children: str) -> None:
        self.shards[shard_id].closed = True
        self.shards.update({child: FakeShard((shard_id,)) for child in children})

    def stored(self, shard_id: str = "shard-0") -> list[tuple[str, bytes]]:
        return [(key, data) for _, key, data, _ in self.shards[shard_id].records]

    # --- the operations ------------------------------------------------------------------------

    def _PutRecords(self, fields: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        entries = fields["Records"]
        fates = [self.fates.popleft() if self.fates else Fate.STORED for _ in entries]
        numbers: dict[int, int] = {}
        late = [place for place, fate in enumerate(fates) if fate is Fate.OVERTAKEN]
        for place in [*(set(range(len(entries))) - set(late)), *reversed(late)]:
            if fates[place] is not Fate.THROTTLED:
                entry = entries[place]
                numbers[place] = next(self._number)
                record = (entry["PartitionKey"], base64.b64decode(entry["Data"]), 0.0)
                self.shards["shard-0"].records.append((numbers[place], *record))
        replies = [self._put_reply(fate, numbers.get(place)) for place, fate in enumerate(fates)]
        failed = sum("ErrorCode" in reply for reply in replies)
        return {"FailedRecordCount": failed, "Records": replies}

    @staticmethod
    def _put_reply(fate: Fate, number: int | None) -> dict[str, Any]:
        if fate is Fate.THROTTLED:
            return {"ErrorCode": THROTTLED, "ErrorMessage": "slower"}
        if fate is Fate.LOST_SIGHT:
            return {"ErrorCode": "InternalFailure", "ErrorMessage": "Internal service failure."}
        return {"ShardId": "shard-0", "SequenceNumber": str(number)}

    def _DescribeStreamSummary(self, _: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        known = {
            "StreamName": STREAM, "StreamStatus": "ACTIVE", "RetentionPeriodHours": 24,
            "StreamCreationTimestamp": 1.8e9, "OpenShardCount": 1,
        }  # fmt: skip
        return {"StreamDescriptionSummary": {**known, **self.summary}}

    def _ListShards(self, fields: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        assert ("NextToken" in fields) != ("StreamName" in fields)
        names = list(self.shards)
        begin = int(fields.get("NextToken", 0))
        page: dict[str, Any] = {"Shards": [self._listed(name) for name in names[begin:][:2]]}
        if names[begin + 2 :]:
            page["NextToken"] = str(begin + 2)
        return page

    def _listed(self, name: str) -> dict[str, Any]:
        shard = self.shards[name]
        numbers = {"StartingSequenceNumber": "1"}
        if shard.closed:
            numbers["EndingSequenceNumber"] = "9223372036854775807"
        roles = ("ParentShardId", "AdjacentParentShardId")
        parents = dict(zip(roles, shard.parents, strict=False))
        return {"ShardId": name, "SequenceNumberRange": numbers, **parents}

    def _GetShardIterator(self, fields: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        if fields["ShardId"] not in self.shards:
            raise refusal("ResourceNotFoundException")
        after = int(fields.get("StartingSequenceNumber", 0))
        assert (fields["ShardIteratorType"] == "TRIM_HORIZON") == (after == 0)
        return {"ShardIterator": self._token(fields["ShardId"], after)}

    def _GetRecords(self, fields: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        token = fields["ShardIterator"]
        if token in self.expired:
            raise refusal("ExpiredIteratorException")
        name, after, idle = self._tokens[token]
        shard = self.shards[name]
        found = [record for record in shard.records if record[0] > after]
        if found and idle < self.chatter:
            following = self._token(name, after, idle + 1)
            return {"Records": [], "MillisBehindLatest": 7, "NextShardIterator": following}
        page = found[: min(fields["Limit"], self.page_max)]
        left = found[len(page) :]
        reply: dict[str, Any] = {"Records": [_read(*record) for record in page]}
        reply["MillisBehindLatest"] = len(left)
        if left or not shard.closed:
            reply["NextShardIterator"] = self._token(name, page[-1][0] if page else after)
        return reply

    def _token(self, name: str, after: int, idle: int = 0) -> str:
        token = f"iterator-{len(self._tokens)}"
        self._tokens[token] = (name, after, idle)
        return token


def last_appearances(stored: Sequence[tuple[str, bytes]]) -> dict[str, list[bytes]]:
    """What a reader keeps that takes the last appearance of each record, by key."""
    found: dict[str, dict[bytes, None]] = {}
    for key, data in stored:
        of_key = found.setdefault(key, {})
        of_key.pop(data, None)
        of_key[data] = None
    return {key: list(data) for key, data in found.items()}


def by_key(records: Iterable[tuple[str, bytes]]) -> dict[str, list[bytes]]:
    found: dict[str, list[bytes]] = {}
    for key, data in records:
        found.setdefault(key, []).append(data)
    return found


def _read(number: int, key: str, data: bytes, at: float) -> dict[str, Any]:
    return {
        "SequenceNumber": str(number), "PartitionKey": key, "ApproximateArrivalTimestamp": at,
        "Data": base64.b64encode(data).decode(),
    }  # fmt: skip
