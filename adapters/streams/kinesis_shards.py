"""Shards by descent: what was split or merged is read to its end before what came of it; pure."""

from collections.abc import Collection, Iterable, Mapping

from adapters.streams.kinesis_api import Shard


def by_descent(shards: Iterable[Shard]) -> list[Shard]:
    """Return the shards as listed, but each behind its parents."""
    known = {shard.shard_id: shard for shard in shards}
    ordered: dict[str, Shard] = {}
    for shard in known.values():
        _add(shard, known, ordered)
    return list(ordered.values())


def waits(shard: Shard, listed: Collection[str], ended: Collection[str]) -> bool:
    """Tell whether a parent may hold records that are not handled; a forgotten one holds none."""
    return any(parent in listed and parent not in ended for parent in shard.parents)


def _add(shard: Shard, known: Mapping[str, Shard], ordered: dict[str, Shard]) -> None:
    """Add what a shard descends from, and then itself; without recursion, for long descents."""
    stack = [shard]
    while stack:
        last = stack[-1]
        missing = [
            known[parent]
            for parent in last.parents
            if parent in known and parent not in ordered and known[parent] not in stack
        ]
        if missing:
            stack += missing
        else:
            ordered[last.shard_id] = stack.pop()
