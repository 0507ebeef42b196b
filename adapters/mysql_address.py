"""The address of a MySQL or MariaDB database, as one setting."""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Self
from urllib.parse import parse_qsl, unquote, urlsplit

from domain.errors import PermanentError

DEFAULT_PORT: Final = 3306
OPTIONS: Final = frozenset({"ssl_ca", "ssl_cert", "ssl_key"})


@dataclass(frozen=True, slots=True)
class MysqlAddress:
    """`mysql://user:password@host:port/database?ssl_ca=file`; `repr` shows no password."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    database: str
    tls: Mapping[str, str]

    @classmethod
    def parse(cls, url: str, setting: str) -> Self:
        """
        Return the parts of an address.

        Raises:
            PermanentError: it is none; the sentence names the setting and quotes nothing.
        """
        wrong = PermanentError(f"{setting} is not mysql://user:password@host:port/database")
        try:
            parts = urlsplit(url)
            port = parts.port or DEFAULT_PORT
        except ValueError:
            raise wrong from None
        database = unquote(parts.path.removeprefix("/"))
        tls = dict(parse_qsl(parts.query))
        if parts.scheme != "mysql" or not parts.hostname or not database or set(tls) - OPTIONS:
            raise wrong
        user, password = unquote(parts.username or ""), unquote(parts.password or "")
        return cls(parts.hostname, port, user, password, database, tls)

    def context(self) -> ssl.SSLContext | None:
        """
        Return how the server is checked, and who we are; None connects in clear.

        Raises:
            OSError: a file cannot be read, or holds no certificate.
        """
        if not self.tls:
            return None
        made = ssl.create_default_context(cafile=self.tls.get("ssl_ca"))
        if "ssl_cert" in self.tls:
            made.load_cert_chain(self.tls["ssl_cert"], self.tls.get("ssl_key"))
        return made
