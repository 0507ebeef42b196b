"""
Logging in to Amazon Keyspaces with signed credentials, as AWS's plugin for drivers publishes it.

The plugin's own Python form is not used: it wrote a 1,000th millisecond once in 2,000 handshakes,
and read credentials that may be renewed while it reads. Here the milliseconds are cut, and the
credentials come as one frozen value from whoever gives them.

Source: github.com/aws/aws-sigv4-auth-cassandra-python-driver-plugin (the README's algorithm), and
the AWS documentation of Signature Version 4.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from hmac import digest
from typing import Final
from urllib.parse import quote

from adapters.aws.credentials import Credentials
from adapters.aws.signing import ALGORITHM, signing_key
from domain.errors import PermanentError
from domain.ports.time import Clock

INITIAL: Final = b"SigV4\0\0"
NONCE: Final = b"nonce="
NONCE_BYTES: Final = 32
SERVICE: Final = "cassandra"
LIFETIME_S: Final = 900


@dataclass(frozen=True, slots=True)
class SigV4Provider:
    """Makes the answers of a login; `credentials` is asked at each one, in the driver's thread."""

    region: str
    credentials: Callable[[], Credentials]
    clock: Clock

    def new_authenticator(self, host: object) -> "SigV4Authenticator":
        """Return what answers for one connection."""
        del host
        return SigV4Authenticator(self)


class SigV4Authenticator:
    """Answers the challenge of one connection; the driver knows these three methods by name."""

    server_authenticator_class: str | None = None

    def __init__(self, provider: SigV4Provider) -> None:
        self._provider = provider

    def initial_response(self) -> bytes:
        """Return how we mean to log in."""
        return INITIAL

    def evaluate_challenge(self, challenge: bytes) -> bytes:
        """
        Return the signature of the challenge's nonce.

        Raises:
            PermanentError: the challenge has none.
        """
        provider = self._provider
        made = provider.credentials()
        return answer(nonce_of(challenge), provider.region, made, provider.clock.now()).encode()

    def on_authentication_success(self, token: object) -> None:
        """Do nothing: there is nothing to keep."""


def nonce_of(challenge: bytes) -> bytes:
    """
    Return the nonce in a challenge.

    Raises:
        PermanentError: there is none.
    """
    _, found, rest = challenge.partition(NONCE)
    if not found or len(rest) < NONCE_BYTES:
        raise PermanentError("the server's challenge has no nonce: it is no Amazon Keyspaces")
    return rest[:NONCE_BYTES]


def answer(nonce: bytes, region: str, credentials: Credentials, instant: datetime) -> str:
    """Return the answer to a nonce."""
    moment = timestamp(instant)
    parts = [
        f"signature={signature(nonce, region, credentials, instant)}",
        f"access_key={credentials.access_key}",
        f"amzdate={moment}",
    ]
    if credentials.token:
        parts.append(f"session_token={credentials.token}")
    return ",".join(parts)


def signature(nonce: bytes, region: str, credentials: Credentials, instant: datetime) -> str:
    """Return the signature, in hexadecimal."""
    day = instant.astimezone(UTC).strftime("%Y%m%d")
    scope = f"{day}/{region}/{SERVICE}/aws4_request"
    request = canonical_request(nonce, credentials.access_key, scope, timestamp(instant))
    hashed = hashlib.sha256(request.encode()).hexdigest()
    text = f"{ALGORITHM}\n{timestamp(instant)}\n{scope}\n{hashed}"
    key = signing_key(credentials, day, region, SERVICE)
    return digest(key, text.encode(), "sha256").hex()


def canonical_request(nonce: bytes, access_key: str, scope: str, moment: str) -> str:
    """Return what is signed: a request that is never sent, over the nonce's hash."""
    fields = {
        "X-Amz-Algorithm": ALGORITHM,
        "X-Amz-Credential": f"{access_key}/{scope}",
        "X-Amz-Date": moment,
        "X-Amz-Expires": str(LIFETIME_S),
    }
    query = "&".join(f"{name}={quote(value, safe='')}" for name, value in fields.items())
    hashed = hashlib.sha256(nonce).hexdigest()
    return f"PUT\n/authenticate\n{query}\nhost:{SERVICE}\n\nhost\n{hashed}"


def timestamp(instant: datetime) -> str:
    """Return the instant with three digits of milliseconds, cut and never rounded."""
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
