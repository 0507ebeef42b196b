"""Tables that an index narrows: every form of cell, and what decides how the rows are cut."""

import random
from collections.abc import Iterator
from decimal import Decimal
from itertools import product
from typing import Any, Final

from tests.unit.policy.build import Json, document, raw, table

SEED: Final = 20261124
INPUTS: Final = 60
MISSING: Final = 0.06
NUMBER: Final[Json] = {"type": "number", "x-scale": 2}
PROPERTIES: Final[Json] = {
    **dict.fromkeys(("a", "b", "n"), NUMBER),
    "t": {"type": "string"},
    "f": {"type": "boolean"},
}
WORDS: Final = "pqruvw"
_NUMBERS: Final = (
    *("< {0}", "<= {0}", "> {0}", ">= {0}", "{0}", "!= {0}", "[{0}..{1}]", "({0}..{1}]"),
    *("[{0}..{1})", "({0}..{1})", "[{0}..{0}]", "({0}..{0}]", "({0}..{2})", "[{1}..{0}]"),
    *("not in ({0}..{1})", "not in [{0}..{1})", "{0}, {2}", "{0}, b", "not in [{0}, {1}]"),
    *("> {0} and < {2} or {3}", "< {0} or > {2}", "[{0}..{2}] and != {1}", "> {1} and < {0}"),
    "[{1}..{0}] and [{2}..{1}]",
    *(">= {0} and <= {2}", "in [{0}, {1}] and in [{1}, {2}]", "< {1} or >= {1}", "{0}, {1}"),
    *("[{0}..{2}] and [{1}..{3}]", "({0}..{2}) and ({1}..{3})", "[{1}..{3}) and ({0}..{2}]"),
)
_CONDITIONS: Final = (
    *("{0} < a", "{0} <= a", "{0} > a", "{0} >= a", "{0} == a", "{0} != a"),
    *("not (a > {0} and a < {2})", "not (a in [{0}..{1}])", "a > {0} or n > {1}", "b < {2}"),
)
_WORDS: Final = ('"{0}"', '"{0}"', '!= "{0}"', '"{0}", "{1}"', 'not in ["{0}", "{1}"]')
_WIDE: Final = 90
_OUTER: Final = 32

Indexed = tuple[str, bytes, list[dict[str, Any]]]


def indexed() -> Iterator[Indexed]:
    """Yield tables with inputs: name, policy, inputs."""
    random_ = random.Random(SEED)
    every = [(number, "", "") for number in _filled(_NUMBERS)]
    whole = [("", "", condition) for condition in _filled(_CONDITIONS)]
    words = [("", word, "") for word in _spelled()]
    random_.shuffle(every)
    yield _table("forms", [*every, *whole], "collect", random_)
    yield _table("words", [*words, *words[:12]], "collect", random_)
    for number, policy in product(range(6), ("first", "unique", "priority", "collect")):
        rows = [_row(random_) for _ in range(10 + 5 * number)]
        yield _table(f"{policy} {number}", rows, policy, random_)
    yield from _wide(random_)
    yield from _cut(random_)


def _row(random_: random.Random) -> tuple[str, str, str]:
    """A row that is true of little, mostly of one name alone."""
    number = random_.choice(list(_filled(_NUMBERS)))
    word = random_.choice(list(_spelled()))
    condition = random_.choice(["f", "f", *_filled(_CONDITIONS)])
    kind = random_.randrange(8)
    return (
        number if kind < 6 else "",
        word if kind in (4, 5, 6) else "",
        condition if kind in (3, 5, 7) else "",
    )


def _filled(forms: tuple[str, ...]) -> Iterator[str]:
    return (form.format(*range(low, low + 4)) for form, low in product(forms, (0, 3, 6)))


def _spelled() -> Iterator[str]:
    pairs = zip(WORDS, f"{WORDS[1:]}{WORDS[0]}", strict=True)
    return (form.format(*pair) for form, pair in product(_WORDS, pairs))


def _wide(random_: random.Random) -> Iterator[Indexed]:
    """So many wide ranges that not every end can be kept: about nothing else, or about more."""
    for policy, more in (("collect", ""), ("first", ""), ("first", "f"), ("collect", "outer")):
        wide = [
            (f"[{i}..{2 * _WIDE - i}]", *(_outer(i) if more == "outer" else ("", more)))
            for i in range(_WIDE)
        ]
        narrow = [(f"({3 * i}..{3 * i + 2})", "", "") for i in range(30)]
        mixed = [*wide, *narrow]
        random_.shuffle(mixed)
        yield _table(f"wide {policy} {more}", mixed, policy, random_, most=2 * _WIDE)


