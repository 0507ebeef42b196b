"""The key files, and the database of person keys that they belong to."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

from adapters.bootstrap.doctor.asked import FAILURES, asking, refused
from adapters.bootstrap.doctor.found import Found, fault, faulty, well
from adapters.mysql_address import MysqlAddress
from adapters.security.key_ring import KeyRing
from adapters.security.mysql_key_vault import SETTING, MysqlKeyVault
from adapters.security.witness import WITNESS
from adapters.settings import ServicesSettings
from adapters.stores.embedded.directory import (
    INDEX_KEY,
    REQUEST_KEY,
    SIGNING_KEY,
    TOKEN_KEY,
    WRAPPING_KEY,
)
from adapters.stores.sql.mysql_causes import cause_of, number_of
from domain.errors import CreditError, InvalidInputError, TransientError
from domain.ports.time import Clock

#: The two that person keys depend on.
VAULT_FILES: Final = (WRAPPING_KEY, INDEX_KEY)
#: What all processes share once one has started: with others they would not know one another's
#: persons, tokens and repeated requests.
SHARED: Final = (*VAULT_FILES, TOKEN_KEY, REQUEST_KEY)
FILES: Final = (*SHARED, SIGNING_KEY)
NO_DATABASE: Final = 1049
NO_TABLE: Final = 1146
DENIED: Final = frozenset({1044, 1142, 1143})
TRUTH: Final = (
    "SELECT COUNT(*) FROM information_schema.tables"
    " WHERE table_schema = DATABASE() AND table_name = 'credit_decisions'"
)
WITNESSED: Final = f"SELECT COUNT(*) FROM person_keys WHERE person_id = '{WITNESS}'"  # noqa: S608  our own word
NEEDS: Final = {
    "SELECT": "EXPLAIN SELECT person_id FROM person_keys WHERE 1 = 0",
    "INSERT": "EXPLAIN INSERT INTO person_keys SELECT * FROM person_keys WHERE 1 = 0",
    "UPDATE": "EXPLAIN UPDATE person_keys SET wrapped = wrapped WHERE 1 = 0",
}
OTHERS: Final = "copy the key files of a process that works: all need the same"
APART: Final = "give person keys a database of their own: their backups are shorter"
OWN: Final = "make it a file of the user that runs the platform, chmod 600"
OWNER: Final = "make it a folder of the user that runs the platform, chmod 700"
NEW: Final = "it is made at the first start"


def key_files(folder: Path, names: tuple[str, ...] = FILES) -> Iterator[Found]:
    """Yield what is wrong with the files that are there."""
    try:
        held = [folder / name for name in names if (folder / name).exists()]
    except OSError as error:
        yield fault("key files", f"{folder} cannot be looked into ({error.strerror})", OWNER)
        return
    if folder.exists() and not folder.is_dir():
        yield fault("key files", f"{folder} is no folder", "name a folder in KEYS_DIR")
        return
    faults = [found for path in held for found in _file(path)]
    yield from faults
    if not faults:
        told = f"{len(held)} of {len(names)} are there"
        more = "" if len(held) == len(names) else "; the others are made at the next start"
        yield well("key files", told + more)


def key_database(
    settings: ServicesSettings, address: MysqlAddress, clock: Clock
) -> Iterator[Found]:
    """Yield what is found of the vault; a first start makes its database and table."""
    name = "key database"
    place = f"{address.host}:{address.port}/{address.database}"
    try:
        with asking(address, SETTING) as asked:
            if asked.rows(TRUTH) != [(0,)]:
                yield fault(
                    name,
                    f"{SETTING} names the database of the decisions",
                    APART,
                    InvalidInputError,
                )
                return
            refusal = asked.refused(NEEDS["SELECT"])
            if refusal == NO_TABLE:
                yield well(name, f"{place} has no keys yet; the table is made at the first start")
                return
            lacking = [right for right, text in NEEDS.items() if asked.refused(text) in DENIED]
            if lacking:
                yield fault(
                    name,
                    f"the user of {SETTING} may not {', '.join(lacking)} in person_keys",
                    f"GRANT {', '.join(lacking)} ON {address.database}.* to that user",
                )
                return
            witnessed = asked.rows(WITNESSED) != [(0,)]
    except FAILURES as error:
        if number_of(error) == NO_DATABASE:
            yield well(name, f"{place} is not there yet; {NEW}")
        else:
            yield refused(name, cause_of(error, address, SETTING))
        return
    yield well(name, place)
    yield from _belonging(settings, clock, witnessed=witnessed)


def _belonging(settings: ServicesSettings, clock: Clock, *, witnessed: bool) -> Iterator[Found]:
    """Yield whether the key files are those of the vault."""
    name, folder = "key files of the vault", settings.keys.expanduser()
    missing = [each for each in SHARED if not (folder / each).exists()]
    if not witnessed:
        yield well(name, "the vault holds no keys yet")
    elif missing:
        lacking = " and ".join(missing)
        yield fault(name, f"KEYS_DIR lacks {lacking}, which other processes use", OTHERS)
    else:
        yield from _compared(settings, clock, folder)


def _compared(settings: ServicesSettings, clock: Clock, folder: Path) -> Iterator[Found]:
    name = "key files of the vault"
    try:
        kek, index = (KeyRing.load_or_create(folder / each) for each in VAULT_FILES)
        vault = MysqlKeyVault(settings.keys_mysql_url, kek=kek, index=index, clock=clock)
        with closing(vault):
            vault.compare()
    except TransientError as error:
        yield fault(name, str(error), "see the key database", TransientError)
    except (CreditError, OSError):
        # Which of the two keys differs helps nobody: both are copied.
        yield fault(name, "the files in KEYS_DIR are not those of this vault", OTHERS)
    else:
        yield well(name, "the files are those of this vault")


def _file(path: Path) -> Iterator[Found]:
    try:
        KeyRing.load_or_create(path)
    except CreditError as error:
        found = faulty("key files", error)
        yield found if found.remedy else fault("key files", found.detail, OTHERS)
    except OSError as error:
        yield fault(
            "key files",
            f"{path.name} cannot be read ({error.strerror or type(error).__name__})",
            OWN,
        )
