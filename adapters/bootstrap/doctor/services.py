"""What the profile services needs: settings, database, key files and their database, cache."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from adapters.bootstrap.doctor.database import SETTING as MYSQL_URL
from adapters.bootstrap.doctor.database import database
from adapters.bootstrap.doctor.found import Found, fault, faulty, warned, well
from adapters.bootstrap.doctor.keys import APART, key_database, key_files
from adapters.bootstrap.doctor.projections import projections
from adapters.bootstrap.projection_servers import named
from adapters.mysql_address import MysqlAddress
from adapters.security.mysql_key_vault import SETTING as KEYS_MYSQL_URL
from adapters.settings import EXPLAINED, RefusedError, ServicesSettings
from adapters.stores.redis.cluster import endpoint
from adapters.stores.redis.line import Limits, connection_to
from adapters.stores.redis.probe import look
from domain.errors import CreditError, InvalidInputError, PermanentError, TransientError
from domain.ports.time import Clock

KIND: Final = "volatile"
#: Why a start goes on without Redis.
DEGRADED: Final = "until then decisions are made without the cache"
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
    yield from projections(settings, clock)


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
    if seen.role == "slave":
        remedy = "name the primary's endpoint in REDIS_URL"
        yield fault(name, f"Redis at {seen.place} is a replica", remedy)
        return
    yield well(name, f"{seen.place}, version {seen.version or 'not told'}")
    if seen.policy is not None and not seen.policy.startswith(KIND):
        yield warned(
            name,
            f"Redis has the policy {seen.policy} for a full memory, which drops what it likes or"
            " refuses to write",
            "CONFIG SET maxmemory-policy volatile-lru there, and in its configuration",
        )


def malformed(settings: ServicesSettings) -> Iterator[Found]:
    """Yield the settings that name nothing, or the same thing twice."""
    parsers: list[Callable[[], object]] = [
        lambda: MysqlAddress.parse(settings.mysql_url, MYSQL_URL),
        lambda: MysqlAddress.parse(settings.keys_mysql_url, KEYS_MYSQL_URL),
        lambda: connection_to(endpoint(settings.redis_url), Limits()),
    ]
    if settings.projections == "servers":
        parsers.append(lambda: named(settings))
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
