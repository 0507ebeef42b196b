"""
The SQL of every revision for an embedded file, as the package holds it.

`python -m tests.unit.sql.rendered` writes it anew, after a revision was added.
"""

from adapters.stores.sql.migrations.embedded import FOLDER
from adapters.stores.sql.migrations.scripts import configured, revisions, sqlite_text


def files() -> dict[str, str]:
    """Return the text of each file by its name."""
    return {
        f"{script.revision}.{direction}.sql": sqlite_text(script, direction)
        for script in revisions(configured())
        for direction in ("upgrade", "downgrade")
    }


if __name__ == "__main__":
    for name, text in files().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
