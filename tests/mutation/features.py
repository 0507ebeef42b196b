"""Small policies for what is more than one table over plain numbers, each with its own edges."""

from dataclasses import dataclass
from decimal import Decimal
from itertools import product
from typing import Any, Final

from tests.unit.policy.build import (
    Json,
    document,
    expressions,
    rules,
    table,
)


@dataclass(frozen=True, slots=True)
class Kept:
    """An object of a list as an evaluation gives it: the judge makes its engine's own of it."""

    fields: tuple[tuple[str, Any], ...]


NUMBER: Final[Json] = {"type": "number", "x-scale": 2}
TEXT: Final[Json] = {"type": "string"}
LISTS: Final[Json] = {
    "l": {"type": "array", "items": NUMBER, "maxItems": 4},
    "w": {"type": "array", "items": TEXT, "maxItems": 3},
    "o": {
        "type": "array",
        "maxItems": 3,
        "items": {"properties": {"q": NUMBER, "y": {"type": "boolean"}}},
    },
    "a": NUMBER,
    "b": NUMBER,
    "f": {"type": "boolean"},
}
UNITS: Final = (
    *("s", "second", "seconds", "m", "minute", "minutes", "h", "hour", "hours"),
    *("d", "day", "days", "w", "week", "weeks", "M", "month"),
)
SPANS: Final = (
    *("s", "sec", "secs", "second", "seconds", "m", "min", "mins", "minute", "minutes", "h", "hr"),
    *("hrs", "hour", "hours", "d", "day", "days", "w", "wk", "wks", "week", "weeks", "M", "month"),
    *("months", "y", "yr", "yrs", "year", "years"),
)
DAYS: Final = (
    *("2024-02-29", "2023-02-29", "2026-01-31", "2026-12-31", "2025-01-01", "2027-01-01"),
    *("2000-12-31 23:59:59", "2100-03-01 00:00:01", "2025-06-15 10:20:30", "1969-12-31 23:59:59"),
    *("2026-01-31T10:20:30Z", "2026-01-31T23:30:15-03:00", "2026-01-01T00:10:00+05:30"),
    *("2026-01-31T10:20:30+23:59", "2026-01-31T10:20:30-24:00", "2026-01-31T10:20:30+01:60"),
    *("2026-01-31T10:20:30+01:59", "2026-01-31 10:20:30Z", "2026-01-31T10:20:30", "0001-01-01"),
    *("0000-01-01", "9999-12-31 23:59:59", "0001-01-01T00:00:00+01:00", "2026-1-3", "2026-13-01"),
    *("2026-04-31", "2026-04-30 24:00:00", "2026-01-31 10:60:00", "2026-01-31x", " 2026-01-31"),
    *("2026-01-31\n", "2024-01-01", "1970-01-01", "1900-02-28", "2000-02-29", "2026-01-31 10:20"),
    *(f"2026-{month:02}-15" for month in range(1, 13)),
    *(f"2026-06-{day:02}" for day in range(1, 8)),
)
TIMES: Final = (
    *("10:30", "10:30:15", "00:00", "23:59:59", "24:00", "23:60", "23:59:60", "24:00:00", "1:30"),
    *("10:3", "x10:30", "10:30x", "10", "23:00", "22:59:58", "00:00:01", "00:01"),
)
WRITTEN: Final = (
    *("1.50", "-1.50", "0", "-0", "1.", ".5", "1e3", "+1", " 1", "1 ", "1_0", "١", "9" * 34),
    *("9" * 35, "", " ", "abc", "a,b", "a,,b,", ",", "AbC", "ß", "İ", "ΑΣ", "b", "ab", "ba"),
    *("\u2003a\u00a0", "\x1fa", "\u200aa", "\u200ba", "," * 999, "," * 1000, "é"),
    *("\u2000a", "\u1fffa", "?a?"),
)
LONG: Final = ("y" * 65_536, "ß" * 32_769, "y" * 508, "y" * 509)
SECONDS: Final = (
    *("0", "-1", "1", "59", "60", "86399", "86400", "951782400", "4102444800", "1.50", "-0.01"),
    *("253402300799", "253402300800", "-62135596800", "-62135596801", "999999999999999999"),
    "100000000000000000",
)
POSITIONS: Final = ("-1", "0", "1", "2", "3", "4", "0.50")
ABOUT: Final = (
    *("date", "year", "monthOfYear", "dayOfMonth", "dayOfWeek", "dayOfYear", "weekOfYear"),
    *("monthString", "weekdayString", "dateString", "time", "duration"),
)


