"""
Values as MySQL reads them in a text, whatever `sql_mode` the session has.

Nothing is escaped: a text of harmless characters stands in quotes, every other one, and all bytes,
in hexadecimal. So no value can end its quotes, on a session without NO_BACKSLASH_ESCAPES either.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Any, Final

#: Neither a quote nor a backslash nor anything outside ASCII.
HARMLESS: Final = re.compile(r"[A-Za-z0-9 ._:/+=,@#~-]*").fullmatch


def literal(value: Any) -> str:
    """
    Return a value as a literal.

    Raises:
        ValueError: a type that no column has (a float among them), or text that is not Unicode.
    """
    kind = type(value)
    if kind is str:
        return f"'{value}'" if HARMLESS(value) else f"_utf8mb4 x'{value.encode().hex()}'"
    if kind is int:
        return str(value)
    if kind is bytes:
        return f"x'{value.hex()}'"
    if value is None:
        return "NULL"
    if kind is bool:
        return "1" if value else "0"
    if isinstance(value, str):
        return literal(str(value))
    raise ValueError(f"no column holds a {kind.__name__}")


def row_literals(values: Sequence[Any]) -> tuple[str, ...]:
    """Return the values of a row as `literal` does; texts are looked at all at once."""
    if not HARMLESS("".join([value for value in values if type(value) is str])):
        return tuple(map(literal, values))
    return tuple(
        f"'{value}'"
        if (kind := type(value)) is str
        else str(value)
        if kind is int
        else literal(value)
        for value in values
    )


def literals(values: Iterable[Any]) -> str:
    """Return values separated by commas; for none, a list that nothing is in."""
    return ",".join(map(literal, values)) or "NULL"
