"""Lists as inputs: read whole, or missing whole."""

from collections.abc import Callable, Mapping
from typing import Any

from decision_engine.policy.values import Entry, Scalar, Value

Reader = Callable[[object], Value | None]
ScalarReader = Callable[[object], Scalar | None]


def list_reader(item: Reader, most: int) -> Reader:
    """
    Return what reads a list of at most `most` elements, or None.

    One element that is no value of its kind makes the whole list missing: a list without it would
    be another list, and could approve.
    """

    def read(value: object) -> Value | None:
        if not isinstance(value, list | tuple) or len(value) > most:
            return None
        items = [item(element) for element in value]
        return None if any(element is None for element in items) else tuple(items)  # type: ignore[arg-type]

    return read


def record_reader(fields: tuple[tuple[str, ScalarReader], ...]) -> Reader:
    """Return what reads an object with exactly these fields, each of its kind, or None."""
    names = {name for name, _ in fields}

    def read(value: object) -> Value | None:
        found: Mapping[Any, object]
        if isinstance(value, Entry):
            found = dict(value.fields)
        elif isinstance(value, Mapping):
            found = value
        else:
            return None
        if set(found) != names:
            return None
        values = [(name, scalar(found[name])) for name, scalar in fields]
        return None if any(part is None for _, part in values) else Entry(tuple(values))  # type: ignore[arg-type]

    return read
