"""Tables of the model database: their declaration, their rows, their indices."""

import itertools
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

Row = dict[str, Any]
Key = tuple[Any, ...]
Where = Mapping[str, Any] | Callable[[Row], bool]

PRIMARY: Final = "PRIMARY"


@dataclass(frozen=True, slots=True)
class Table:
    """
    The declaration of a table.

    unique: key name -> columns; a row with a None among them is in no conflict, as in SQL.
    indexes: further column groups. Declare those of the real table: a statement that locks waits
        for every row that its index, or for want of one its scan, comes across.
    checks: name -> condition that every written row must meet.
    """

    name: str
    primary_key: tuple[str, ...]
    unique: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    indexes: tuple[tuple[str, ...], ...] = ()
    checks: Mapping[str, Callable[[Row], bool]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Path:
    """
    How the rows of a condition are found: by all or the first columns of an index, or by a scan.

    name: PRIMARY or the unique key when all of its columns are given, "" for anything else.
    is_point: all columns of that key are given, each with exactly one value.
    is_secondary: the index is not the primary key.
    """

    name: str = ""
    columns: tuple[str, ...] = ()
    is_point: bool = False
    is_secondary: bool = False

    @property
    def is_scan(self) -> bool:
        """Return whether every row of the table is looked at."""
        return not self.columns

    @property
    def is_unique(self) -> bool:
        """Return whether a unique key other than the primary key is used."""
        return self.is_secondary and self.name != ""


SCAN: Final = Path()


class Rows:
    """
    The rows of one table, each as last committed and as last written.

    The two differ only for rows of open transactions, whose exclusive locks keep others away.
    """

    def __init__(self, table: Table) -> None:
        self.table: Final = table
        self.committed: Final[dict[Key, Row]] = {}
        self.latest: Final[dict[Key, Row]] = {}
        self._unique: Final[dict[str, dict[Key, Key]]] = {name: {} for name in table.unique}
        self.writes = 0  # a scan that waited looks again when this has changed
        self._keys: Final[list[Key]] = []
        keys = ((PRIMARY, table.primary_key), *table.unique.items())
        self._whole_keys: Final = [(name, columns, frozenset(columns)) for name, columns in keys]
        # Only ever added to, and filtered by whoever looks up: stale entries do no harm.
        self._found_by: Final[dict[tuple[str, ...], dict[Key, dict[Key, None]]]] = {
            columns: {} for columns in _prefixes(table)
        }
        longest_first = sorted(self._found_by, key=len, reverse=True)
        self._prefixes: Final = [(columns, frozenset(columns)) for columns in longest_first]

    def key_of(self, row: Mapping[str, Any]) -> Key:
        """Return the primary key of a row."""
        return pick(row, self.table.primary_key)

    def unique_values(self, row: Row) -> Iterator[tuple[str, Key]]:
        """Yield the unique keys that a row takes part in, in the order of their declaration."""
        for name, columns in self.table.unique.items():
            values = pick(row, columns)
            if None not in values:
                yield name, values

    def holder(self, key_name: str, values: Key) -> Key | None:
        """Return the primary key of the latest row that has these unique values."""
        if key_name == PRIMARY:
            return values if values in self.latest else None
        return self._unique[key_name].get(values)

    def neighbours(self, key_name: str, values: Key) -> tuple[Key | None, Key | None]:
        """Return the entries of an index next to these values, None at its ends."""
        entries = self._keys if key_name == PRIMARY else self._entries(key_name)
        before = [each for each in entries if each < values]
        after = [each for each in entries if each > values]
        return (before[-1] if before else None), (after[0] if after else None)

    def write(self, key: Key, row: Row | None) -> None:
        """Set the latest row, or remove it with None."""
        self.writes += 1
        old = self.latest.pop(key, None)
        if old is not None:
            self._forget_unique(key, old)
        else:
            self._remember(key)
        if row is not None:
            self.latest[key] = row
            self._index(key, row)

    def publish(self, key: Key) -> None:
        """Make the latest row the committed one."""
        row = self.latest.get(key)
        if row is None:
            self.committed.pop(key, None)
        else:
            self.committed[key] = row
        self.settle(key)

    def settle(self, key: Key) -> None:
        """Forget a key that no row has any more."""
        if key not in self.latest and key not in self.committed:
            position = bisect_left(self._keys, key)
            if self._keys[position : position + 1] == [key]:
                del self._keys[position]

    def path(self, where: Where) -> Path:
        """Return how rows are found: the whole primary key, a whole unique key, most columns."""
        if callable(where):
            return SCAN
        given = where.keys()
        for name, columns, all_of_them in self._whole_keys:
            if given >= all_of_them:
                is_point = not any(isinstance(where[column], tuple) for column in columns)
                return Path(name, columns, is_point, is_secondary=name != PRIMARY)
        for columns, all_of_them in self._prefixes:
            if given >= all_of_them:
                primary = self.table.primary_key[: len(columns)]
                return Path("", columns, is_secondary=columns != primary)
        return SCAN

    def candidates(self, where: Where, path: Path) -> list[Key]:
        """Return, in key order, the keys of all rows that the path leads to, and perhaps more."""
        if callable(where) or path.is_scan:
            return list(self._keys)
        wanted = _combinations(where, path.columns)
        if path.name == PRIMARY:
            return sorted(set(wanted))
        found_by = self._found_by[path.columns]
        return sorted({key for values in wanted for key in found_by.get(values, ())})

    def _entries(self, key_name: str) -> list[Key]:
        """Return the entries of a unique key; those given up stay until commit."""
        columns = self.table.unique[key_name]
        rows = (*self.committed.values(), *self.latest.values())
        return sorted({values for row in rows if None not in (values := pick(row, columns))})

    def _remember(self, key: Key) -> None:
        position = bisect_left(self._keys, key)
        if self._keys[position : position + 1] != [key]:
            self._keys.insert(position, key)

    def _index(self, key: Key, row: Row) -> None:
        for name, values in self.unique_values(row):
            self._unique[name][values] = key
        for columns, found_by in self._found_by.items():
            found_by.setdefault(pick(row, columns), {})[key] = None

    def _forget_unique(self, key: Key, row: Row) -> None:
        for name, values in self.unique_values(row):
            if self._unique[name].get(values) == key:
                del self._unique[name][values]


def matcher(where: Where) -> Callable[[Row], bool]:
    """
    Return the condition as a function of a row.

    In a mapping a tuple means IN, None means IS NULL, anything else equality. A column that a row
    does not have is a KeyError: a typing mistake must not match nothing in silence.
    """
    if callable(where):
        return where
    conditions = tuple(where.items())

    def matches(row: Row) -> bool:
        for column, wanted in conditions:  # noqa: SIM110 - a third of the cost
            if not _equals(row[column], wanted):
                return False
        return True

    return matches


def _prefixes(table: Table) -> list[tuple[str, ...]]:
    """Return what rows can be found by besides the whole primary key: leftmost columns."""
    groups = (table.primary_key[:-1], *table.unique.values(), *table.indexes)
    return list({group[: n + 1]: None for group in groups for n in range(len(group))})


def _equals(value: Any, wanted: Any) -> bool:
    if isinstance(wanted, tuple):
        return value is not None and value in wanted
    return bool(value == wanted)


def pick(row: Mapping[str, Any], columns: tuple[str, ...]) -> Key:
    """Return the values of some columns."""
    return tuple([row[column] for column in columns])


def _combinations(where: Mapping[str, Any], columns: tuple[str, ...]) -> Iterator[Key]:
    wanted = (where[column] for column in columns)
    return itertools.product(*(each if isinstance(each, tuple) else (each,) for each in wanted))
