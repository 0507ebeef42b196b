"""Several versions of one secret, the newest in use and the older ones still known."""

import base64
import binascii
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from adapters.security.key_files import read_or_create, replace_secret
from domain.errors import PermanentError

SECRET_BYTES: Final = 32


@dataclass(frozen=True, slots=True, repr=False)
class KeyRing:
    """Secrets by version; `current` names the one to write with, all may be read with."""

    current: str
    versions: Mapping[str, bytes]

    @classmethod
    def load_or_create(cls, path: Path) -> Self:
        """
        Read the ring of a file with mode 0600, made with one fresh secret at first start.

        Raises:
            PermanentError: the file is not a key ring, or others may read it.
        """
        fresh = cls("1", {"1": secrets.token_bytes(SECRET_BYTES)})
        return cls._from_bytes(read_or_create(path, fresh.to_bytes), path.name)

    @property
    def secret(self) -> bytes:
        """The secret in use."""
        return self.versions[self.current]

    def rotated(self, path: Path) -> Self:
        """Return a ring with one more version, in use from now on; durable in the file."""
        version = str(max(int(known) for known in self.versions) + 1)
        fresh = {**self.versions, version: secrets.token_bytes(SECRET_BYTES)}
        ring = type(self)(version, fresh)
        replace_secret(path, ring.to_bytes())
        return ring

    def without(self, path: Path, version: str) -> Self:
        """
        Return a ring that lacks an older version; durable in the file.

        Raises:
            PermanentError: it is the one in use, or there is no such version.
        """
        if version == self.current or version not in self.versions:
            raise PermanentError("only an older version of a key can be taken out")
        left = {name: secret for name, secret in self.versions.items() if name != version}
        ring = type(self)(self.current, left)
        replace_secret(path, ring.to_bytes())
        return ring

    def to_bytes(self) -> bytes:
        """Return the bytes of the key file."""
        keys = {name: base64.b64encode(secret).decode() for name, secret in self.versions.items()}
        return json.dumps({"current": self.current, "keys": keys}).encode()

    @classmethod
    def _from_bytes(cls, data: bytes, name: str) -> Self:
        try:
            document = json.loads(data)
            keys = {str(int(key)): _secret(text) for key, text in document["keys"].items()}
            current = str(document["current"])
        except (ValueError, KeyError, TypeError, AttributeError):
            # Whatever was read is secret, so the cause is left out.
            raise PermanentError(f"{name} is not a key file") from None
        if current not in keys:
            raise PermanentError(f"{name} does not hold its current key")
        return cls(current, keys)

    def __repr__(self) -> str:
        return f"KeyRing(current={self.current!r}, versions={len(self.versions)})"


def _secret(text: str) -> bytes:
    try:
        secret = base64.b64decode(text, validate=True)
    except binascii.Error:
        raise ValueError("not base64") from None
    if len(secret) < SECRET_BYTES:
        raise ValueError("too short")
    return secret