def _list_edges() -> list[Any]:
    texts = ("-1", "0", "1", "1.01", "2")
    numbers = [Decimal(text) for text in texts]
    pairs = [list(pair) for pair in product(numbers, repeat=2)]
    wrong: list[Any] = [[None], [Decimal(1), "x"], [Decimal("0.001")], numbers, tuple(numbers[1:])]
    more: list[Any] = [[Decimal(2)] * 4, [Decimal(3), Decimal(1), Decimal(2)], numbers[:4]]
    often = [[Decimal(text) for text in texts] for texts in ("2112", "112", "122", "1112")]
    return [*wrong, [], *([number] for number in numbers), *pairs, *more, *often]


def _entry(quantity: str, *, yes: bool) -> Json:
    return {"q": Decimal(quantity), "y": yes}


def _object_edges() -> list[Any]:
    some = [_entry(q, yes=yes) for q in ("0", "1", "2", "2.01") for yes in (True, False)]
    wrong: list[Any] = [
        *([{"q": Decimal(1)}], [{**some[0], "z": 1}], [{**some[0], "y": None}], [None], some[:4]),
        *([some[0], {"q": "x", "y": True}], [[("q", Decimal(1)), ("y", True)]], [{}]),
    ]
    kept = [Kept(tuple(e.items())) for e in (some[3], {"q": Decimal(1)}, {"y": True, "q": "x"})]
    more = [kept[:1], (kept[0], some[2]), kept[1:2], kept[2:]]
    return [*wrong, [], *([each] for each in some), some[:2], some[2:5], some[5:], some[3:6], *more]


EDGES: Final[dict[str, dict[str, list[Any]]]] = {
    "lists": {
        "l": _list_edges(),
        "o": _object_edges(),
        "w": [["x"], ["x", "y"], [], ["y", "x", "x"], ["x"] * 4, ["x", 1], [""]],
        "a": [Decimal(text) for text in POSITIONS],
        "b": [Decimal(text) for text in POSITIONS],
    },
    "long": {
        "l": [[Decimal(1)] * 13, [], [Decimal(2)] * 10, [Decimal(1)] * 101],
        "m": [[Decimal(3)] * 77, [Decimal(5)], [Decimal(4)] * 100, [None]],
    },
    "days": {"t": [*DAYS, "", "x"], "a": [Decimal(text) for text in SECONDS], "u": [*UNITS, "x"]},
    "spans": {
        "t": [
            *(f"{count}{gap}{unit}" for unit in SPANS for count, gap in (("1", ""), ("12", " "))),
            *("1w 2d", "1w2d ", "1d 1x", "x", "", "1", "1 d", "1.5h", " 1s", "1s\n", "-1s"),
            *("9" * 12 + "s", "9" * 13 + "s", "1  d", "1d  2h", *TIMES, *DAYS[:24]),
        ],
        "a": [Decimal(text) for text in SECONDS],
    },
    "texts": {
        "t": [*WRITTEN, *LONG],
        "u": [",", "", "a", "b", "ab", "y", "1.50"],
        "a": [Decimal(text) for text in (*POSITIONS, "1.50", "1000000.00", "-0.05")],
    },
    "numbers": {
        "a": [
            Decimal(text)
            for text in (
                *("-64", "-63", "-65", "-2.50", "-1.50", "-0.01", "0", "0.01", "0.50", "1", "2"),
                *("3", "10", "7", "31", "59", "60", "61", "64", "65", "66", "-7.35", "99.99"),
                "999999999999999999",
            )
        ],
        "b": [
            Decimal(text)
            for text in ("-65", "-64", "-2", "-1", "-0.50", "0", "0.50", "1", "2", "3", "64", "65")
        ],
        "n": [Decimal(number) for number in range(-1, 15)],
    },
}
_BOTH: Final[Json] = {"t": TEXT, "a": NUMBER, "u": TEXT}

