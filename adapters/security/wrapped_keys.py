"""Where wrapped person keys lie: what the vault asks of a file or a database."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, repr=False)
class WrappedKey:
    """A person key under a version of the key-encryption key; None once destroyed."""

    kek_version: str
    wrapped: bytes | None


class KeyStore(Protocol):
    """
    A table of wrapped keys; every method blocks, is durable, and may be repeated without harm.

    All raise `TransientError` while the store is away.
    """

    def get(self, person_id: str) -> WrappedKey | None:
        """Return the stored key, a tombstone, or None."""

    def put_if_absent(self, person_id: str, key: WrappedKey) -> WrappedKey:
        """Keep the key unless there is one, or a tombstone; return what is stored."""

    def destroy(self, person_id: str) -> None:
        """Replace the key by a tombstone, which stays."""

    def close(self) -> None:
        """Let go of it; nothing is under way any more."""
