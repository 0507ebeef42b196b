"""The key vault on AWS: person keys wrapped by KMS, in a DynamoDB table."""

import asyncio
import math
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Final

from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from adapters.security.dynamodb_key_table import DynamoDbKeyTable
from adapters.security.key_cache import KeyCache, Look
from adapters.security.key_ring import KeyRing
from adapters.security.kms_keys import KmsKeys
from adapters.security.sealing import CACHED_KEYS_MAX, WAITING_MAX, SealingVault
from adapters.security.witness import WITNESS, marks, same
from adapters.security.wrapped_keys import WrappedKey, key_in
from domain.errors import (
    DeadlineExceededError,
    PermanentError,
    ThrottledError,
)
from domain.ports.time import Clock, Deadline

#: A key that another process destroyed is used here for at most so many seconds.
FRESH_S: Final = 5.0
#: How long looking for a key may take, whoever waits for it.
LOOK_S: Final = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class KmsVaultLimits:
    """How many keys are held unwrapped, for how long; how many may be looked for at once."""

    cached_keys_max: int = CACHED_KEYS_MAX
    fresh_s: float = FRESH_S
    looks_max: int = WAITING_MAX


LIMITS: Final = KmsVaultLimits()


class KmsKeyVault(SealingVault):
    """
    Implements `domain.ports.keys.KeyVault`, for one event loop.

    Those who need the same key at once share one look; who leaves at a deadline does not end it.
    """

    def __init__(
        self, kms: KmsKeys, table: DynamoDbKeyTable, *, index: KeyRing, clock: Clock,
        limits: KmsVaultLimits = LIMITS,
    ) -> None:  # fmt: skip
        super().__init__(index, KeyCache(limits.cached_keys_max, clock, limits.fresh_s))
        self._kms, self._table = kms, table
        self._clock, self._limits = clock, limits
        self._looks: dict[tuple[str, bool], asyncio.Task[AESSIV]] = {}

    async def prepare(self, deadline: Deadline) -> None:
        """
        Ask KMS and DynamoDB what they have, and compare the index key with the vault's.

        Raises:
            PermanentError: key, table or index key are not those of this vault; the remedy.
            TransientError: one of them is away.
        """
        await self._kms.check(deadline)
        await self._table.check(deadline)
        await self._made(WITNESS, deadline)
        for name, mark in marks(self._index):
            same(await self._table.put_if_absent(name, mark, deadline), mark)

    async def compare(self, deadline: Deadline) -> bool:
        """
        Compare the keys with the vault, which stays as it is; False when it has nothing yet.

        Raises:
            PermanentError, TransientError: as `prepare`.
        """
        await self._kms.check(deadline)
        await self._table.check(deadline)
        if await self._table.get(WITNESS, deadline) is None:
            return False
        await self._found(WITNESS, deadline)
        for name, mark in marks(self._index):
            known = await self._table.get(name, deadline)
            if known is not None:
                same(known, mark)
        return True

    async def destroy(self, person_id: str, deadline: Deadline) -> None:
        """See `KeyVault.destroy`."""
        deadline.check(self._clock)
        await self._table.destroy(person_id, deadline)
        # Who comes from here on must not share a look that began before.
        for made in (False, True):
            self._looks.pop((person_id, made), None)
        self._cache.drop(person_id)

    async def close(self) -> None:
        """Give up what is being looked for."""
        looks = list(self._looks.values())
        for look in looks:
            look.cancel()
        await asyncio.gather(*looks, return_exceptions=True)

    async def _cipher_made(self, person_id: str, deadline: Deadline) -> AESSIV:
        return await self._shared((person_id, True), self._made, deadline)

    async def _cipher_found(self, person_id: str, deadline: Deadline) -> AESSIV:
        return await self._shared((person_id, False), self._found, deadline)

    async def _made(self, person_id: str, deadline: Deadline) -> AESSIV:
        look = self._cache.look()
        stored = await self._table.get(person_id, deadline)
        if stored is None:
            key, fresh = await self._kms.make(person_id, deadline)
            stored = await self._table.put_if_absent(person_id, fresh, deadline)
            if stored.wrapped == fresh.wrapped:
                return self._kept(person_id, key, look)
        return await self._unwrapped(person_id, stored, look, deadline)

    async def _found(self, person_id: str, deadline: Deadline) -> AESSIV:
        look = self._cache.look()
        stored = await self._table.get(person_id, deadline)
        if stored is None:
            raise PermanentError("nothing was ever sealed for this person")
        return await self._unwrapped(person_id, stored, look, deadline)

    async def _unwrapped(
        self, person_id: str, stored: WrappedKey, look: Look, deadline: Deadline
    ) -> AESSIV:
        wrapped = key_in(stored)
        key = await self._kms.unwrap(person_id, stored.kek_version, wrapped, deadline)
        return self._kept(person_id, key, look)

    def _kept(self, person_id: str, key: bytes, look: Look) -> AESSIV:
        cipher = AESSIV(key)
        self._cache.put(person_id, cipher, look)
        return cipher

    async def _row(self, person_id: str, deadline: Deadline) -> WrappedKey | None:
        return await self._table.get(person_id, deadline)

    async def _claimed(self, person_id: str, row: WrappedKey, deadline: Deadline) -> WrappedKey:
        stored = await self._table.get(person_id, deadline)
        return stored or await self._table.put_if_absent(person_id, row, deadline)

    # --- looks that are shared ---

    async def _shared(
        self, name: tuple[str, bool],
        work: Callable[[str, Deadline], Coroutine[Any, Any, AESSIV]], deadline: Deadline,
    ) -> AESSIV:  # fmt: skip
        deadline.check(self._clock)
        task = self._looks.get(name)
        if task is None:
            if len(self._looks) >= self._limits.looks_max:
                raise ThrottledError("too much waits for the key vault")
            until = Deadline.after(self._clock, LOOK_S)
            task = self._looks[name] = asyncio.create_task(work(name[0], until))
            task.add_done_callback(lambda done: self._left(name, done))
        left = deadline.remaining(self._clock)
        try:
            async with asyncio.timeout(left if math.isfinite(left) else None):
                return await asyncio.shield(task)
        except TimeoutError:
            raise DeadlineExceededError("the key vault did not answer in time") from None

    def _left(self, name: tuple[str, bool], task: "asyncio.Task[AESSIV]") -> None:
        if self._looks.get(name) is task:
            del self._looks[name]
        if not task.cancelled():
            # Nobody may be there any more to read it.
            task.exception()
