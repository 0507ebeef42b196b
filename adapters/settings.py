"""Settings, parsed once: one frozen model an entry point. Nothing else reads the environment."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from domain.errors import InvalidInputError, PermanentError

DEFAULT_PORT: Final = 8080
DEFAULT_METRICS_PORT: Final = 9464
DEFAULT_DATA: Final = Path("~/.credit-platform")
SERVICES_NEED: Final = ("MYSQL_URL", "KEYS_MYSQL_URL", "REDIS_URL", "KEYS_DIR")
SERVICES_MAY_HAVE: Final = (
    "MYSQL_READER_URL",
    "MYSQL_CONNECTIONS",
    "BREAKER_PAUSE_S",
    "PROJECTIONS",
    "CASSANDRA_ADDRESS",
    "CASSANDRA_DATACENTER",
    "CASSANDRA_USER",
    "CASSANDRA_PASSWORD",
    "CASSANDRA_CA",
    "AWS_REGION",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "DYNAMODB_ENDPOINT",
    "DYNAMODB_TABLE",
    "KINESIS_ENDPOINT",
    "KINESIS_STREAM",
    "RATE_LIMIT_DECISIONS",
    "RATE_LIMIT_READS",
    "RATE_LIMIT_EVENTS",
    "RATE_LIMIT_ADMIN",
    "RATE_LIMIT_PROCESSES",
    "SHARED_BREAKERS",
    "JWKS_URL",
    "JWKS_ISSUER",
    "JWKS_AUDIENCE",
)
#: One without the others would let in whom nobody meant.
TOGETHER: Final = ("JWKS_URL", "JWKS_ISSUER", "JWKS_AUDIENCE")
#: What projections on servers need besides.
SERVERS_NEED: Final = ("CASSANDRA_ADDRESS",)
EXPLAINED: Final = "docs/services.md lists the settings"
RATE_MAX: Final = 100_000
LOOPBACK: Final = "127.0.0.1"


class RefusedError(PermanentError):
    """A server refuses us, or this program refuses to work with what it found there."""

    code = "refused"


class ServingSettings(BaseModel):
    """What every process that serves has: a data folder of its own, and ports."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    profile: ClassVar[str]

    data: Path
    host: str = LOOPBACK
    #: None takes the default port, or a free one when it is taken.
    port: int | None = Field(default=None, ge=0, le=65535)
    metrics_port: int = Field(default=DEFAULT_METRICS_PORT, ge=0, le=65535)
    stream_shards: int = Field(default=4, ge=1, le=64)
    #: The file of the ledger's anchors; None is one in the data folder.
    anchors: Path | None = None
    handler_batch: int = Field(default=1_000, ge=1, le=10_000)
    #: So many seconds a store that failed is left alone before it is tried again.
    breaker_pause_s: float = Field(default=60.0, gt=0, le=600)
    #: Requests a second that one caller may make, for each class of routes; twice as many at once.
    rate_limit_decisions: int = Field(default=10_000, ge=1, le=RATE_MAX)
    rate_limit_reads: int = Field(default=5_000, ge=1, le=RATE_MAX)
    rate_limit_events: int = Field(default=1_000, ge=1, le=RATE_MAX)
    rate_limit_admin: int = Field(default=100, ge=1, le=RATE_MAX)


class EmbeddedSettings(ServingSettings):
    """One process on one machine, which owns its data folder."""

    profile: ClassVar[str] = "embedded"

    cache_bytes: int = Field(default=64 << 20, ge=1 << 20)


