"""The database of the decisions: is it there, is it ours, does it keep what it is told."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Final

from adapters.bootstrap.doctor.asked import FAILURES, Asked, asking, refused
from adapters.bootstrap.doctor.found import Found, fault, faulty, warned, well
from adapters.bootstrap.doctor.tables import rights, tables
from adapters.mysql_address import MysqlAddress
from adapters.stores.sql.migrations.version import READ_REVISION, REVISION, check_revision
from adapters.stores.sql.mysql_causes import READER, cause_of
from adapters.stores.sql.mysql_session import SETUP
from domain.errors import PermanentError
from domain.ports.time import Clock

SETTING: Final = "MYSQL_URL"
NO_TABLE: Final = 1146
PACKET_BYTES_MIN: Final = 16 << 20
SKEW_SECONDS_MAX: Final = 1.0
#: One that a server does not know is not in its answer.
VARIABLES: Final = (
    "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('innodb_flush_log_at_trx_commit',"
    " 'max_allowed_packet', 'read_only', 'innodb_read_only', 'log_bin', 'binlog_format',"
    " 'version')"
)
OFF: Final = frozenset({"OFF", "0", ""})
NOW: Final = "SELECT UTC_TIMESTAMP(6)"
#: Rolled back: it shows that there is room, and leaves nothing.
TRY_ROW: Final = (
    "INSERT INTO audit_log (entry_id, at_us, actor, action, subject, detail)"
    " VALUES (UUID(), 0, 'doctor', 'try', '', '')"
)


def database(address: MysqlAddress, clock: Clock) -> Iterator[Found]:
    """Yield what is found; after a fault that hides the rest, nothing more."""
    name = "database"
    try:
        with asking(address, SETTING) as asked:
            name = "database session"
            for statement in SETUP.split("; "):
                asked.rows(statement)
            held = {str(key).lower(): str(value) for key, value in asked.rows(VARIABLES)}
            place = f"{address.host}:{address.port}/{address.database}"
            yield well("database", f"{place}, version {held.get('version', 'unknown')}")
            for name, look in _LOOKS.items():  # noqa: B007  the name is for what goes wrong
                yield from look(asked, held, clock)
    except FAILURES as error:
        yield refused(name, cause_of(error, address, SETTING))


def _settings(_asked: Asked, held: Mapping[str, str], _clock: Clock) -> Iterator[Found]:
    name = "database settings"
    if _on(held, "log_bin") and held.get("binlog_format", "").upper() == "STATEMENT":
        yield fault(
            name,
            "the server logs statements, which no READ COMMITTED transaction can be written in",
            "SET GLOBAL binlog_format = 'ROW' there, and in its configuration",
        )
    packet = int(held.get("max_allowed_packet", PACKET_BYTES_MIN))
    if packet < PACKET_BYTES_MIN:
        yield fault(
            name,
            f"the server takes packets of at most {packet >> 10} KiB; a batch may be longer",
            f"SET GLOBAL max_allowed_packet = {PACKET_BYTES_MIN} there, and in its configuration",
        )
    if held.get("innodb_flush_log_at_trx_commit") != "1":
        yield warned(
            name,
            "the server acknowledges a commit before it is on disk: a power loss loses decisions",
            "SET GLOBAL innodb_flush_log_at_trx_commit = 1 there, and in its configuration",
        )
    else:
        yield well(name, "a commit is on disk before its answer")


def _writer(asked: Asked, held: Mapping[str, str], _clock: Clock) -> Iterator[Found]:
    name = "database writer"
    if not _reader(held):
        yield well(name, "the server takes writes")
        return
    what, remedy = READER
    place = f"{asked.address.host}:{asked.address.port}"
    yield fault(name, f"{place} {what}", remedy.format(setting=SETTING))


def _skew(asked: Asked, _held: Mapping[str, str], clock: Clock) -> Iterator[Found]:
    name = "database clock"
    before = clock.now()
    ((there,),) = asked.rows(NOW)
    after = clock.now()
    if not isinstance(there, datetime):
        raise TypeError("the driver gives an instant")
    instant = there.replace(tzinfo=UTC)
    # What lies between the two readings of our clock is the trip, and no skew.
    ahead, behind = (instant - after).total_seconds(), (before - instant).total_seconds()
    skew = max(ahead, behind, 0.0)
    if skew > SKEW_SECONDS_MAX:
        side = "ahead of" if ahead > behind else "behind"
        yield fault(
            name,
            f"the database's clock is {skew:.1f} s {side} this machine's",
            "have both set by the same time servers (NTP)",
        )
    else:
        yield well(name, f"{skew:.3f} s from this machine's")


def _schema(asked: Asked, held: Mapping[str, str], _clock: Clock) -> Iterator[Found]:
    name = "database schema"
    refusal = asked.refused(READ_REVISION)
    try:
        if refusal in {0, NO_TABLE}:
            check_revision([] if refusal else asked.rows(READ_REVISION))
    except PermanentError as error:
        yield faulty(name, error)
        return
    if not refusal:
        yield well(name, f"schema {REVISION}, as this program needs it")
        yield from tables(asked)
    yield from rights(asked, SETTING, reads_only=_reader(held))
    if not _reader(held):
        yield from _room(asked)


def _room(asked: Asked) -> Iterator[Found]:
    asked.rows("BEGIN")
    try:
        asked.rows(TRY_ROW)
    except FAILURES as error:
        yield refused("database room", asked.cause(error))
    else:
        yield well("database room", "a row can be written (and was taken back)")
    asked.rows("ROLLBACK")


def _reader(held: Mapping[str, str]) -> bool:
    return _on(held, "read_only") or _on(held, "innodb_read_only")


def _on(held: Mapping[str, str], variable: str) -> bool:
    return held.get(variable, "").upper() not in OFF


_LOOKS: Final = {
    "database settings": _settings,
    "database writer": _writer,
    "database clock": _skew,
    "database schema": _schema,
}