FEATURES: Final[dict[str, Json]] = {
    "lists": document(
        expressions(
            "e",
            {
                **{f"k.{name}": f"{name}(l)" for name in ("sum", "min", "max", "avg", "median")},
                "k.mode": "mode(l)",
                "k.len": "len(l) + len(w) * 10 + len(o) * 100",
                "k.at": "l[a]",
                "k.last": "l[len(l) - 1]",
                "k.from": "l[a:]",
                "k.to": "l[:b]",
                "k.part": "l[a:b]",
                "k.field": "o[a].q",
                "k.name": 'o[0]["y"]',
                "k.flat": "flatten([l, map(o, #.q), [a]])",
                "k.much": "flatMap(map(o, l), flatMap(#, [#, a]))",
                "k.inside": "contains(l, a) ? 1 : contains(w, 'x') ? 2 : 3",
                "k.member": "a in l",
                "k.none": "a not in map(l, # / 2)",
                "k.map": "map(l, # * a)",
                "k.ratio": "map(l, 1 / (# - 1))",
                "k.lost": "sum(map(l, round(a / #, 2)))",
                "k.kept": "filter(l, # > a)",
                "k.some": "some(l, # > a)",
                "k.all": "all(l, # >= a)",
                "k.nobody": "none(l, # == a)",
                "k.one": "one(l, # <= a)",
                "k.count": "count(l, # != a)",
                "k.open": "some(l, 1 / # > a)",
                "k.closed": "all(l, 1 / # > a)",
                "k.unsure": "none(l, 1 / # > a)",
                "k.alone": "one(l, 1 / # > a)",
                "k.number": "count(l, 1 / # > a)",
                "k.sieve": "filter(l, 1 / # > a)",
                "k.nested": "map(l, sum(map(o, #.q + 1)))",
                "k.after": "map(l, sum(map(o, #.q)) + #)",
                "k.inner": "map(o, count(l, # > a))",
                "k.sums": "sum(map(filter(o, #.y), #.q))",
                "k.words": "map(w, # + '!')",
                "k.made": "[a, b, 1][0] + [a][0]",
                "k.truths": "map(o, #.y and #.q > b)",
            },
        ),
        rules(
            ("r1", "some(o, #.y and #.q > a)", "decline"),
            ("r2", "a in l", "refer"),
            ("r3", "all(o, #.q < b or f)", "decline", "decline"),
            ("r4", "len(l) > 2 and contains(l, b)", "reduce"),
            ("r5", "not contains(w, 'x')", "decline"),
            ("r6", "k.median > a", "refer"),
            ("r7", "1 / a in l", "decline"),
        ),
        properties=LISTS,
    ),
    "long": document(
        expressions("e", {"k": "flatMap(l, m)", "j": "sum(flatMap(l, m))", "h": "flatten([l, m])"}),
        properties={
            name: {"type": "array", "items": {"type": "integer"}, "maxItems": 100} for name in "lm"
        },
    ),
    "days": document(
        expressions(
            "e",
            {
                **{f"of_text.{name}": f"{name}(t)" for name in ABOUT},
                **{f"of_number.{name}": f"{name}(a)" for name in ABOUT},
                **{f"s.{u}": f'startOf(t, "{u}")' for u in UNITS},
                **{f"x.{u}": f'endOf(t, "{u}")' for u in (*UNITS, "y", "year", "years", "months")},
                "start": "startOf(a, u)",
                "end": "endOf(a, u)",
                "both": "startOf(t, u) - endOf(t, u)",
            },
        ),
        rules(("r1", 'date(t) > date("2026-01-31")', "decline"), ("r2", "year(a) < 2000", "refer")),
        properties=_BOTH,
    ),
    "spans": document(
        expressions(
            "e",
            {
                "k": "duration(t)",
                "m": "time(t)",
                "j": "duration(a)",
                "h": "time(a)",
                "limit": "duration(a * 10)",
            },
        ),
        rules(("r1", 'duration(t) >= duration("1w")', "decline")),
        properties={"t": TEXT, "a": NUMBER},
    ),
    "texts": document(
        expressions(
            "e",
            {
                "k.upper": "upper(t)",
                "k.lower": "lower(t)",
                "k.trim": "trim(t)",
                "k.starts": "startsWith(t, u)",
                "k.ends": "endsWith(t, u)",
                "k.split": "split(t, u)",
                "k.pieces": "len(split(t, ','))",
                "k.string": "string(a) + string(f) + string(u)",
                "k.number": "number(t)",
                "k.same": "number(a)",
                "k.joined": "t + u",
                "k.inside": "contains(t, u)",
                "k.len": "len(t)",
                "k.listed": "[t]",
                "k.at": "t[a]",
                "k.part": "t[a:2]",
                "k.head": "t[:a]",
                "k.tail": "t[a:]",
                "k.equal": "t == u ? upper(u) : lower(u)",
            },
        ),
        rules(
            ("r1", "startsWith(t, 'a')", "decline"),
            ("r2", "contains(t, u)", "refer"),
            ("r3", "not endsWith(t, u)", "decline"),
            ("r4", "not (t == u)", "reduce"),
            ("r5", "number(t) > a", "decline"),
        ),
        properties={**_BOTH, "f": {"type": "boolean"}},
    ),
    "numbers": document(
        expressions(
            "e",
            {
                "k.floor": "floor(a)",
                "k.ceil": "ceil(a)",
                "k.trunc": "trunc(a)",
                "k.cut": "trunc(a / 7, 3)",
                "k.digits": "trunc(a / 7, n)",
                "k.whole": "trunc(a / 7, b)",
                "k.abs": "abs(a)",
                "k.quotient": "a / b",
                "k.thirds": "a / 3 + b / 7",
                "k.rest": "a % b",
                "k.power": "a ^ b",
                "k.square": "a ^ 2 - 2 ^ a",
                "k.tens": "10 ^ a",
                "k.tower": "2 ^ 3 ^ 2 - -2 ^ 2",
                "k.sign": "a % 3 * b",
                "k.small": "0.01 ^ a",
                "k.tenths": "0.1 ^ a",
                "k.zeros": "(a - a) ^ b",
                "k.long": "trunc(10 ^ 59, n) - 10 ^ 59 + floor(10 ^ 58 + 0.5)",
                "k.cubes": "(a ^ 3) ^ 3",
                "k.dozen": "0.0000000000001 ^ 5 / a",
            },
        ),
        rules(("r1", "a / b > 2", "decline"), ("r2", "a % 2 == 0", "refer")),
        properties={"a": NUMBER, "b": NUMBER, "n": {"type": "integer"}},
    ),
    "unique": document(
        table(
            "v",
            ["a", ""],
            ["v.out", "v.word"],
            [
                ["v1", "< 1", "", "a", '"low"'],
                ["v2", "[1..3)", "", "a / (b - 2)", '"middle"'],
                ["v3", "> 3", "", "b", '"high"'],
                ["v4", "3", "", "7", '"at"'],
            ],
            hitPolicy="unique",
        ),
        expressions("e", {"k": "v.out * 2", "j": 'v.word == "low"'}),
        rules(("r1", "v.out > 2", "decline"), ("r2", "j", "refer")),
    ),
    "priority": document(
        table(
            "v",
            ["a", "b"],
            ["v.out", "priority"],
            [
                ["v1", "", "", "0", "9"],
                ["v2", "> 1", "", "a", "3"],
                ["v3", "> 2", "<= 2", "b", "2"],
                ["v4", "", "> 2", "a + b", "2"],
                ["v5", "[2..4)", "[1..3]", "n", "1"],
            ],
            hitPolicy="priority",
        ),
        rules(("r1", "v.out > 2", "decline"), ("r2", "v.out == n", "refer")),
    ),
    "collect": document(
        table(
            "v",
            ["a", "b"],
            ["kind", "points"],
            [
                ["v1", "> 1", "", '"one"', "1"],
                ["v2", "", ">= 2", '"two"', "a + b"],
                ["v3", "[2..4)", "[1..3]", '"three"', "6 / (b - 2)"],
            ],
            hitPolicy="collect",
            outputPath="found",
        ),
        expressions("e", {"k": "sum(map(found, #.points))", "j": "len(found)"}),
        rules(("r1", "k > 4", "decline"), ("r2", 'some(found, #.kind == "two")', "refer")),
    ),
}
