"""What a service asks when it starts: whether the schema is the one that it knows."""

from collections.abc import Iterable
from typing import Final

from adapters.stores.sql.schema import VERSION
from domain.errors import PermanentError

REVISION: Final = f"{VERSION:04d}"
#: Where Alembic keeps the revision; error 1146 (no such table) means that there is no schema yet.
READ_REVISION: Final = "SELECT version_num FROM alembic_version"


def check_revision(rows: Iterable[tuple[str]]) -> None:
    """
    Let the rows of `READ_REVISION` pass; no row stands for no schema.

    Raises:
        PermanentError: it is another one; the sentence names both and what to do.
    """
    found = "".join(row[0] for row in rows)
    if found == REVISION:
        return
    if not found:
        raise PermanentError("the database holds no schema yet: run `creditctl db upgrade`")
    if found < REVISION:
        raise PermanentError(
            f"the database has schema {found}, older than {REVISION} of this program:"
            " run `creditctl db upgrade`"
        )
    raise PermanentError(
        f"the database has schema {found}, newer than {REVISION} of this program: start the program"
        f" of that schema, or run its `creditctl db downgrade --to {REVISION}`"
    )