class ServicesSettings(ServingSettings):
    """One of several processes that share a database, a cache and key files."""

    profile: ClassVar[str] = "services"

    #: `mysql://user:password@host:port/database?ssl_ca=file`, the writer endpoint.
    mysql_url: str = Field(repr=False)
    #: The same database on its reader endpoint, for lists; None asks the writer for them too.
    mysql_reader_url: str | None = Field(default=None, repr=False)
    #: The same for person keys: a database of their own, with short backups.
    keys_mysql_url: str = Field(repr=False)
    #: `redis://…` or `rediss://…`
    redis_url: str = Field(repr=False)
    #: Folder of the key files, the same for all processes.
    keys: Path
    mysql_connections: int = Field(default=8, ge=2, le=64)
    #: `files`: projections and stream are files of this process, for trying it with fewer servers.
    projections: Literal["servers", "files"] = "servers"
    #: `host:port` of a contact point.
    cassandra_address: str = ""
    cassandra_datacenter: str = "datacenter1"
    cassandra_user: str = ""
    cassandra_password: str = Field(default="", repr=False)
    #: A file of certificate authorities; with it TLS is spoken.
    cassandra_ca: Path | None = None
    aws_region: str = "us-east-1"
    #: Empty: the AWS SDK finds them.
    aws_access_key_id: str = Field(default="", repr=False)
    aws_secret_access_key: str = Field(default="", repr=False)
    aws_session_token: str = Field(default="", repr=False)
    #: Empty: the service's own endpoint in the region.
    dynamodb_endpoint: str = ""
    dynamodb_table: str = "credit-hot-data"
    kinesis_endpoint: str = ""
    kinesis_stream: str = "credit-events"
    #: How many processes share the rate limits: each has that part while Redis is away.
    rate_limit_processes: int = Field(default=2, ge=1, le=64)
    #: Whether processes tell each other of their circuit breakers, on a table beside the hot store.
    shared_breakers: Literal["yes", "no"] = "no"
    #: Where the issuer of tokens publishes its keys; empty: tokens are signed with `token.key`.
    jwks_url: str = ""
    jwks_issuer: str = ""
    jwks_audience: str = ""

    @classmethod
    def from_environment(
        cls,
        data: Path,
        given: Mapping[str, int | Path | None],
        environment: Mapping[str, str] | None = None,
    ) -> Self:
        """
        Read the settings of `SERVICES_NEED` and those of `SERVICES_MAY_HAVE` that are there.

        Raises:
            InvalidInputError: some are missing or malformed; the sentence names them all.
        """
        held = os.environ if environment is None else environment
        servers = held.get("PROJECTIONS", "servers") == "servers"
        needed = (*SERVICES_NEED, *(SERVERS_NEED if servers else ()))
        missing = [name for name in needed if not held.get(name)]
        if missing:
            raise InvalidInputError(
                f"the profile services needs {', '.join(missing)} in its settings: {EXPLAINED}"
            )
        if any(map(held.get, TOGETHER)) and not all(map(held.get, TOGETHER)):
            lacking = ", ".join(name for name in TOGETHER if not held.get(name))
            raise InvalidInputError(f"{lacking} is not set beside the other JWKS_…: {EXPLAINED}")
        more = {name.lower(): held[name] for name in SERVICES_MAY_HAVE if held.get(name)}
        try:
            return cls.model_validate(
                {
                    "data": data, **given,
                    "mysql_url": held["MYSQL_URL"], "keys_mysql_url": held["KEYS_MYSQL_URL"],
                    "redis_url": held["REDIS_URL"], "keys": held["KEYS_DIR"], **more,
                }
            )  # fmt: skip
        except ValidationError as error:
            wrong = error.errors(include_input=False, include_url=False, include_context=False)
            names = ", ".join(str(each["loc"][0]).upper() for each in wrong)
            raise InvalidInputError(f"{names} cannot be what it is: {EXPLAINED}") from None


class CommandLineSettings(BaseModel):
    """What `creditctl` takes from its environment when no option says otherwise."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    token: str | None = None
    url: str = f"http://{LOOPBACK}:{DEFAULT_PORT}"
    data: Path = DEFAULT_DATA
    #: Like `mysql://user:password@host:3306/database`.
    mysql_url: str | None = Field(default=None, repr=False)
    #: Folder of the key files in the profile services.
    keys: Path | None = None

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Self:
        """Read `CREDITCTL_TOKEN`, `CREDITCTL_URL`, `CREDITCTL_DATA`, `MYSQL_URL`, `KEYS_DIR`."""
        held = os.environ if environment is None else environment
        names = {
            "token": "CREDITCTL_TOKEN",
            "url": "CREDITCTL_URL",
            "data": "CREDITCTL_DATA",
            "mysql_url": "MYSQL_URL",
            "keys": "KEYS_DIR",
        }
        return cls.model_validate(
            {field: held[name] for field, name in names.items() if held.get(name)}
        )
