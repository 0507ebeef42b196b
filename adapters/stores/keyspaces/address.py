"""Where the wide store is, and how to log in to it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from re import compile as pattern
from typing import Final

from adapters.aws.credentials import Credentials
from domain.errors import PermanentError

KEYSPACE: Final = "creditplatform"
CASSANDRA_PORT: Final = 9042
KEYSPACES_PORT: Final = 9142
PLACE: Final = pattern(r"(?P<host>[A-Za-z0-9_.-]+|\[[0-9A-Fa-f:.]+\])(:(?P<port>\d{1,5}))?")
NAME: Final = pattern(r"[a-z][a-z0-9_]{0,47}")
PORT_MAX: Final = 65_535


class Flavour(Enum):
    """Which server it is: they differ in schema statements, login and consistency levels."""

    CASSANDRA = "Apache Cassandra"
    KEYSPACES = "Amazon Keyspaces"


@dataclass(frozen=True, slots=True)
class Password:
    """A login with a word: Cassandra's users, or service-specific credentials of Keyspaces."""

    user: str
    word: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Tls:
    """
    Speak TLS, and only with a certificate for `server_name` (None: the address's host).

    `ca` is a file of certificate authorities; None takes those of the system, which hold Amazon's.
    """

    ca: Path | None = None
    server_name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """
    The contact point and what goes with it.

    `datacenter` is the region's name on Keyspaces. `login` is a password, or a function that gives
    AWS credentials to sign with; it is called in a thread of the driver at each new connection.
    """

    host: str
    port: int
    datacenter: str
    flavour: Flavour = Flavour.CASSANDRA
    keyspace: str = KEYSPACE
    tls: Tls | None = None
    login: Password | Callable[[], Credentials] | None = None

    def __post_init__(self) -> None:
        """Refuse a name that is no name, since statements are made with it."""
        if not NAME.fullmatch(self.keyspace):
            raise PermanentError("the keyspace's name is not of letters, digits and underscores")

    @classmethod
    def cassandra(
        cls,
        place: str,
        datacenter: str,
        *,
        keyspace: str = KEYSPACE,
        tls: Tls | None = None,
        login: Password | None = None,
    ) -> "Address":
        """
        Return the address of an Apache Cassandra, `host` or `host:port`.

        Raises:
            PermanentError: it is none.
        """
        found = PLACE.fullmatch(place)
        port = int(found["port"] or CASSANDRA_PORT) if found else 0
        if found is None or not 0 < port <= PORT_MAX:
            raise PermanentError("CASSANDRA_ADDRESS is not host:port")
        host = found["host"].strip("[]")
        return cls(
            host=host, port=port, datacenter=datacenter, keyspace=keyspace, tls=tls, login=login
        )

    @classmethod
    def keyspaces(
        cls,
        region: str,
        login: Password | Callable[[], Credentials],
        *,
        keyspace: str = KEYSPACE,
        ca: Path | None = None,
    ) -> "Address":
        """Return the address of Amazon Keyspaces in a region: always TLS."""
        host = f"cassandra.{region}.amazonaws.com"
        return cls(
            host=host, port=KEYSPACES_PORT, datacenter=region, flavour=Flavour.KEYSPACES,
            keyspace=keyspace, tls=Tls(ca=ca), login=login,
        )  # fmt: skip
