"""Settings, parsed once: one frozen model an entry point. Nothing else reads the environment."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Self

from pydantic import BaseModel, ConfigDict, Field

DEFAULT_PORT: Final = 8080
DEFAULT_METRICS_PORT: Final = 9464
DEFAULT_DATA: Final = Path("~/.credit-platform")
LOOPBACK: Final = "127.0.0.1"


class EmbeddedSettings(BaseModel):
    """One process on one machine, which owns its data folder."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    data: Path
    host: str = LOOPBACK
    #: None takes the default port, or a free one when it is taken.
    port: int | None = Field(default=None, ge=0, le=65535)
    metrics_port: int = Field(default=DEFAULT_METRICS_PORT, ge=0, le=65535)
    stream_shards: int = Field(default=4, ge=1, le=64)
    cache_bytes: int = Field(default=64 << 20, ge=1 << 20)
    handler_batch: int = Field(default=1_000, ge=1, le=10_000)


class CommandLineSettings(BaseModel):
    """What `creditctl` takes from its environment when no option says otherwise."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    token: str | None = None
    url: str = f"http://{LOOPBACK}:{DEFAULT_PORT}"
    data: Path = DEFAULT_DATA
    #: Like `mysql://user:password@host:3306/database`.
    mysql_url: str | None = Field(default=None, repr=False)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Self:
        """Read `CREDITCTL_TOKEN`, `CREDITCTL_URL`, `CREDITCTL_DATA` and `MYSQL_URL`."""
        held = os.environ if environment is None else environment
        names = {
            "token": "CREDITCTL_TOKEN",
            "url": "CREDITCTL_URL",
            "data": "CREDITCTL_DATA",
            "mysql_url": "MYSQL_URL",
        }
        return cls.model_validate(
            {field: held[name] for field, name in names.items() if held.get(name)}
        )
