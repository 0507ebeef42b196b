"""
Person keys: AES-SIV per field, keys wrapped by a key-encryption key, in a store of their own.

A sealed text is `1.<base64url>`; 1 is the version of this layout and part of what is
authenticated, with the person and the field.
"""

import asyncio
import base64
import binascii
import hashlib
import hmac
import math
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, AESSIV

from adapters.security.key_cache import KeyCache, Look
from adapters.security.key_ring import KeyRing
from adapters.security.key_store import SqliteKeyStore
from adapters.security.wrapped_keys import KeyStore, WrappedKey
from domain.errors import (
    DeadlineExceededError,
    GoneError,
    InvalidInputError,
    PermanentError,
    ThrottledError,
)
from domain.ports.time import Clock, Deadline

T = TypeVar("T")

LAYOUT: Final = "1"
NONCE_BYTES: Final = 12
PERSON_KEY_BITS: Final = 512
CACHED_KEYS_MAX: Final = 10_000
WAITING_MAX: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class VaultLimits:
    """
    How many threads ask the store at once, and how many keys are held unwrapped, for how long.

    A key that another process destroyed can be used here until `fresh_s` seconds after it was read.
    """

    threads: int = 1
    cached_keys_max: int = CACHED_KEYS_MAX
    fresh_s: float = math.inf


class EnvelopeKeyVault:
    """
    The `KeyVault` on any store of wrapped keys.

    `kek` wraps person keys, `index` keys the blind index; both are rings whose older versions are
    still read. `open_store` runs in a thread of the vault, as does whatever asks the store.
    """

    def __init__(
        self, open_store: Callable[[], KeyStore], *, kek: KeyRing, index: KeyRing, clock: Clock,
        limits: VaultLimits,
    ) -> None:  # fmt: skip
        self._kek, self._index, self._clock = kek, index, clock
        self._cache = KeyCache(limits.cached_keys_max, clock, limits.fresh_s)
        self._waiting = 0
        self._threads = ThreadPoolExecutor(limits.threads, thread_name_prefix="key-vault")
        self._store = self._threads.submit(open_store).result()

    async def seal(self, person_id: str, field: str, text: str, deadline: Deadline) -> str:
        """See `KeyVault.seal`."""
        cipher = self._cache.get(person_id)
        if cipher is None:
            cipher = await self._run(lambda: self._made(person_id), deadline)
        sealed = cipher.encrypt(_encoded(text), _context(person_id, field))
        return f"{LAYOUT}.{base64.urlsafe_b64encode(sealed).rstrip(b'=').decode()}"

    async def open(self, person_id: str, field: str, sealed: str, deadline: Deadline) -> str:
        """See `KeyVault.open`."""
        data = _sealed_bytes(sealed)
        cipher = self._cache.get(person_id)
        if cipher is None:
            cipher = await self._run(lambda: self._found(person_id), deadline)
        try:
            return cipher.decrypt(data, _context(person_id, field)).decode()
        except (InvalidTag, ValueError):
            raise PermanentError("the text was not sealed for this person and field") from None

    async def destroy(self, person_id: str, deadline: Deadline) -> None:
        """See `KeyVault.destroy`."""
        await self._run(lambda: self._destroyed(person_id), deadline)

    def blind_index(self, cpf_digits: str) -> str:
        """See `KeyVault.blind_index`."""
        return self._index_under(self._index.current, cpf_digits)

    def blind_indices(self, cpf_digits: str) -> tuple[str, ...]:
        """Return the index under every known key, the current first: what a look-up tries."""
        older = (version for version in self._index.versions if version != self._index.current)
        return tuple(
            self._index_under(version, cpf_digits) for version in (self._index.current, *older)
        )

    def close(self) -> None:
        """Finish what was begun, and close the store."""
        self._threads.shutdown()
        self._store.close()

    def _index_under(self, version: str, cpf_digits: str) -> str:
        key = self._index.versions[version]
        return f"{version}:{hmac.digest(key, cpf_digits.encode(), hashlib.sha256).hex()}"

    # --- in a thread of the vault ---

    def _made(self, person_id: str) -> AESSIV:
        look = self._cache.look()
        stored = self._store.get(person_id)
        if stored is None:
            stored = self._store.put_if_absent(person_id, self._fresh(person_id))
        return self._unwrapped(person_id, stored, look)

    def _found(self, person_id: str) -> AESSIV:
        look = self._cache.look()
        stored = self._store.get(person_id)
        if stored is None:
            raise PermanentError("nothing was ever sealed for this person")
        return self._unwrapped(person_id, stored, look)

    def _destroyed(self, person_id: str) -> None:
        self._store.destroy(person_id)
        self._cache.drop(person_id)

    def _fresh(self, person_id: str) -> WrappedKey:
        nonce = secrets.token_bytes(NONCE_BYTES)
        key = AESSIV.generate_key(PERSON_KEY_BITS)
        wrapped = AESGCM(self._kek.secret).encrypt(nonce, key, person_id.encode())
        return WrappedKey(self._kek.current, nonce + wrapped)

    def _unwrapped(self, person_id: str, stored: WrappedKey, look: Look) -> AESSIV:
        if stored.wrapped is None:
            raise GoneError("the key of this person has been destroyed")
        kek = self._kek.versions.get(stored.kek_version)
        if kek is None:
            raise PermanentError("the key file lacks the version that wrapped this key")
        nonce, wrapped = stored.wrapped[:NONCE_BYTES], stored.wrapped[NONCE_BYTES:]
        try:
            cipher = AESSIV(AESGCM(kek).decrypt(nonce, wrapped, person_id.encode()))
        except (InvalidTag, ValueError):
            raise PermanentError("the key file does not fit this vault") from None
        self._cache.put(person_id, cipher, look)
        return cipher

    # --- the way there ---

    async def _run(self, work: Callable[[], T], deadline: Deadline) -> T:
        """
        Run in a thread of the vault; past the deadline the caller leaves, what was begun goes on.

        What still waits for a thread then is not begun.
        """
        if self._waiting >= WAITING_MAX:
            raise ThrottledError("too much waits for the key vault")
        deadline.check(self._clock)
        self._waiting += 1
        task = asyncio.wrap_future(self._threads.submit(self._begun, work, deadline))
        task.add_done_callback(self._left)
        try:
            async with asyncio.timeout(_finite(deadline.remaining(self._clock))):
                return await asyncio.shield(task)
        except TimeoutError:
            raise DeadlineExceededError("the key vault did not answer in time") from None

    def _begun(self, work: Callable[[], T], deadline: Deadline) -> T:
        deadline.check(self._clock)
        return work()

    def _left(self, task: "asyncio.Future[T]") -> None:
        self._waiting -= 1
        if not task.cancelled():
            # Nobody may be there any more to read it.
            task.exception()


class SqliteKeyVault(EnvelopeKeyVault):
    """The vault of one machine: its file is used by one thread, and no other process writes it."""

    def __init__(
        self, path: Path, *, kek: KeyRing, index: KeyRing, clock: Clock,
        cached_keys_max: int = CACHED_KEYS_MAX,
    ) -> None:  # fmt: skip
        limits = VaultLimits(cached_keys_max=cached_keys_max)
        super().__init__(
            lambda: SqliteKeyStore(path), kek=kek, index=index, clock=clock, limits=limits
        )


def _finite(seconds: float) -> float | None:
    return seconds if math.isfinite(seconds) else None


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
