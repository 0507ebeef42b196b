"""How processes that share a vault know that they use the same index key."""

import hashlib
import hmac
from collections.abc import Iterator
from typing import Final

from adapters.security.key_ring import KeyRing
from adapters.security.wrapped_keys import WrappedKey
from domain.errors import PermanentError

#: No person has such an id.
WITNESS: Final = "!witness"


def marks(index: KeyRing) -> Iterator[tuple[str, WrappedKey]]:
    """Return a row for each version of the index key, which tells it and does not betray it."""
    for version, secret in index.versions.items():
        mark = hmac.digest(secret, b"witness of the index key", hashlib.sha256)
        yield f"{WITNESS}.index.{version}", WrappedKey(version, mark)


def same(stored: WrappedKey, mark: WrappedKey) -> None:
    """
    Do nothing for a row that this process would have written.

    Raises:
        PermanentError: it was written with another key.
    """
    if not hmac.compare_digest(stored.wrapped or b"", mark.wrapped or b""):
        raise PermanentError(
            "the index key is not the one of this vault: all processes need the same files"
        )
