"""An issuer of tokens: it signs, publishes its keys, and can be told to misbehave."""

import asyncio
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, Final

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from adapters.security.tokens import Accepted
from domain.errors import TransientError
from domain.ports.time import Deadline

NOW: Final = datetime(2026, 12, 10, 14, tzinfo=UTC)
ISSUER: Final = "https://issuer.example/"
AUDIENCE: Final = "https://api.example"
ACCEPTED: Final = Accepted(ISSUER, AUDIENCE)


@dataclass
class Clock:
    instant: datetime = NOW
    seconds: float = 1_000.0

    def now(self) -> datetime:
        return self.instant

    def monotonic(self) -> float:
        return self.seconds

    def advance(self, seconds: float) -> None:
        self.instant += timedelta(seconds=seconds)
        self.seconds += seconds


def private_key(algorithm: str, number: int = 0) -> Any:
    """A key of a kind; the same for the same number."""
    return _made(algorithm, number)


@cache
def _made(algorithm: str, _: int) -> Any:
    if algorithm == "RS256":
        return rsa.generate_private_key(65537, 2048)
    if algorithm == "ES256":
        return ec.generate_private_key(ec.SECP256R1())
    return ed25519.Ed25519PrivateKey.generate()


def jwk_of(algorithm: str, kid: str, number: int = 0, **more: Any) -> dict[str, Any]:
    """The public side, as it is published."""
    kinds = jwt.algorithms.get_default_algorithms()
    public = kinds[algorithm].to_jwk(private_key(algorithm, number).public_key(), as_dict=True)
    return {**public, "kid": kid, "use": "sig", "alg": algorithm, **more}


def signed(
    algorithm: str, kid: str, number: int = 0, *, headers: dict[str, Any] | None = None,
    **claims: Any,
) -> bytes:  # fmt: skip
    now = int(NOW.timestamp())
    usual = {
        "iss": ISSUER, "aud": AUDIENCE, "sub": "app", "scope": "reviews privacy", "iat": now,
        "exp": now + 600,
    }  # fmt: skip
    body = {name: value for name, value in {**usual, **claims}.items() if value is not None}
    key = private_key(algorithm, number)
    return jwt.encode(body, key, algorithm, headers={"kid": kid, **(headers or {})}).encode()


@dataclass
class Issuer:
    """Publishes keys; `fetch` is how they are asked for."""

    keys: list[Any] = field(default_factory=list)
    away: bool = False
    gate: asyncio.Event | None = None
    asked: int = 0

    async def fetch(self, deadline: Deadline) -> bytes:
        del deadline
        self.asked += 1
        if self.gate is not None:
            await self.gate.wait()
        if self.away:
            raise TransientError("the issuer of tokens is away")
        return json.dumps({"keys": self.keys}).encode()
