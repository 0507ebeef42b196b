"""All functions of the language that take values, by name."""

from collections.abc import Mapping
from typing import Final

from decision_engine.policy.functions import dates, lists, numbers, texts
from decision_engine.policy.functions.signature import Function

FUNCTIONS: Final[Mapping[str, Function]] = {
    entry.name: entry
    for entry in (*numbers.ENTRIES, *lists.ENTRIES, *texts.ENTRIES, *dates.ENTRIES)
}
#: Functions whose result is a number whatever they take.
ALWAYS_NUMBERS: Final = frozenset(
    {entry.name for entry in (*numbers.ENTRIES, *lists.ENTRIES)} - {"contains", "flatten"}
)
