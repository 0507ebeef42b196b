"""Tokens of another issuer, checked with the keys that it publishes."""

from typing import Any, Final

from adapters.security.jwks import JwksKeys
from adapters.security.tokens import (
    CACHED_TOKENS_MAX,
    Accepted,
    KeyNotKnownError,
    Principal,
    TokenRefusedError,
    TokenVerifier,
)
from domain.errors import TransientError
from domain.ports.time import Clock, Deadline

AWAY: Final = "the keys of the token issuer cannot be had"


class JwksVerifier(TokenVerifier):
    """
    Accepts what one issuer signed for one audience, by RS256, ES256 or EdDSA as its keys demand.

    What was verified is believed until it expires, or until the issuer changes its keys, or until
    they could not be renewed for too long.
    """

    def __init__(
        self, keys: JwksKeys, accepted: Accepted, clock: Clock,
        cached_tokens_max: int = CACHED_TOKENS_MAX,
    ) -> None:  # fmt: skip
        super().__init__(accepted, clock, cached_tokens_max)
        self._keys = keys
        self._generation = keys.generation

    def verify(self, token: bytes) -> Principal:
        """See `TokenVerifier.verify`; KeyNotKnownError: `learn`, and verify again."""
        if self._generation != self._keys.generation or not self._keys.believed:
            self._generation = self._keys.generation
            self._cache.clear()
        return super().verify(token)

    async def learn(self, deadline: Deadline) -> None:
        """Ask the issuer for its keys, unless that was just done; see `TokenVerifier.learn`."""
        await self._keys.refresh(deadline)

    def _key(self, kid: object) -> tuple[Any, str]:
        if not isinstance(kid, str):
            raise TokenRefusedError
        found = self._keys.find(kid)
        if found is not None:
            return found.key, found.algorithm
        if self._keys.may_ask:
            raise KeyNotKnownError
        if not self._keys.current:
            raise TransientError(AWAY)
        raise TokenRefusedError
