"""
Every function with every kind of argument.

Most calls are refused with what the function takes, the others with the kind of their result, which
stands in a list beside another kind.
"""

from itertools import product
from typing import Final

from tests.mutation.features import ABOUT, LISTS, TEXT
from tests.unit.policy.build import Json, document, expressions

_NAMES: Final = (
    *("abs", "floor", "ceil", "trunc", "sum", "min", "max", "avg", "median", "mode", "len"),
    *("contains", "flatten", "upper", "lower", "trim", "startsWith", "endsWith", "split"),
    *("string", "number", "startOf", "endOf", *ABOUT),
)
_ARGUMENTS: Final = (
    *("a", "s", "f", "l", "w", "o", "o[0]", "[l]", "[o]", "[[l]]", "a, a", "s, s", "s, a", "a, s"),
    *("f, f", "l, a", "l, s", "l, f", "w, s", "w, a", "l, l", "o, o[0]", "[l], l", "a, a, a"),
    *("s, s, s", "l, a, a", "a, f"),
)
#: How often closures go through a list is counted by the longest that it can be.
_VISITS: Final = {
    "visits.one": "map(flatten([l, l]), sum(l))",
    "visits.two": "map(flatten([l, l, l]), sum(l))",
    "visits.three": "map(flatten(map(l, map(l, 1))), sum(l))",
}
_LONG: Final[Json] = {**LISTS["l"], "maxItems": 400}


def calls() -> Json:
    """Return a policy that is refused for each of the calls, and for lists that are long."""
    made = {
        f"k.{name}.x{number}": f"[{name}({arguments}), o]"
        for name, (number, arguments) in product(_NAMES, enumerate(_ARGUMENTS))
    }
    properties = {**LISTS, "l": _LONG, "s": TEXT}
    return document(expressions("e", {**made, **_VISITS}), properties=properties)