def _outer(number: int) -> tuple[str, str]:
    """Cells that cut the outer ranges alone, where the ends have taken the room for it."""
    if number >= _OUTER:
        return "", ""
    sides = ["<" if number >> bit & 1 else ">=" for bit in (1, 2)]
    return f'"{WORDS[number & 1]}"', f"n {sides[0]} 4 and b {sides[1]} 4"


def _cut(random_: random.Random) -> Iterator[Indexed]:
    """Tables at the limits: of few rows, of rows of another column, of columns, of help."""
    for count in (8, 9):
        yield _table(f"few {count}", [(f"{i}", "", "") for i in range(count)], "collect", random_)
    yield _table("impossible", [("[3..2]", "", "")] * 9, "collect", random_)
    never, always = ("", "", "false"), ("", "", "")
    single = [(f"{i}", "", "") for i in range(11)]
    yield _table("constants", [never, *single, always, *single], "first", random_)
    for side, copies in ((4, 2), (3, 3)):
        cells = [
            (f"{i}", f'"{WORDS[j]}"', "")
            for i, j, _ in product(range(side), range(side), range(copies))
        ]
        for policy in ("collect", "first"):
            yield _table(f"grid {policy} {side}", cells, policy, random_)
    for count, others in ((63, 9), (63, 10), (50, 8)):
        some = [(f"{i % 11}", "", "") for i in range(count)]
        rest = [("", f'"{WORDS[i % 6]}"', "") for i in range(others)]
        yield _table(f"apart {others}", [*some, *rest], "collect", random_)
    for selective in range(6, 10):
        yield _columns(selective, random_)
    truths = ["true, false"] * 6 + ["true"] * 3 + ["false"] * 3
    made = [[f"v{i}", cell, f"{i}"] for i, cell in enumerate(truths)]
    help_ = table("v", ["f"], ["x"], made, hitPolicy="collect", outputPath="found")
    yield "index help", raw(document(help_, properties=PROPERTIES)), [{"f": True}, {"f": False}]


def _columns(selective: int, random_: random.Random) -> Indexed:
    """Ten columns, all rows about all of them, of which one tells the rows apart."""
    names = [f"c{i}" for i in range(10)]
    rows = [
        [f"v{row}", *(f"{row}" if i == selective else f">= {row % 2}" for i in range(10)), f"{row}"]
        for row in range(20)
    ]
    made = table("v", names, ["x"], rows, hitPolicy="collect", outputPath="found")
    properties = {name: {"type": "integer"} for name in names}
    some = [{name: Decimal(random_.randrange(20)) for name in names} for _ in range(20)]
    return f"index columns {selective}", raw(document(made, properties=properties)), some


def _table(
    name: str,
    rows: list[tuple[str, str, str]],
    policy: str,
    random_: random.Random,
    *,
    most: int = 10,
) -> Indexed:
    priority = [str(random_.randrange(3)) for _ in rows] if policy == "priority" else None
    made = [
        [f"v{i}", *cells, str(i), *([priority[i]] if priority else ["b"])]
        for i, cells in enumerate(rows)
    ]
    outputs = ["x", "priority" if priority else "y"]
    shared: Json = {"outputPath": "found"} if policy == "collect" else {}
    node = table("v", ["a", "t", ""], outputs, made, hitPolicy=policy, **shared)
    edges = [Decimal(half) / 2 for half in range(-1, 2 * most + 1)]
    values: dict[str, list[Any]] = {
        "a": edges,
        "b": [Decimal(number) for number in range(0, 8, 2)],
        "n": [Decimal(number) for number in range(8)],
        "t": [*WORDS, "other"],
        "f": [True, False],
    }
    inputs = [
        {
            name: None if random_.random() < MISSING else random_.choice(choices)
            for name, choices in values.items()
        }
        for _ in range(INPUTS)
    ]
    middle = {name: choices[len(choices) // 2] for name, choices in values.items()}
    inputs += [{**middle, "a": value} for value in edges[:: 1 + most // 50]]
    inputs += [{**middle, "t": value} for value in values["t"]]
    return f"index {name}", raw(document(node, properties=PROPERTIES)), inputs
