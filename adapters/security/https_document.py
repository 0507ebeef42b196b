"""A small document of another server, fetched over TLS, bounded in size and time."""

import math
import ssl
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from domain.errors import DeadlineExceededError, PermanentError, TransientError
from domain.ports.time import Clock, Deadline

OK: Final = 200
BYTES_MAX: Final = 256 * 1024
#: To these one may speak in clear: nobody listens on the way.
LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})


@dataclass(frozen=True, slots=True)
class HttpsDocument:
    """
    Where a document lies; `ca_file` replaces the system's certificate authorities.

    Raises:
        PermanentError: the address is none, or is not safe.
    """

    url: str
    clock: Clock
    ca_file: str | None = None

    def __post_init__(self) -> None:
        """Refuse an address that leads over an open line."""
        try:
            parts = urlsplit(self.url)
        except ValueError:
            raise PermanentError("JWKS_URL is no address") from None
        safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)
        if not safe or not parts.hostname or parts.username is not None:
            raise PermanentError("JWKS_URL is not https://host/path")

    async def fetch(self, deadline: Deadline) -> bytes:
        """
        Return its bytes, as they are now.

        Raises:
            TransientError: the server is away, sends us elsewhere, or sends too much.
            DeadlineExceededError: it takes too long.
        """
        # A third of a second to import: only who needs it pays.
        import aiohttp  # noqa: PLC0415

        left = deadline.remaining(self.clock)
        limit = aiohttp.ClientTimeout(total=left if math.isfinite(left) else None)
        try:
            context = ssl.create_default_context(cafile=self.ca_file)
            async with (
                aiohttp.ClientSession(timeout=limit, cookie_jar=aiohttp.DummyCookieJar()) as client,
                client.get(self.url, ssl=context, allow_redirects=False) as reply,
            ):
                if reply.status != OK:
                    raise TransientError(f"the issuer of tokens answers {reply.status}")
                body = b""
                async for part in reply.content.iter_chunked(BYTES_MAX):
                    body += part
                    if len(body) > BYTES_MAX:
                        raise TransientError("the issuer of tokens sends too much")
                return body
        except TimeoutError:
            raise DeadlineExceededError("the issuer of tokens did not answer in time") from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            name = type(error).__name__
            raise TransientError(f"the issuer of tokens is away ({name})") from None
