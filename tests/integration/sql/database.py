"""A database of a test's own on the server of the suite."""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import count
from pathlib import Path
from typing import Any, Final

import pymysql
from sqlalchemy import make_url

NUMBERS: Final = count(1)
REVISIONS: Final = Path(__file__).parent / "revisions"


def connected(url: str, **options: Any) -> "pymysql.Connection[Any]":
    """Return a connection that commits each statement unless told otherwise."""
    place = make_url(url)
    given = {"autocommit": True, **options}
    return pymysql.connect(
        host=place.host,
        port=place.port or 3306,
        user=place.username,
        password=str(place.password),
        database=place.database,
        **given,
    )


def ask(url: str, statement: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
    """Return the rows of one statement."""
    with closing(connected(url)) as connection, connection.cursor() as cursor:
        cursor.execute(statement, tuple(parameters))
        return list(cursor.fetchall())


@contextmanager
def fresh(server: str) -> Iterator[str]:
    """Have an empty database whose defaults are wrong for us, and drop it."""
    name = f"schema_{next(NUMBERS)}"
    ask(server, f"CREATE DATABASE {name} CHARACTER SET latin1 COLLATE latin1_swedish_ci")
    try:
        yield make_url(server).set(database=name).render_as_string(hide_password=False)
    finally:
        ask(server, f"DROP DATABASE {name}")


def described(url: str) -> dict[str, list[tuple[Any, ...]]]:
    """Return tables, columns and indices as the server describes them."""
    texts = {
        "tables": "SELECT table_name, engine, row_format, table_collation"
        " FROM information_schema.tables",
        "columns": "SELECT table_name, ordinal_position, column_name, column_type, is_nullable,"
        " column_default, character_set_name, collation_name, extra"
        " FROM information_schema.columns",
        "indices": "SELECT table_name, index_name, seq_in_index, column_name, non_unique, sub_part"
        " FROM information_schema.statistics",
    }
    where = " WHERE table_schema = DATABASE() AND table_name <> 'alembic_version'"
    return {name: sorted(ask(url, text + where), key=repr) for name, text in texts.items()}
