"""Ed25519 signatures of evidence packs, with a key of a ring that `key` names."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final, Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from adapters.security.key_ring import KeyRing
from domain.errors import NotFoundError

ALGORITHM: Final = "Ed25519"


class SigningKey:
    """Signs with the current key of a ring; older ones are kept, so that their packs verify."""

    def __init__(self, ring: KeyRing) -> None:
        self._current = ring.current
        self._keys = {
            version: Ed25519PrivateKey.from_private_bytes(seed)
            for version, seed in ring.versions.items()
        }

    @classmethod
    def load_or_create(cls, path: Path) -> Self:
        """
        Read the keys of a file with mode 0600; it is made at first start.

        Raises:
            PermanentError: the file is not a key ring, or others may read it.
        """
        return cls(KeyRing.load_or_create(path))

    @classmethod
    def load(cls, path: Path) -> Self:
        """
        Read the keys of a file; none is ever made: its packs would prove nothing.

        Raises:
            NotFoundError: there is no such file.
            PermanentError: the file is not a key ring, or others may read it.
        """
        if not path.exists():
            raise NotFoundError("this folder has no signing key: start the platform on it first")
        return cls.load_or_create(path)

    def sign(self, message: bytes) -> dict[str, str]:
        """Return algorithm, key name, public key and signature (hex)."""
        return {
            "algorithm": ALGORITHM,
            "key": self._current,
            "public_key": self.public_keys()[self._current],
            "signature": self._keys[self._current].sign(message).hex(),
        }

    def public_keys(self) -> Mapping[str, str]:
        """Return the public key of each version (32 bytes in hex)."""
        return {
            version: key.public_key().public_bytes_raw().hex()
            for version, key in self._keys.items()
        }

    @property
    def current(self) -> str:
        """The version that signs."""
        return self._current
