"""
The public keys of a token issuer, as it publishes them (JWKS, RFC 7517), kept and renewed.

A set that cannot be renewed is used until it is too old, then no more. An unknown key makes us ask
early, but never more often than an interval allows, whoever invents names of keys.
"""

import asyncio
import math
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import jwt
import msgspec
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from consistency.waiting import Signal, pause
from domain.errors import CreditError, DeadlineExceededError, TransientError
from domain.ports.monitoring import Monitoring
from domain.ports.time import Clock, Deadline

#: By kind of key and curve: the one algorithm that a key may be used for.
ALGORITHMS: Final = {"RSA": "RS256", "EC P-256": "ES256", "OKP Ed25519": "EdDSA"}
#: How else a key may name it (RFC 9864).
ALIASES: Final = {"EdDSA": "Ed25519"}
RSA_BITS: Final = range(2048, 8193)
KEYS_MAX: Final = 64
KID_CHARS_MAX: Final = 256

Fetch = Callable[[Deadline], Awaitable[bytes]]


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A key, and the only algorithm it is for."""

    key: Any
    algorithm: str


@dataclass(frozen=True, slots=True, kw_only=True)
class JwksLimits:
    """
    How often keys are asked for, in seconds, and for how long they are believed.

    `refresh_s` in peace; `interval_s` at least between two attempts; `max_age_s` since the last
    success; `fetch_s` is the time of an attempt, whoever waits for it.
    """

    refresh_s: float = 300.0
    interval_s: float = 10.0
    max_age_s: float = 3_600.0
    fetch_s: float = 5.0


LIMITS: Final = JwksLimits()


class JwksKeys:
    """The keys of one issuer, for one event loop."""

    def __init__(
        self, fetch: Fetch, *, clock: Clock, monitoring: Monitoring, limits: JwksLimits = LIMITS
    ) -> None:
        self._fetch, self._clock = fetch, clock
        self._monitoring, self._limits = monitoring, limits
        self._keys: Mapping[object, PublicKey] = {}
        self._tried_at = self._had_at = -math.inf
        self._flight: asyncio.Task[None] | None = None
        #: Counts the sets that differed from the one before.
        self.generation = 0

    def find(self, kid: object) -> PublicKey | None:
        """Return a key that is still believed."""
        return self._keys.get(kid) if self.believed else None

    @property
    def believed(self) -> bool:
        """Whether the set is young enough to be used."""
        return self._clock.monotonic() - self._had_at < self._limits.max_age_s

    @property
    def may_ask(self) -> bool:
        """Whether asking now may bring news: it is under way, or was not done for a while."""
        waited = self._clock.monotonic() - self._tried_at >= self._limits.interval_s
        return self._flight is not None or waited

    @property
    def current(self) -> bool:
        """Whether the last attempt brought the set that is used."""
        return self._had_at >= self._tried_at > -math.inf

    async def refresh(self, deadline: Deadline) -> None:
        """
        Ask for the keys, together with whoever asks meanwhile; not if that was just done.

        Raises:
            TransientError: the issuer is away or publishes no key; the old set stays in use.
            DeadlineExceededError: it does not answer in time; the attempt goes on.
        """
        if not self.may_ask:
            return
        if self._flight is None:
            self._tried_at = self._clock.monotonic()
            self._flight = asyncio.create_task(self._renew())
            self._flight.add_done_callback(self._landed)
        left = deadline.remaining(self._clock)
        try:
            async with asyncio.timeout(left if math.isfinite(left) else None):
                await asyncio.shield(self._flight)
        except TimeoutError:
            raise DeadlineExceededError("the issuer of tokens did not answer in time") from None

    async def run(self, sleep: Callable[[float], Awaitable[None]], stop: Signal) -> None:
        """Keep the set young until `stop` is set."""
        while not stop.is_set():
            seconds = self._limits.refresh_s
            try:
                await self.refresh(Deadline.after(self._clock, self._limits.fetch_s))
            except CreditError:
                # `_renew` has counted it.
                seconds = self._limits.interval_s
            await pause(sleep, seconds, stop)

    async def close(self) -> None:
        """End an attempt that is under way."""
        if self._flight is not None:
            self._flight.cancel()
            await asyncio.gather(self._flight, return_exceptions=True)

    async def _renew(self) -> None:
        until = Deadline.after(self._clock, self._limits.fetch_s)
        try:
            keys, unused = read_keys(await self._fetch(until))
        except CreditError as error:
            self._monitoring.count("token_keys_failures", code=error.code)
            raise
        if unused:
            self._monitoring.count("token_keys_unused", unused)
        if keys != self._keys:
            self.generation += 1
        self._keys, self._had_at = keys, self._clock.monotonic()

    def _landed(self, flight: "asyncio.Task[None]") -> None:
        self._flight = None
        if not flight.cancelled():
            # Nobody may be there any more to read it.
            flight.exception()


def read_keys(document: bytes) -> tuple[Mapping[object, PublicKey], int]:
    """
    Return the keys by name, and how many of the set are not for us.

    Raises:
        TransientError: the document is no key set, or holds no key that we may use.
    """
    try:
        listed = msgspec.json.decode(document)["keys"]
    except (msgspec.DecodeError, KeyError, TypeError):
        raise TransientError("what the issuer of tokens publishes is no key set") from None
    if not isinstance(listed, list) or len(listed) > KEYS_MAX:
        raise TransientError("what the issuer of tokens publishes is no key set")
    read = [(each["kid"], key) for each in listed if (key := _public_key(each)) is not None]
    # A name that two keys bear is worth nothing.
    times = Counter(kid for kid, _ in read)
    keys = {kid: key for kid, key in read if times[kid] == 1}
    if not keys:
        raise TransientError("the issuer of tokens publishes no key that may be used")
    return keys, len(listed) - len(keys)


def _public_key(jwk: object) -> PublicKey | None:
    if not isinstance(jwk, dict) or not _signs(jwk):
        return None
    algorithm = ALGORITHMS.get(f"{jwk.get('kty')} {jwk.get('crv', '')}".strip(), "")
    if not algorithm or jwk.get("alg", algorithm) not in (algorithm, ALIASES.get(algorithm)):
        return None
    try:
        key = jwt.PyJWK(jwk, algorithm).key
    except (jwt.PyJWTError, ValueError, TypeError, KeyError):
        return None
    if isinstance(key, RSAPublicKey) and key.key_size not in RSA_BITS:
        return None
    return PublicKey(key, algorithm)


def _signs(jwk: Mapping[str, Any]) -> bool:
    """Tell whether a key is public, has a name, and is meant for signatures."""
    kid, operations = jwk.get("kid"), jwk.get("key_ops", ["verify"])
    named = isinstance(kid, str) and 0 < len(kid) <= KID_CHARS_MAX
    meant = jwk.get("use", "sig") == "sig" and isinstance(operations, list)
    return named and meant and "verify" in operations and "d" not in jwk
