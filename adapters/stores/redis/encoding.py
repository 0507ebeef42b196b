"""
What stands under a key, and the script that guards it.

A value is one byte of layout, the version in eight bytes (big-endian), and the payload. Version 0
without a payload is a remembered absence. Whatever else is found was not written by this layout.
"""

import struct
from typing import Final

LAYOUT: Final = 1
_HEAD: Final = struct.Struct(">BQ")
HEAD_BYTES: Final = 9
VERSION_MAX: Final = 2**64 - 1
ABSENT: Final = (0, b"")

#: One script for values and absences, which touches one key, as a cluster demands. The version is
#: compared in halves: a number of Lua is a double and loses the low bits of a large one. A value
#: of another type or layout guards nothing and is replaced. An absence is older than any value.
KEEP: Final = b"""
local head = redis.pcall('GETRANGE', KEYS[1], 0, 9)
local new = ARGV[1]
if type(head) == 'string' and #head >= 9 and string.byte(head, 1) == string.byte(new, 1) then
  local held_high, held_low = struct.unpack('>I4I4', string.sub(head, 2, 9))
  local new_high, new_low = struct.unpack('>I4I4', string.sub(new, 2, 9))
  if held_high > new_high or (held_high == new_high and held_low > new_low) then return 0 end
  if #new == 9 and new_high == 0 and new_low == 0 and #head > 9 then return 0 end
end
redis.call('SET', KEYS[1], new, 'PX', ARGV[2])
return 1
"""


def encode(version: int, payload: bytes) -> bytes:
    """
    Return the bytes to keep.

    Raises:
        ValueError: a version below 0 or above `VERSION_MAX`.
    """
    if not 0 <= version <= VERSION_MAX:
        raise ValueError("a version of the cache has 64 bits")
    return _HEAD.pack(LAYOUT, version) + payload


def decode(data: bytes) -> tuple[int, bytes] | None:
    """Return (version, payload), or None for bytes that this layout did not write."""
    if len(data) < HEAD_BYTES or data[0] != LAYOUT:
        return None
    return (int.from_bytes(data[1:HEAD_BYTES]), data[HEAD_BYTES:])
