"""What the profile services needs: settings, database, key files and their database, cache."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from adapters.bootstrap.doctor.database import SETTING as MYSQL_URL
from adapters.bootstrap.doctor.database import database
from adapters.bootstrap.doctor.found import Found, fault, faulty, warned, well
from adapters.bootstrap.doctor.keys import APART, key_database, key_files
from adapters.bootstrap.doctor.projections import breakers, projections
from adapters.bootstrap.doctor.tokens import token_keys
from adapters.bootstrap.projection_servers import named
from adapters.bootstrap.token_checks import published
from adapters.mysql_address import MysqlAddress
from adapters.security.mysql_key_vault import SETTING as KEYS_MYSQL_URL
from adapters.settings import EXPLAINED, RefusedError, ServicesSettings
from adapters.stores.redis.cluster import endpoint, is_cluster
from adapters.stores.redis.line import Limits, connection_to
from adapters.stores.redis.probe import look
from adapters.system import SystemClock
from domain.errors import CreditError, InvalidInputError, PermanentError, TransientError
from domain.ports.time import Clock

KIND: Final = "volatile"
#: Why a start goes on without Redis.
DEGRADED: Final = "until then decisions are made without the cache"
#: Half of the keys would be refused, or more.
NODE: Final = (
    "REDIS_URL names a node of a cluster",
    "begin it with redis+cluster:// or rediss+cluster://",
)
SINGLE: Final = "begin REDIS_URL with redis:// or rediss://, or name a node of the cluster"
LOCAL: Final = frozenset({"localhost", "127.0.0.1", "::1"})


def settled(
    data: Path, environment: Mapping[str, str] | None = None
) -> tuple[ServicesSettings | None, list[Found]]:
    """Return the settings, None when they cannot be used, and what is found of them."""
    try:
        settings = ServicesSettings.from_environment(data, {}, environment)
    except InvalidInputError as error:
        return None, [faulty("settings", error, InvalidInputError)]
    faults = list(malformed(settings))
    return (None, faults) if faults else (settings, [well("settings", "all there")])


def services(settings: ServicesSettings, clock: Clock) -> Iterator[Found]:
    """Yield what is found, part by part; settings that `settled` let pass are well formed."""
    truth = MysqlAddress.parse(settings.mysql_url, MYSQL_URL)
    keys = MysqlAddress.parse(settings.keys_mysql_url, KEYS_MYSQL_URL)
    yield from database(truth, clock)
    yield from key_files(settings.keys.expanduser())
    yield from key_database(settings, keys, clock)
    yield from cache(settings.redis_url)
    yield _rate_limits(settings)
    yield from projections(settings, clock)
    yield from breakers(settings, clock)
    yield from token_keys(settings, clock)


def cache(url: str) -> Iterator[Found]:
    """Yield what is found of Redis; while it is away a start goes on without it."""
    name = "cache"
    try:
        seen = look(url)
    except TransientError as error:
        found = faulty(name, error)
        yield fault(name, f"Redis at {found.detail}", f"{found.remedy}; {DEGRADED}", None)
        return
    except PermanentError as error:
        yield faulty(name, error, RefusedError)
        return
    clustered = is_cluster(url)
    if seen.cluster and not clustered:
        yield fault(name, *NODE)
        return
    # A cluster's replica tells where the primaries are.
    if seen.role == "slave" and not (clustered and seen.cluster):
        remedy = "name the primary's endpoint in REDIS_URL"
        yield fault(name, f"Redis at {seen.place} is a replica", remedy)
        return
    yield well(name, f"{seen.place}, version {seen.version or 'not told'}")
    if clustered and seen.cluster is False:
        yield warned(name, f"Redis at {seen.place} is no node of a cluster", SINGLE)
    if seen.policy is not None and not seen.policy.startswith(KIND):
        yield warned(
            name,
            f"Redis has the policy {seen.policy} for a full memory, which drops what it likes or"
            " refuses to write",
            "CONFIG SET maxmemory-policy volatile-lru there, and in its configuration",
        )


def _rate_limits(settings: ServicesSettings) -> Found:
    rates = {
        "decisions": settings.rate_limit_decisions,
        "reads": settings.rate_limit_reads,
        "events": settings.rate_limit_events,
        "admin": settings.rate_limit_admin,
    }
    told = ", ".join(f"{name} {rate}" for name, rate in rates.items())
    return well(
        "rate limits",
        f"a second and caller: {told}; shared by {settings.rate_limit_processes} processes",
    )


def malformed(settings: ServicesSettings) -> Iterator[Found]:
    """Yield the settings that name nothing, or the same thing twice."""
    parsers: list[Callable[[], object]] = [
        lambda: MysqlAddress.parse(settings.mysql_url, MYSQL_URL),
        lambda: MysqlAddress.parse(settings.keys_mysql_url, KEYS_MYSQL_URL),
        lambda: connection_to(endpoint(settings.redis_url), Limits()),
        lambda: named(settings),
        lambda: published(settings, SystemClock()),
    ]
    for parse in parsers:
        try:
            parse()
        except CreditError as error:
            yield fault("settings", str(error), EXPLAINED, InvalidInputError)
    if _place(settings.mysql_url) == _place(settings.keys_mysql_url):
        yield fault(
            "settings",
            f"{KEYS_MYSQL_URL} names the same database as {MYSQL_URL}",
            APART,
            InvalidInputError,
        )


def _place(url: str) -> tuple[str, int, str] | None:
    """Return what an address names, whoever logs in."""
    try:
        parts = MysqlAddress.parse(url, "")
    except PermanentError:
        return None
    host = urlsplit(f"//{parts.host}").hostname or parts.host
    return ("localhost" if host in LOCAL else host, parts.port, parts.database)
