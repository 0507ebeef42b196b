"""
Bearer tokens: JWT, HS256 only, signed with a key of a ring that `kid` names.

PyJWT checks the signature, audience and issuer. The instants are checked here against the clock
port, and the result is kept, bounded, under the SHA-256 of the token until it expires.
"""

import hashlib
import re
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

import jwt

from adapters.security.key_ring import KeyRing
from adapters.system import SystemClock
from domain.ports.time import Clock

ALGORITHM: Final = "HS256"
ISSUER: Final = "credit-platform"
AUDIENCE: Final = "credit-platform-api"
LIFETIME_SECONDS: Final = 3600
#: How far the clocks of issuer and verifier may differ.
SKEW_SECONDS: Final = 5
TOKEN_BYTES_MAX: Final = 4096
CACHED_TOKENS_MAX: Final = 4096

SUBJECT: Final = re.compile(r"[\x21-\x7e]{1,128}", re.ASCII)
REQUIRED: Final = ("aud", "iss", "exp", "nbf", "sub")

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


class Verifier:
    """The checking side; accepts every key of the ring, so that keys can be rotated."""

    def __init__(
        self, ring: KeyRing, clock: Clock, cached_tokens_max: int = CACHED_TOKENS_MAX
    ) -> None:
        self._keys = dict(ring.versions)
        self._clock = clock
        self._cached_tokens_max = cached_tokens_max
        self._cache: OrderedDict[bytes, tuple[int, Principal]] = OrderedDict()

    def verify(self, token: bytes) -> Principal:
        """
        Return who the token speaks for.

        Raises:
            TokenRefusedError: wrong key, algorithm, audience, issuer, time or shape.
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
            key = self._keys[jwt.get_unverified_header(token)["kid"]]
            return jwt.decode(
                token,
                key,
                algorithms=[ALGORITHM],
                audience=AUDIENCE,
                issuer=ISSUER,
                options={
                    "require": list(REQUIRED),
                    "verify_exp": False,
                    "verify_nbf": False,
                    "verify_iat": False,
                },
            )
        except (jwt.PyJWTError, KeyError, ValueError, TypeError, RecursionError):
            # The cause may quote the token, so it is left out.
            raise TokenRefusedError from None


def _check_times(claims: Mapping[str, Any], now: float) -> int:
    expires, begins = claims["exp"], claims["nbf"]
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
