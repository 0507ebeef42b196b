"""One look at a Redis endpoint, for `creditctl doctor` and for a start."""

import socket
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import MovedError, NoPermissionError, RedisError
from redis.retry import Retry

from adapters.stores.redis.cluster import endpoint, is_cluster
from adapters.stores.redis.errors import CacheRefusedError, translated
from domain.errors import PermanentError, TransientError

SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True)
class Seen:
    """What the server says of itself; None where this login may not ask."""

    place: str
    version: str | None = None
    policy: str | None = None
    role: str | None = None
    #: Whether the server is a node of a cluster.
    cluster: bool | None = None


def look(url: str) -> Seen:
    """
    Ask the server; blocks for some seconds at most.

    Raises:
        PermanentError: it refuses, and will until the settings are corrected.
        TransientError: it is away; the sentence says how, and what to do.
    """
    clustered = is_cluster(url)
    url = endpoint(url)
    parts = urlsplit(url)
    place = f"{parts.hostname}:{parts.port or 6379}"
    retry = Retry(NoBackoff(), 0)
    limits = {"socket_timeout": SECONDS, "socket_connect_timeout": SECONDS, "retry": retry}
    with Redis.from_url(url, **limits) as client:
        try:
            _read(client, clustered=clustered)
            return _seen(client, place)
        except (RedisError, OSError) as error:
            told = translated(error)
            if isinstance(told, CacheRefusedError):
                raise PermanentError(str(told)) from None
            raise TransientError(f"{place} {_why(error)}") from None


def _read(client: "Redis", *, clustered: bool) -> None:
    try:
        client.get("check")
    except MovedError:
        # What a node of a cluster says of the keys of others, and only of it is expected.
        if not clustered:
            raise


def _seen(client: "Redis", place: str) -> Seen:
    try:
        # The driver does not say what this returns.
        said: Any = client.info()
    except NoPermissionError:
        return Seen(place)
    return Seen(
        place,
        version=said.get("redis_version"),
        policy=said.get("maxmemory_policy"),
        role=said.get("role"),
        cluster=bool(said.get("cluster_enabled")),
    )


def _why(error: BaseException) -> str:
    chain: BaseException | None = error
    while chain is not None:
        if isinstance(chain, socket.gaierror):
            return "is a host that is not known: correct the host in REDIS_URL"
        if isinstance(chain, ConnectionRefusedError):
            return "refuses the connection: start the server, or correct host and port"
        if isinstance(chain, TimeoutError):
            return (
                "does not answer in time: see that the server is well, and that nothing between"
                " drops the packets"
            )
        chain = chain.__cause__ or chain.__context__
    return "breaks the connection off: see that Redis or Valkey listens there, and its log"
