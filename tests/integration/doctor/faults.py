"""What can be wrong with the settings and the servers of a platform, each made on real ones."""

import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Final

import certifi
import redis

from adapters.security.key_ring import KeyRing
from tests.integration.doctor.site import RIGHTS, SECRET, USER, Site
from tests.services.proxy import SILENCE, proxied
from tests.services.server import HOST, free_ports

#: Settings that differ from those of a site where all is well; None takes one away.
Changes = Mapping[str, str | None]
Making = Callable[[Site], AbstractContextManager[Changes]]
NONE: Final[Changes] = {}


@dataclass(frozen=True, slots=True)
class Wrong:
    """A fault: how it is made, the check that names it, words of its sentence, how `up` ends."""

    making: Making
    check: str
    words: str
    remedy: str
    code: int


def setting(name: str, value: Callable[[Site], str | None]) -> Making:
    """Give a setting another value."""

    @contextmanager
    def making(site: Site) -> Iterator[Changes]:
        yield {name: value(site)}

    return making


def statement(text: str, back: str) -> Making:
    """Have the administrator do something, and take it back."""

    @contextmanager
    def making(site: Site) -> Iterator[Changes]:
        with site.changed(text, back):
            yield NONE

    return making


def variable(name: str, value: str) -> Making:
    """Have a global variable of the server set to something else."""

    @contextmanager
    def making(site: Site) -> Iterator[Changes]:
        with site.variable(name, value):
            yield NONE

    return making


def revision(value: str) -> Making:
    """Have the schema's revision say something else."""
    text = "UPDATE alembic_version SET version_num = '{}'"
    return statement(text.format(value), text.format("0002"))


def refused_row(number: int) -> Making:
    """Have the server refuse rows as if its disk were full."""
    return statement(
        "CREATE TRIGGER full_disk BEFORE INSERT ON audit_log FOR EACH ROW"
        f" SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = {number}",
        "DROP TRIGGER full_disk",
    )


@contextmanager
def silence(site: Site) -> Iterator[Changes]:
    with proxied(site.mysql_port) as proxy:
        proxy.faults = SILENCE
        yield {"MYSQL_URL": site.mysql(port=proxy.port)}


@contextmanager
def another_way_to_the_same(site: Site) -> Iterator[Changes]:
    with proxied(site.mysql_port) as proxy:
        yield {"KEYS_MYSQL_URL": site.mysql(port=proxy.port)}


@contextmanager
def reads_only(site: Site) -> Iterator[Changes]:
    with site.user("SELECT ON credit.*") as url:
        yield {"MYSQL_URL": url}


@contextmanager
def one_right_less(site: Site) -> Iterator[Changes]:
    with site.user("SELECT, INSERT, UPDATE ON credit.*") as url:
        yield {"MYSQL_URL": url}


@contextmanager
def no_rights(site: Site) -> Iterator[Changes]:
    with site.user("SELECT ON persons.*") as url:
        yield {"MYSQL_URL": url}


@contextmanager
def keys_read_only(site: Site) -> Iterator[Changes]:
    with site.user("SELECT ON persons.*") as url:
        yield {"KEYS_MYSQL_URL": url.replace("/credit", "/persons")}


@contextmanager
def empty_database(site: Site) -> Iterator[Changes]:
    with site.changed("CREATE DATABASE nothing", "DROP DATABASE nothing"):
        grant = f"{RIGHTS} ON nothing.* TO '{USER}'@'{HOST}'"
        with site.changed(f"GRANT {grant}", f"REVOKE {grant.replace(' TO ', ' FROM ')}"):
            yield {"MYSQL_URL": site.mysql(database="nothing")}


@contextmanager
def another_time(site: Site) -> Iterator[Changes]:
    # Told to whoever logs in without being an administrator.
    with site.variable("init_connect", "'SET timestamp = UNIX_TIMESTAMP() + 90'"):
        yield NONE


def redis_setting(name: str, value: str, changes: Changes = NONE) -> Making:
    """Have a setting of Redis differ."""

    @contextmanager
    def making(site: Site) -> Iterator[Changes]:
        with redis.Redis.from_url(site.redis) as admin:
            before = admin.config_get(name)
            assert isinstance(before, dict)
            admin.config_set(name, value)
            try:
                yield changes
            finally:
                admin.config_set(name, before[name])

    return making


@contextmanager
def replica(site: Site) -> Iterator[Changes]:
    with redis.Redis.from_url(site.redis) as admin:
        admin.replicaof(HOST, free_ports(1)[0])
        try:
            yield NONE
        finally:
            admin.replicaof("NO", "ONE")


def key_folder(touch: Callable[[Site], None]) -> Making:
    """Have a copy of the key files with something done to it."""

    @contextmanager
    def making(site: Site) -> Iterator[Changes]:
        copy = Site(site.admin, site.redis, site.folder / "copy")
        shutil.copytree(site.keys, copy.keys)
        touch(copy)
        try:
            yield {"KEYS_DIR": str(copy.keys)}
        finally:
            shutil.rmtree(copy.folder)

    return making


