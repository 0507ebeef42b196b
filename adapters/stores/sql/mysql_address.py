"""Where a MySQL server is and who we are there."""

import ssl
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import parse_qs, unquote, urlsplit

DEFAULT_PORT = 3306


@dataclass(frozen=True, slots=True)
class MysqlAddress:
    """What a connection needs; the password is never shown."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    database: str
    #: A file of certificates that the server's must lead to; empty connects without TLS.
    ca_file: str = ""

    @classmethod
    def parse(cls, url: str) -> Self:
        """
        Read `mysql://user:password@host:port/database[?ca=FILE]`.

        Raises:
            ValueError: it is not of this form; the message names no part of it.
        """
        parts = urlsplit(url)
        database = parts.path.removeprefix("/")
        if parts.scheme != "mysql" or not parts.hostname or not parts.username or not database:
            raise ValueError("a MySQL address reads mysql://user:password@host:port/database")
        return cls(
            host=parts.hostname,
            port=parts.port or DEFAULT_PORT,
            user=unquote(parts.username),
            password=unquote(parts.password or ""),
            database=database,
            ca_file="".join(parse_qs(parts.query).get("ca", [])),
        )

    def tls(self) -> ssl.SSLContext | None:
        """Return how to check the server, or None for a connection in clear."""
        return ssl.create_default_context(cafile=self.ca_file) if self.ca_file else None
