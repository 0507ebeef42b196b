"""Where a service of AWS listens."""

import ssl
from dataclasses import dataclass
from typing import Final, Self
from urllib.parse import urlsplit

from domain.errors import PermanentError

PORTS: Final = {"https": 443, "http": 80}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A service in a region; `ca_file` replaces the system's certificate authorities."""

    service: str
    region: str
    host: str
    port: int
    tls: bool
    ca_file: str | None = None

    @classmethod
    def of(cls, service: str, region: str, url: str = "", *, ca_file: str | None = None) -> Self:
        """
        Return the endpoint of a region, or the one at `url`.

        Raises:
            PermanentError: the region has no form of a region, or the address is none.
        """
        if not region.replace("-", "").isalnum() or not region.isascii():
            raise PermanentError("the AWS region is none: set one like us-east-1")
        suffix = ".cn" if region.startswith("cn-") else ""
        try:
            parts = urlsplit(url or f"https://{service}.{region}.amazonaws.com{suffix}")
            port = parts.port or PORTS[parts.scheme]
        except (ValueError, KeyError):
            raise _wrong(service) from None
        if not parts.hostname or parts.path not in ("", "/") or parts.username or parts.query:
            raise _wrong(service)
        return cls(service, region, parts.hostname, port, parts.scheme == "https", ca_file)

    @property
    def authority(self) -> str:
        """The `Host` header: the port only where it is not the usual one."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        usual = self.port == PORTS["https" if self.tls else "http"]
        return host if usual else f"{host}:{self.port}"

    def context(self) -> ssl.SSLContext | None:
        """
        Return how the server is checked; None speaks in clear, to servers of this machine.

        Raises:
            OSError: the file cannot be read, or holds no certificate.
        """
        return ssl.create_default_context(cafile=self.ca_file) if self.tls else None


def _wrong(service: str) -> PermanentError:
    return PermanentError(f"the endpoint of {service} is not https://host[:port]")
