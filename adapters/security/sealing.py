"""
Fields of a person, sealed by AES-SIV under the person's key; what all vaults have in common.

A sealed text is `1.<base64url>`; 1 is the version of this layout and part of what is
authenticated, with the person and the field.
"""

import base64
import binascii
import hashlib
import hmac
from abc import ABC, abstractmethod
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from adapters.security.key_cache import KeyCache
from adapters.security.key_ring import KeyRing
from adapters.security.wrapped_keys import (
    KnownElsewhereError,
    WrappedKey,
    pointed_to,
    pointing_to,
)
from domain.errors import GoneError, InvalidInputError, PermanentError
from domain.identifiers import person_of_index
from domain.ports.time import Deadline

LAYOUT: Final = "1"
PERSON_KEY_BITS: Final = 512
CACHED_KEYS_MAX: Final = 10_000
WAITING_MAX: Final = 1_000


class SealingVault(ABC):
    """
    A `KeyVault` but for where the keys of persons come from, and how they end.

    `index` keys the blind index; older versions of the ring are still read.
    """

    def __init__(self, index: KeyRing, cache: KeyCache) -> None:
        self._index, self._cache = index, cache

    @abstractmethod
    async def _cipher_made(self, person_id: str, deadline: Deadline) -> AESSIV:
        """Return the cipher of a person, whose key is made when there never was one."""

    @abstractmethod
    async def _cipher_found(self, person_id: str, deadline: Deadline) -> AESSIV:
        """Return the cipher of a person, who must have a key."""

    async def seal(self, person_id: str, field: str, text: str, deadline: Deadline) -> str:
        """See `KeyVault.seal`."""
        cipher = self._cache.get(person_id)
        if cipher is None:
            cipher = await self._cipher_made(person_id, deadline)
        sealed = cipher.encrypt(_encoded(text), _context(person_id, field))
        return f"{LAYOUT}.{base64.urlsafe_b64encode(sealed).rstrip(b'=').decode()}"

    async def open(self, person_id: str, field: str, sealed: str, deadline: Deadline) -> str:
        """See `KeyVault.open`."""
        data = _sealed_bytes(sealed)
        cipher = self._cache.get(person_id)
        if cipher is None:
            cipher = await self._cipher_found(person_id, deadline)
        try:
            return cipher.decrypt(data, _context(person_id, field)).decode()
        except (InvalidTag, ValueError):
            raise PermanentError("the text was not sealed for this person and field") from None

    @abstractmethod
    async def destroy(self, person_id: str, deadline: Deadline) -> None:
        """See `KeyVault.destroy`."""

    @abstractmethod
    async def _row(self, person_id: str, deadline: Deadline) -> WrappedKey | None:
        """Return what the store holds for a person."""

    @abstractmethod
    async def _claimed(self, person_id: str, row: WrappedKey, deadline: Deadline) -> WrappedKey:
        """Put a row if there is none; return what is stored."""

    async def person_index(self, cpf_digits: str, deadline: Deadline) -> str:
        """
        See `KeyVault.person_index`.

        Whoever meets a CPF first leaves a row under the oldest version of the index key that is
        still known: the person's key, or, where a newer version is current, where the key is.
        So processes with different current versions agree.
        """
        for index in self._by_age(cpf_digits):
            # Only a key is ever held here, never what points to one.
            if self._cache.get(person_of_index(index)) is not None:
                return index
        oldest, current = self._by_age(cpf_digits)[0], self.blind_index(cpf_digits)
        person_id = person_of_index(oldest)
        if current != oldest:
            row = await self._claimed(person_id, pointing_to(current), deadline)
            return pointed_to(row) or oldest
        try:
            await self._cipher_made(person_id, deadline)
        except KnownElsewhereError as error:
            return error.index
        except GoneError:
            # The index stays known: sealing will say that the person was erased.
            return oldest
        return oldest

    async def point(self, cpf_digits: str, index: str, deadline: Deadline) -> int:
        """
        Let a person be found under every version of the index key; return how many were missing.

        Raises:
            PermanentError: under another version the CPF is somebody else.
        """
        made = 0
        for other in self._by_age(cpf_digits):
            if other == index:
                continue
            person_id = person_of_index(other)
            made += await self._row(person_id, deadline) is None
            row = await self._claimed(person_id, pointing_to(index), deadline)
            if pointed_to(row) != index:
                raise PermanentError("a CPF is known as two persons: a version was taken out early")
        return made

    @property
    def index_versions(self) -> tuple[str, ...]:
        """The versions of the index key, the oldest first."""
        return tuple(sorted(self._index.versions, key=int))

    def _by_age(self, cpf_digits: str) -> tuple[str, ...]:
        return tuple(self._index_under(version, cpf_digits) for version in self.index_versions)

    def blind_index(self, cpf_digits: str) -> str:
        """See `KeyVault.blind_index`."""
        return self._index_under(self._index.current, cpf_digits)

    def blind_indices(self, cpf_digits: str) -> tuple[str, ...]:
        """Return the index under every known key, the current first: what a look-up tries."""
        older = (version for version in self._index.versions if version != self._index.current)
        return tuple(
            self._index_under(version, cpf_digits) for version in (self._index.current, *older)
        )

    def _index_under(self, version: str, cpf_digits: str) -> str:
        key = self._index.versions[version]
        return f"{version}:{hmac.digest(key, cpf_digits.encode(), hashlib.sha256).hex()}"


def _encoded(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise InvalidInputError("half a character (a lone surrogate) cannot be sealed") from None


def _context(person_id: str, field: str) -> list[bytes | bytearray | memoryview]:
    return [person_id.encode(), field.encode(), LAYOUT.encode()]


def _sealed_bytes(sealed: str) -> bytes:
    layout, _, body = sealed.partition(".")
    if layout != LAYOUT:
        raise PermanentError("the text was not sealed by this vault")
    try:
        return base64.b64decode(body + "=" * (-len(body) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise PermanentError("the text was not sealed by this vault") from None
