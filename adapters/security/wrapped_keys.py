"""Where wrapped person keys lie: what the vault asks of a file or a database."""

from dataclasses import dataclass
from typing import Final, Protocol

from domain.errors import GoneError, PermanentError


@dataclass(frozen=True, slots=True, repr=False)
class WrappedKey:
    """A person key under a version of the key-encryption key; None once destroyed."""

    kek_version: str
    wrapped: bytes | None


#: In place of a key's version: the row says under which index the person of a CPF is known.
ELSEWHERE: Final = "elsewhere"


def pointing_to(index: str) -> WrappedKey:
    """Return a row that stands where a key of another version of the index would."""
    return WrappedKey(ELSEWHERE, index.encode())


def pointed_to(row: WrappedKey) -> str | None:
    """Return the index that a row points to, or None for a key or a tombstone."""
    if row.kek_version != ELSEWHERE or row.wrapped is None:
        return None
    return row.wrapped.decode()


class KnownElsewhereError(PermanentError):
    """The person of this index is known under another one."""

    def __init__(self, index: str) -> None:
        super().__init__("this person is known under another version of the index key")
        self.index = index


def key_in(row: WrappedKey) -> bytes:
    """
    Return the wrapped key of a row.

    Raises:
        GoneError: it is a tombstone.
        KnownElsewhereError: it points to the person's index.
    """
    index = pointed_to(row)
    if index is not None:
        raise KnownElsewhereError(index)
    if row.wrapped is None:
        raise GoneError("the key of this person has been destroyed")
    return row.wrapped


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