def renewed(name: str) -> Callable[[Site], None]:
    """Put another key in the place of one."""

    def touch(site: Site) -> None:
        (site.keys / name).unlink()
        KeyRing.load_or_create(site.keys / name)

    return touch


def damaged(site: Site) -> None:
    (site.keys / "token.key").write_bytes(b"{}")


def a_folder_in_its_place(site: Site) -> None:
    (site.keys / "token.key").unlink()
    (site.keys / "token.key").mkdir()


REACH: Final[Mapping[str, Wrong]] = {
    "a setting is missing": Wrong(
        setting("REDIS_URL", lambda _: None), "settings", "needs REDIS_URL", "services.md", 2
    ),
    "an address is none": Wrong(
        setting("MYSQL_URL", lambda _: f"mysql://app:{SECRET}@h:port/"),
        "settings", "MYSQL_URL is not mysql://", "services.md", 2,
    ),
    "a Redis address is none": Wrong(
        setting("REDIS_URL", lambda _: f"http://:{SECRET}@h"),
        "settings", "REDIS_URL is not redis://", "services.md", 2,
    ),
    "both databases are one": Wrong(
        setting("KEYS_MYSQL_URL", lambda site: site.mysql(username="app")),
        "settings", "the same database", "of their own", 2,
    ),
    "both databases are one by another way": Wrong(
        another_way_to_the_same, "key database", "the database of the decisions", "of their own", 2
    ),
    "the host is unknown": Wrong(
        setting("MYSQL_URL", lambda site: site.mysql(host="nowhere.invalid")),
        "database", "a host that is not known", "host in MYSQL_URL", 3,
    ),
    "nobody listens": Wrong(
        setting("MYSQL_URL", lambda site: site.mysql(port=free_ports(1)[0])),
        "database", "refuses the connection", "start the server", 3,
    ),
    "no answer": Wrong(silence, "database", "does not answer in time", "drops the packets", 3),
    "an authority that cannot be read": Wrong(
        setting("MYSQL_URL", lambda site: site.mysql(query={"ssl_ca": "/nowhere.pem"})),
        "database", "ssl_ca, ssl_cert or ssl_key cannot be read", "path in MYSQL_URL", 4,
    ),
    "a server without TLS": Wrong(
        setting("MYSQL_URL", lambda site: site.mysql(query={"ssl_ca": certifi.where()})),
        "database", "speaks no TLS", "ssl_ca in MYSQL_URL", 4,
    ),
    "another password": Wrong(
        setting("MYSQL_URL", lambda site: site.mysql(password=f"not-{SECRET}")),
        "database", "refuses user or password", "in MYSQL_URL", 4,
    ),
    "another password of the keys": Wrong(
        setting("KEYS_MYSQL_URL", lambda site: site.mysql(password="no", database="persons")),
        "key database", "refuses user or password", "in KEYS_MYSQL_URL", 4,
    ),
    "a Redis with a password": Wrong(
        redis_setting("requirepass", SECRET), "cache", "refuses the login", "in REDIS_URL", 4
    ),
    "a Redis without that database": Wrong(
        setting("REDIS_URL", lambda site: site.redis.replace("/0", "/99")),
        "cache", "no such database", "correct the number", 4,
    ),
    "a replica of Redis": Wrong(replica, "cache", "is a replica", "primary's endpoint", 4),
}  # fmt: skip

