"""
Page cursors: opaque, and bound to the list that they were made for.

A cursor is the last place of a page with a keyed tag over it and over the query's filters, so
that nobody can make one, or carry it to another list.
"""

import base64
import binascii
import hmac
import json
from dataclasses import dataclass
from typing import Final

from adapters.inbound.http.refusals import ProblemError, refused
from adapters.security.request_keys import RequestKeys

TAG_BYTES: Final = 16
CURSOR_LENGTH_MAX: Final = 512

Place = tuple[int, str]


@dataclass(frozen=True, slots=True)
class Cursors:
    """Seals and opens cursors."""

    keys: RequestKeys

    def seal(self, place: Place | None, purpose: str) -> str | None:
        """Return the cursor of a place; None on the last page."""
        if place is None:
            return None
        payload = json.dumps(place, ensure_ascii=False, separators=(",", ":")).encode()
        return base64.urlsafe_b64encode(self._tag(payload, purpose) + payload).decode()

    def open(self, cursor: str | None, purpose: str) -> Place | None:
        """
        Return the place of a cursor; None without one.

        Raises:
            ProblemError: `cursor-invalid`, it was not made here for this list.
        """
        if cursor is None:
            return None
        sealed = _bytes_of(cursor)
        tag, payload = sealed[:TAG_BYTES], sealed[TAG_BYTES:]
        if not hmac.compare_digest(tag, self._tag(payload, purpose)):
            raise _invalid()
        instant, identity = json.loads(payload)
        return int(instant), str(identity)

    def _tag(self, payload: bytes, purpose: str) -> bytes:
        return self.keys.cursor_tag(purpose.encode() + b"\n" + payload)


def _bytes_of(cursor: str) -> bytes:
    if len(cursor) > CURSOR_LENGTH_MAX:
        raise _invalid()
    try:
        return base64.b64decode(cursor.encode("ascii"), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise _invalid() from None


def _invalid() -> ProblemError:
    return refused("/query/cursor", "cursor-invalid", "take next_cursor of this very list")
