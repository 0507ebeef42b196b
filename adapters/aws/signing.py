"""
Signature Version 4 for services that take JSON by POST.

The specification: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
The key of a day and the head of the canonical request are kept, so a signature costs two hashes
and one keyed hash.
"""

from datetime import UTC, datetime
from hashlib import sha256
from hmac import digest
from typing import Final

from adapters.aws.credentials import Credentials
from adapters.aws.endpoint import Endpoint

ALGORITHM: Final = "AWS4-HMAC-SHA256"
SIGNED: Final = "content-type;host;x-amz-date;x-amz-target"
SESSION_SIGNED: Final = "content-type;host;x-amz-date;x-amz-security-token;x-amz-target"


class Signer:
    """Makes the whole HTTP request of a call to one endpoint."""

    def __init__(self, endpoint: Endpoint, version: str) -> None:
        """Take the version of the JSON protocol: `1.0` (DynamoDB) or `1.1` (Kinesis, KMS)."""
        self._content = f"application/x-amz-json-{version}"
        self._host = endpoint.authority
        self._scope = f"{endpoint.region}/{endpoint.service}/aws4_request"
        self._parts = (endpoint.region, endpoint.service)
        self._canonical = f"POST\n/\n\ncontent-type:{self._content}\nhost:{self._host}\nx-amz-date:"
        self._head = f"POST / HTTP/1.1\r\nhost: {self._host}\r\ncontent-type: {self._content}\r\n"
        self._second = -1
        self._date = ""
        self._day_key: tuple[Credentials, str, bytes] | None = None

    def request(self, keys: Credentials, target: str, payload: bytes, at: datetime) -> bytes:
        """Return head and body, signed for the instant."""
        date = self._date_of(at)
        token, signed = "", SIGNED
        canonical_token = ""
        if keys.token:
            token, signed = f"x-amz-security-token: {keys.token}\r\n", SESSION_SIGNED
            canonical_token = f"x-amz-security-token:{keys.token}\n"
        canonical = (
            f"{self._canonical}{date}\n{canonical_token}x-amz-target:{target}\n\n{signed}\n"
            f"{sha256(payload).hexdigest()}"
        )
        day = date[:8]
        text = f"{ALGORITHM}\n{date}\n{day}/{self._scope}\n{sha256(canonical.encode()).hexdigest()}"
        signature = digest(self._key_of(keys, day), text.encode(), "sha256").hex()
        head = (
            f"{self._head}content-length: {len(payload)}\r\nx-amz-date: {date}\r\n{token}"
            f"x-amz-target: {target}\r\nauthorization: {ALGORITHM} Credential={keys.access_key}/"
            f"{day}/{self._scope}, SignedHeaders={signed}, Signature={signature}\r\n\r\n"
        )
        return head.encode() + payload

    def _date_of(self, at: datetime) -> str:
        second = int(at.timestamp())
        if second != self._second:
            # The date first: another thread that finds the new second must find its date.
            self._date = at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
            self._second = second
        return self._date

    def _key_of(self, keys: Credentials, day: str) -> bytes:
        held = self._day_key
        if held is not None and held[0] is keys and held[1] == day:
            return held[2]
        key = signing_key(keys, day, *self._parts)
        self._day_key = (keys, day, key)
        return key


def signing_key(keys: Credentials, day: str, region: str, service: str) -> bytes:
    """Return the key that signs for a service in a region on a day, written `YYYYMMDD`."""
    key = f"AWS4{keys.secret_key}".encode()
    for part in (day, region, service, "aws4_request"):
        key = digest(key, part.encode(), "sha256")
    return key
