"""
Token buckets on Redis: one script, one key, the server's clock.

The arithmetic is that of `domain.rate_limit.Bucket`. A bucket that would be full again is
forgotten by its time to live, and full is what an unknown one is, so eviction and a flush cost
at most one burst. Units stay below 2**53, where the doubles of Lua are whole numbers.
"""

import hashlib
from typing import Final

from adapters.stores.redis.commands import Command, pack
from adapters.stores.redis.lines import Lines
from domain.errors import TransientError
from domain.ports.limits import Drawn
from domain.ports.time import Deadline
from domain.rate_limit import Limit

#: ARGV: units a microsecond, units of a full bucket, tokens asked, tokens owed, and an instant in
#: microseconds; 0 is the server's own. What another program left under the key is a full bucket.
DRAW: Final = b"""
local rate, full = tonumber(ARGV[1]), tonumber(ARGV[2])
local now = tonumber(ARGV[5])
if now == 0 then
  local time = redis.call('TIME')
  now = time[1] * 1000000 + time[2]
end
local held = redis.pcall('GET', KEYS[1])
local level, at
if type(held) == 'string' then level, at = string.match(held, '^(-?%d+) (%d+)$') end
level, at = tonumber(level or full), tonumber(at or now)
if now > at then level = level + (now - at) * rate end
level = math.min(full, level) - ARGV[4] * 1000000
local given = math.max(0, math.min(tonumber(ARGV[3]), math.floor(level / 1000000)))
level = level - given * 1000000
local ms = math.ceil((full - level) / rate / 1000) + 1000
redis.call('SET', KEYS[1], string.format('%.0f %.0f', level, now), 'PX', string.format('%.0f', ms))
return string.format('%.0f %.0f', given, level)
"""
DRAW_SHA: Final = hashlib.sha1(DRAW, usedforsecurity=False).hexdigest().encode()
#: A caller's name is not shown to whoever may list keys, and a key's length is bounded.
NAME_BYTES: Final = 16


class RedisBuckets:
    """Implements `domain.ports.limits.SharedBuckets`; no method raises but a `TransientError`."""

    def __init__(self, lines: Lines, prefix: str = "", at_us: int = 0) -> None:
        """Take the connections; `at_us` other than 0 stands for the server's clock."""
        self._lines, self._prefix = lines, prefix.encode()
        self.at_us = at_us

    async def draw(
        self, key: str, limit: Limit, asked: int, owed: int, deadline: Deadline
    ) -> Drawn:
        """See `SharedBuckets.draw`."""
        command = drawing(self._prefix + bucket_key(key), limit, (asked, owed, self.at_us))
        reply = await self._lines.here().write(command, deadline)
        try:
            given, level = (reply or b"").split()
            return Drawn(int(given), int(level))
        except ValueError:
            raise TransientError("the server's answer is not that of our script") from None


def bucket_key(name: str) -> bytes:
    """Return the key of a bucket, with a digest of who it is for."""
    digest = hashlib.blake2b(name.encode(), digest_size=NAME_BYTES).hexdigest()
    return b"rate:" + digest.encode()


def drawing(key: bytes, limit: Limit, numbers: tuple[int, int, int]) -> Command:
    """Return a draw; `numbers` are tokens asked, tokens owed, and the instant or 0."""
    rest = (b"1", key, *(b"%d" % each for each in (limit.rate, limit.units, *numbers)))
    return Command(pack(b"EVALSHA", DRAW_SHA, *rest), pack(b"EVAL", DRAW, *rest), key=key)
