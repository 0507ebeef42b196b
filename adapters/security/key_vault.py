"""Person keys wrapped by a key-encryption key of a file, in a store of their own."""

import asyncio
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
from adapters.security.sealing import (
    CACHED_KEYS_MAX,
    PERSON_KEY_BITS,
    WAITING_MAX,
    SealingVault,
)
from adapters.security.wrapped_keys import KeyStore, WrappedKey, key_in
from domain.errors import (
    DeadlineExceededError,
    PermanentError,
    ThrottledError,
)
from domain.ports.time import Clock, Deadline

T = TypeVar("T")

NONCE_BYTES: Final = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class VaultLimits:
    """
    How many threads ask the store at once, and how many keys are held unwrapped, for how long.

    A key that another process destroyed can be used here until `fresh_s` seconds after it was read.
    """

    threads: int = 1
    cached_keys_max: int = CACHED_KEYS_MAX
    fresh_s: float = math.inf


class EnvelopeKeyVault(SealingVault):
    """
    The `KeyVault` on any store of wrapped keys.

    `kek` wraps person keys, `index` keys the blind index; both are rings whose older versions are
    still read. `open_store` runs in a thread of the vault, as does whatever asks the store.
    """

    def __init__(
        self, open_store: Callable[[], KeyStore], *, kek: KeyRing, index: KeyRing, clock: Clock,
        limits: VaultLimits,
    ) -> None:  # fmt: skip
        super().__init__(index, KeyCache(limits.cached_keys_max, clock, limits.fresh_s))
        self._kek, self._clock = kek, clock
        self._waiting = 0
        self._threads = ThreadPoolExecutor(limits.threads, thread_name_prefix="key-vault")
        self._store = self._threads.submit(open_store).result()

    async def destroy(self, person_id: str, deadline: Deadline) -> None:
        """See `KeyVault.destroy`."""
        await self._run(lambda: self._destroyed(person_id), deadline)

    def close(self) -> None:
        """Finish what was begun, and close the store."""
        self._threads.shutdown()
        self._store.close()

    async def _cipher_made(self, person_id: str, deadline: Deadline) -> AESSIV:
        return await self._run(lambda: self._made(person_id), deadline)

    async def _cipher_found(self, person_id: str, deadline: Deadline) -> AESSIV:
        return await self._run(lambda: self._found(person_id), deadline)

    async def _row(self, person_id: str, deadline: Deadline) -> WrappedKey | None:
        return await self._run(lambda: self._store.get(person_id), deadline)

    async def _claimed(self, person_id: str, row: WrappedKey, deadline: Deadline) -> WrappedKey:
        return await self._run(lambda: self._put(person_id, row), deadline)

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

    def _put(self, person_id: str, row: WrappedKey) -> WrappedKey:
        return self._store.get(person_id) or self._store.put_if_absent(person_id, row)

    def _unwrapped(self, person_id: str, stored: WrappedKey, look: Look) -> AESSIV:
        held = key_in(stored)
        kek = self._kek.versions.get(stored.kek_version)
        if kek is None:
            raise PermanentError("the key file lacks the version that wrapped this key")
        nonce, wrapped = held[:NONCE_BYTES], held[NONCE_BYTES:]
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
