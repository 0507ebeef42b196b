"""
Bearer tokens: JWT, signed with a key that `kid` names; our own are HS256, with a key of a ring.

PyJWT checks the signature, audience and issuer. The instants are checked here against the clock
port, and the result is kept, bounded, under the SHA-256 of the token until it expires.
"""

import hashlib
import re
from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

import jwt

from adapters.security.key_ring import KeyRing
from adapters.system import SystemClock
from domain.ports.time import Clock, Deadline

ALGORITHM: Final = "HS256"
ISSUER: Final = "credit-platform"
AUDIENCE: Final = "credit-platform-api"
LIFETIME_SECONDS: Final = 3600
#: How far the clocks of issuer and verifier may differ.
SKEW_SECONDS: Final = 5
TOKEN_BYTES_MAX: Final = 4096
CACHED_TOKENS_MAX: Final = 4096

SUBJECT: Final = re.compile(r"[\x21-\x7e]{1,128}", re.ASCII)
REQUIRED: Final = ("aud", "iss", "exp", "sub")

#: Every scope of the public contract.
SCOPES: Final = (
    "decisions:write",
    "decisions:read",
    "policies:read",
    "policies:write",
    "policies:approve",
    "reviews",
    "events:write",
    "operations",
    "privacy",
)


class TokenRefusedError(Exception):
    """The token proves nothing; `expired` tells whether only its time is over."""

    def __init__(self, *, expired: bool = False) -> None:
        super().__init__("the token is refused")
        self.expired = expired


class KeyNotKnownError(TokenRefusedError):
    """The token's key may have been published meanwhile: `learn`, and verify again."""


@dataclass(frozen=True, slots=True)
class Principal:
    """A caller whose token was verified."""

    sub: str
    scopes: frozenset[str]


class TokenKey:
    """The signing side: issues tokens with the current key of a ring."""

    def __init__(self, ring: KeyRing, clock: Clock | None = None) -> None:
        self._ring = ring
        # Tokens live in the time of the machine, whatever the data folder's clock shows.
        self._clock = clock or SystemClock()

    @classmethod
    def load_or_create(cls, path: Path, clock: Clock | None = None) -> Self:
        """
        Read the signing keys of a file with mode 0600; it is made at first start.

        Raises:
            PermanentError: the file is not a key ring, or others may read it.
        """
        return cls(KeyRing.load_or_create(path), clock)

    def issue(self, sub: str, scopes: Iterable[str], ttl_seconds: int = LIFETIME_SECONDS) -> str:
        """Return a token for a subject (1-128 visible ASCII) with scopes."""
        now = int(self._clock.now().timestamp())
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": sub,
            "scope": " ".join(scopes),
            "iat": now,
            "nbf": now,
            "exp": now + ttl_seconds,
        }
        headers = {"kid": self._ring.current}
        return jwt.encode(claims, self._ring.secret, algorithm=ALGORITHM, headers=headers)

    def verifier(self) -> "Verifier":
        """Return a verifier that accepts every key of the ring."""
        return Verifier(self._ring, self._clock)


@dataclass(frozen=True, slots=True)
class Accepted:
    """
    What a token has to say: who issued it, and for whom.

    Our own tokens also say from when on they hold; other issuers may leave that out.
    """

    issuer: str
    audience: str
    begins: bool = False


class TokenVerifier(ABC):
    """The checking side, but for where keys come from."""

    def __init__(self, accepted: Accepted, clock: Clock, cached_tokens_max: int) -> None:
        self._accepted, self._clock = accepted, clock
        self._cached_tokens_max = cached_tokens_max
        self._cache: OrderedDict[bytes, tuple[int, Principal]] = OrderedDict()

    @abstractmethod
    def _key(self, kid: object) -> tuple[Any, str]:
        """
        Return the key of this name, and the only algorithm it is for.

        Raises:
            TokenRefusedError: there is none.
        """

    @abstractmethod
    async def learn(self, deadline: Deadline) -> None:
        """
        Look whether there are new keys, after a KeyNotKnownError.

        Raises:
            TransientError: their issuer is away.
        """

    def verify(self, token: bytes) -> Principal:
        """
        Return who the token speaks for.

        Raises:
            TokenRefusedError: wrong key, algorithm, audience, issuer, time or shape.
            TransientError: keys cannot be had, so nothing is known of it.
        """
        digest = hashlib.sha256(token).digest()
        now = self._clock.now().timestamp()
        known = self._cache.get(digest)
        if known is not None and now < known[0] + SKEW_SECONDS:
            return known[1]
        return self._verify_unknown(token, digest, now)

    def _verify_unknown(self, token: bytes, digest: bytes, now: float) -> Principal:
        self._cache.pop(digest, None)
        claims = self._claims(token)
        expires = _check_times(claims, now)
        principal = _principal(claims)
        self._cache[digest] = (expires, principal)
        if len(self._cache) > self._cached_tokens_max:
            self._cache.popitem(last=False)
        return principal

    def _claims(self, token: bytes) -> Mapping[str, Any]:
        if len(token) > TOKEN_BYTES_MAX:
            raise TokenRefusedError
        try:
            # Whatever the header says beside its key's name is not believed.
            key, algorithm = self._key(jwt.get_unverified_header(token)["kid"])
            return jwt.decode(
                token,
                key,
                algorithms=[algorithm],
                audience=self._accepted.audience,
                issuer=self._accepted.issuer,
                options={
                    "require": [*REQUIRED, "nbf"] if self._accepted.begins else list(REQUIRED),
                    "verify_exp": False,
                    "verify_nbf": False,
                    "verify_iat": False,
                },
            )
        except (jwt.PyJWTError, KeyError, ValueError, TypeError, RecursionError):
            # The cause may quote the token, so it is left out.
            raise TokenRefusedError from None


class Verifier(TokenVerifier):
    """Accepts every key of a ring, so that keys can be rotated."""

    def __init__(
        self, ring: KeyRing, clock: Clock, cached_tokens_max: int = CACHED_TOKENS_MAX
    ) -> None:
        super().__init__(Accepted(ISSUER, AUDIENCE, begins=True), clock, cached_tokens_max)
        self._keys: Mapping[Any, bytes] = dict(ring.versions)

    def _key(self, kid: object) -> tuple[bytes, str]:
        return self._keys[kid], ALGORITHM

    async def learn(self, deadline: Deadline) -> None:
        """Nothing: the ring is whole from the start."""


def _check_times(claims: Mapping[str, Any], now: float) -> int:
    expires = claims["exp"]
    begins = claims.get("nbf", 0)
    # Whole seconds only: JSON also knows 1e400, which would never expire.
    if type(expires) is not int or type(begins) is not int:
        raise TokenRefusedError
    if now >= expires + SKEW_SECONDS:
        raise TokenRefusedError(expired=True)
    if now < begins - SKEW_SECONDS:
        raise TokenRefusedError
    return expires


def _principal(claims: Mapping[str, Any]) -> Principal:
    subject, scope = claims["sub"], claims.get("scope", "")
    if not isinstance(subject, str) or SUBJECT.fullmatch(subject) is None:
        raise TokenRefusedError
    if not isinstance(scope, str):
        raise TokenRefusedError
    return Principal(subject, frozenset(scope.split(" ")) - {""})
