"""Keyed hashes of what callers send: commands (for idempotency) and page cursors."""

import hashlib
import hmac
from pathlib import Path
from typing import Self

from adapters.security.key_ring import KeyRing
from domain.canonical import encode


class RequestKeys:
    """
    Keyed hashes under one secret, separated by purpose.

    Stored command hashes are compared with fresh ones for years, so they always use the oldest
    version of the ring; cursors live for minutes and use it too.
    """

    def __init__(self, secret: bytes) -> None:
        # A copy of a keyed hash costs half of keying one anew.
        self._command = hmac.new(hmac.digest(secret, b"command", hashlib.sha256), None, "sha256")
        self._cursor_key = hmac.digest(secret, b"cursor", hashlib.sha256)

    @classmethod
    def load_or_create(cls, path: Path) -> Self:
        """
        Read the secret of a file with mode 0600; it is made at first start.

        Raises:
            PermanentError: the file is not a key ring, or others may read it.
        """
        versions = KeyRing.load_or_create(path).versions
        return cls(versions[min(versions, key=int)])

    def command_hash(self, route: str, command: object) -> str:
        """Return the hash of a route's command in its plain canonical form."""
        keyed = self._command.copy()
        keyed.update(b"%s\n%s" % (route.encode(), encode(command)))
        return keyed.hexdigest()

    def cursor_tag(self, text: bytes) -> bytes:
        """Return the 16 bytes that prove a cursor to be ours."""
        return hmac.digest(self._cursor_key, text, hashlib.sha256)[:16]