STATE: Final[Mapping[str, Wrong]] = {
    "no such database": Wrong(
        setting("MYSQL_URL", lambda site: site.mysql(database="absent", username="app",
                                                     password="app")),
        "database", "no such database", "create it", 4,
    ),
    "no rights": Wrong(no_rights, "database", "not use the database", "GRANT SELECT", 4),
    "rights to read": Wrong(
        reads_only, "database rights", "may not INSERT in", "GRANT INSERT ON credit.*", 4
    ),
    "one right less": Wrong(
        one_right_less, "database rights", "may not DELETE in", "GRANT DELETE ON credit.*", 4
    ),
    "keys to read": Wrong(
        keys_read_only, "key database", "may not INSERT, UPDATE", "GRANT INSERT, UPDATE", 4
    ),
    "no schema": Wrong(
        empty_database, "database schema", "no schema yet", "creditctl db upgrade", 4
    ),
    "an older schema": Wrong(
        revision("0001"), "database schema", "older than 0002", "creditctl db upgrade", 4
    ),
    "a newer schema": Wrong(
        revision("9999"), "database schema", "newer than 0002", "creditctl db downgrade", 4
    ),
    "a table is missing": Wrong(
        statement("RENAME TABLE reviews TO gone", "RENAME TABLE gone TO reviews"),
        "database tables", "the table reviews is missing", "backup", 4,
    ),
    "a column is missing": Wrong(
        statement("ALTER TABLE offers RENAME COLUMN terms TO gone",
                  "ALTER TABLE offers RENAME COLUMN gone TO terms"),
        "database tables", "offers lacks the column terms", "backup", 4,
    ),
    "an index is missing": Wrong(
        statement("ALTER TABLE offers DROP INDEX idx_offer_decision",
                  "ALTER TABLE offers ADD INDEX idx_offer_decision (decision_id)"),
        "database tables", "lacks the index idx_offer_decision",
        "CREATE INDEX idx_offer_decision ON offers (decision_id)", 4,
    ),
    "a unique index is missing": Wrong(
        statement("ALTER TABLE contracts DROP INDEX uq_contract_decision",
                  "ALTER TABLE contracts ADD CONSTRAINT uq_contract_decision UNIQUE (decision_id)"),
        "database tables", "lacks the index uq_contract_decision", "UNIQUE (decision_id)", 4,
    ),
    "an index of something else": Wrong(
        statement("ALTER TABLE offers DROP INDEX idx_offer_decision,"
                  " ADD INDEX idx_offer_decision (person_id)",
                  "ALTER TABLE offers DROP INDEX idx_offer_decision,"
                  " ADD INDEX idx_offer_decision (decision_id)"),
        "database tables", "lacks the index idx_offer_decision", "CREATE INDEX", 4,
    ),
    "short packets": Wrong(
        variable("max_allowed_packet", "1048576"),
        "database settings", "at most 1024 KiB", "max_allowed_packet = 16777216", 4,
    ),
    "a reader": Wrong(
        variable("read_only", "1"), "database writer", "is read-only", "writer's endpoint", 4
    ),
    "another time": Wrong(another_time, "database clock", "s ahead of this machine's", "NTP", 4),
    "a full disk": Wrong(refused_row(1021), "database room", "has no room", "space there", 4),
    "a full table": Wrong(refused_row(1114), "database room", "has no room", "space there", 4),
}  # fmt: skip

KEY_FILES: Final[Mapping[str, Wrong]] = {
    "others can read one": Wrong(
        key_folder(lambda site: (site.keys / "request.key").chmod(0o640)),
        "key files", "request.key may be read by others", "chmod 600", 4,
    ),
    "one is damaged": Wrong(
        key_folder(damaged),
        "key files", "token.key is not a key file", "copy the key files", 4,
    ),
    "one cannot be read": Wrong(
        key_folder(a_folder_in_its_place), "key files", "token.key cannot be read", "chmod 600", 4
    ),
    "one is missing": Wrong(
        key_folder(lambda site: (site.keys / "request.key").unlink()),
        "key files of the vault", "lacks request.key", "copy the key files", 4,
    ),
    "the folder is a file": Wrong(
        setting("KEYS_DIR", lambda site: str(site.keys / "token.key")),
        "key files", "is no folder", "in KEYS_DIR", 4,
    ),
    "another wrapping key": Wrong(
        key_folder(renewed("wrapping.key")),
        "key files of the vault", "not those of this vault", "copy the key files", 4,
    ),
    "another index key": Wrong(
        key_folder(renewed("index.key")),
        "key files of the vault", "not those of this vault", "copy the key files", 4,
    ),
}  # fmt: skip

#: What works and should be better.
WARNINGS: Final[Mapping[str, Wrong]] = {
    "commits that may be lost": Wrong(
        variable("innodb_flush_log_at_trx_commit", "2"),
        "database settings", "before it is on disk", "innodb_flush_log_at_trx_commit = 1", 0,
    ),
    "a memory that drops anything": Wrong(
        redis_setting("maxmemory-policy", "allkeys-lru"),
        "cache", "the policy allkeys-lru", "maxmemory-policy volatile-lru", 0,
    ),
    "a memory that refuses": Wrong(
        redis_setting("maxmemory-policy", "noeviction"),
        "cache", "the policy noeviction", "maxmemory-policy volatile-lru", 0,
    ),
}  # fmt: skip


@contextmanager
def silent_redis(site: Site) -> Iterator[Changes]:
    with proxied(site.redis_port) as proxy:
        proxy.faults = SILENCE
        yield {"REDIS_URL": f"redis://{HOST}:{proxy.port}/0"}


#: What a start goes on without.
WITHOUT: Final[Mapping[str, Wrong]] = {
    "nobody listens": Wrong(
        setting("REDIS_URL", lambda _: f"redis://:{SECRET}@{HOST}:{free_ports(1)[0]}/0"),
        "cache", "refuses the connection", "without the cache", 0,
    ),
    "no answer": Wrong(
        silent_redis, "cache", "does not answer in time", "without the cache", 0
    ),
    "the host is unknown": Wrong(
        setting("REDIS_URL", lambda _: f"redis://:{SECRET}@nowhere.invalid:6379/0"),
        "cache", "a host that is not known", "without the cache", 0,
    ),
}  # fmt: skip
