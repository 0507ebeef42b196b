"""Inputs that nobody should write: damaged files, token soup, nesting without end, huge texts."""

import copy
import json
import random
from collections.abc import Callable
from typing import Any, Final

from tests.unit.policy.build import CASES, document, expressions, function, rules, table

Json = dict[str, Any]

LOAN: Final[Json] = json.loads((CASES / "loan.json").read_text())
CARD: Final[Json] = json.loads((CASES / "scorecard.json").read_text())
REASONS: Final[Json] = json.loads((CASES / "reasons.json").read_text())
SCHEMA: Final[Json] = json.loads(LOAN["nodes"][0]["content"]["schema"])

TOKENS: Final = (
    *("a", "b", "n", "s", "f", "x.y", "$.k", "$", "1", "2.50", "0", '"x"', "'y'", '"', "true"),
    *("null", "false", "round(", "min([", "max([", "abs(", "and", "or", "not", "in", "==", "!="),
    *("<", "<=", ">", ">=", "+", "-", "*", "/", "?", ":", "(", ")", "[", "]", "..", ",", "%"),
    *("**", "??", "&&", "`", "#", "=>", "__class__", ".", "0x1", "1e9", "é", "\n", "\0", "\\"),
    *("\ud800", "\u202e", "＜", "−", "lambda", "import os", "𝟏", ";", "{", "}", "@"),
)
NUMBERS: Final = (
    *("a + b * 2", "round(a / (b + 1), 2)", "min([a, b, 3.00])", "abs(-a)", "f ? a : b", "-a"),
    *('s == "x" ? 1 : 2', "max([a])", "a * a * a * a", "(a - b) * (a + b)", "round(n * b)", "12"),
)
BOOLEANS: Final = (
    *("a > 1 and b <= 0.30 * a", 'not (a == b) or s in ["x", "y"]', "n in [1..5)", "n not in [3]"),
    *(
        "f and not f",
        "f",
        't == "x"',
        't != "y"',
        'f or t == "z"',
        "a in [b, 2, 3]",
        "a in (b..b + 3]",
        "true",
        "a == null",
    ),
)
CELLS: Final = (
    *("> 1 and < 5", "[1..5]", "1, 2", "not in [1, 2]", ">= 3", "< 1 or > 5", "<= 2 * b", ""),
    *("3", "== 3", "in [1, 2.50]", "!= b", "(1..b + 3)", "null", "> 0.05 and <= max([b, 2])"),
)
VALID: Final = (*NUMBERS, *BOOLEANS, *CELLS, '"x", "z"')
NESTS: Final = (
    *(("(", ")"), ("[", "]"), ("not ", ""), ("-", ""), ("abs(", ")"), ("min([", "])"), ("- ", "")),
    *(("round(", ", 1)"), ("f ? a : ", ""), ("f ? ", " : a"), ("a + (", ")"), ("(a, ", ")")),
    *(("a in [", "]"), ("a in (", "..9)"), ("f and (", ")"), ("not (", ")"), ("1 + ", "")),
    *(("f or ", ""), ("a < ", ""), ("a * ", ""), ("max([a, ", "])"), ("round(a / (", "), 2)")),
)
NASTY: Final[tuple[Any, ...]] = (
    *(None, True, False, 0, -1, 10**40, 1.5, "", " ", "x", "__import__('os')", "\0", "é" * 70),
    *(
        [],
        {},
        [[]],
        [None],
        {"": ""},
        ["x"] * 50,
        "k" * 5_000,
        "a." * 2_000 + "a",
        "a.b",
        ".",
        "$.a",
        {"id": 1},
    ),
    *(
        "a_" * 2_000 + "a",
        '"R05"',
        '"approve"',
        "null",
        "first",
        "collect",
        "unique",
        "scorecard",
        "function",
    ),
)
HUGE: Final = (
    *("9" * 5_000, "1e999999999999", "-1E-99999999999999999999", "NaN", "-Infinity", "1.", "01"),
    *('"\\ud800"', '"\\u0000"', '"' + "k" * 20_000 + '"', "[" * 500, "{" * 80, '{"a":' * 70),
)
POWERS: Final = ("10 * 10", "0.1 * 0.1", "a * a", "2", "0 * 0.000001", "1000 * a")
DEPTHS: Final = (3, 15, 31, 32, 33, 63, 64, 65, 200, 1_500)


def mutated_bytes(random_: random.Random, original: bytes) -> bytes:
    """Return a file after one to three accidents of its bytes."""
    data = bytearray(original)
    for _ in range(random_.randint(1, 3)):
        random_.choice(_ACCIDENTS)(random_, data)
    return bytes(data)


def _flip(random_: random.Random, data: bytearray) -> None:
    if data:
        data[random_.randrange(len(data))] ^= 1 << random_.randrange(8)


def _cut(random_: random.Random, data: bytearray) -> None:
    place = random_.randrange(len(data) + 1)
    del data[place : place + random_.choice((1, 2, 10, len(data)))]


def _insert(random_: random.Random, data: bytearray) -> None:
    place = random_.randrange(len(data) + 1)
    data[place:place] = random_.choice(
        (random_.randbytes(3), b"\0", b"\xed\xa0\x80", b"\\", b'"', b",", b"}", b"\xff\xfe")
    )


def _repeat(random_: random.Random, data: bytearray) -> None:
    start, end = sorted(random_.randrange(len(data) + 1) for _ in range(2))
    data[end:end] = data[start:end]


def _huge(random_: random.Random, data: bytearray) -> None:
    """Put something huge in the place of one value."""
    places = [index for index, byte in enumerate(data) if byte == ord(":")]
    if places:
        place = random_.choice(places) + 1
        end = next((i for i in range(place, len(data)) if data[i] in b",}]"), len(data))
        data[place:end] = random_.choice(HUGE).encode()


def _same_key(random_: random.Random, data: bytearray) -> None:
    places = [index for index, byte in enumerate(data) if byte == ord("{")]
    if places:
        place = random_.choice(places) + 1
        key = random_.choice((b'"id": 1, ', b'"type": 1, ', b'"k": 1, "k": 2, ', b'"_id": "x", '))
        data[place:place] = key


def _digit(random_: random.Random, data: bytearray) -> None:
    """Write another digit over one: most such files are still sound."""
    places = [index for index, byte in enumerate(data) if byte in b"0123456789"]
    if places:
        data[random_.choice(places)] = random_.choice(b"0123456789")


_ACCIDENTS: Final[tuple[Callable[[random.Random, bytearray], None], ...]] = (
    *(_flip, _cut, _insert, _repeat, _huge, _same_key, *[_digit] * 6),
)


def damaged(random_: random.Random, original: Json, most: int = 3) -> Json:
    """Return a document with some of its values replaced, renamed, doubled or taken away."""
    changed = copy.deepcopy(original)
    for _ in range(random_.randint(1, most)):
        container, key = random_.choice(places(changed))
        what = random_.randrange(5)
        if what == 0 and isinstance(container, dict):
            container[random_.choice(["x", "_id", "id", "field", "é", ""])] = container.pop(key)
        elif what == 1 and isinstance(container, list):
            container.append(copy.deepcopy(container[key]))
        elif what == 2:
            del container[key]
        elif what == 3 and isinstance(container[key], str):
            container[key] = expression(random_)
        else:
            container[key] = copy.deepcopy(random_.choice(NASTY))
        if not places(changed):
            break
    return changed


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every (container, key) of a document."""
    found: list[tuple[Any, Any]] = []
    waiting = [value]
    while waiting:
        item = waiting.pop()
        keys = list(item) if isinstance(item, dict) else range(len(item))
        found += [(item, key) for key in keys]
        waiting += [item[key] for key in keys if isinstance(item[key], dict | list)]
    return found


def expression(random_: random.Random) -> str:
    """Return an expression or a cell: valid, nearly valid, soup, deep or at the limit."""
    what = random_.randrange(8)
    if what == 0:
        return random_.choice(VALID)
    if what in (1, 2):
        return random_.choice(("", " ")).join(random_.choices(TOKENS, k=random_.randint(1, 25)))
    if what == 3:
        return _nested(random_)
    if what == 4:
        return _at_the_limit(random_)
    joined = random_.choice((" + ", " and ", " or ", ", ", " * ", " ? 1 : "))
    text = joined.join(random_.choices(VALID, k=random_.randint(1, 3)))
    return text if what == 5 else _edited(random_, text)


def _nested(random_: random.Random) -> str:
    kinds = random_.sample(NESTS, k=random_.choice((1, 1, 2)))
    count = random_.choice(DEPTHS)
    pairs = [random_.choice(kinds) for _ in range(count)]
    inside = random_.choice(("a", "1", "f", "", "a > 1"))
    closing = "".join(end for _, end in reversed(pairs))
    text = "".join(begin for begin, _ in pairs) + inside
    return text + closing if random_.randrange(5) else text


def _at_the_limit(random_: random.Random) -> str:
    length = random_.choice((4_090, 4_095, 4_096, 4_097, 5_000))
    piece = random_.choice((" ", "a+", "1,", "a and ", "'", "\\", "(", "9", "a.", "> 1 or ", '""'))
    text = (piece * length)[:length]
    return text[:-1] + "1" if random_.randrange(2) else text


def _edited(random_: random.Random, text: str) -> str:
    for _ in range(random_.randint(1, 3)):
        place = random_.randrange(len(text) + 1)
        end = place + random_.choice((0, 1, 1, 4))
        text = text[:place] + random_.choice(("", *TOKENS)) + text[end:]
    return text


def policy_with(random_: random.Random) -> tuple[str, Json]:
    """Return a text, and a policy that is sound but for this text in one of its places."""
    place = random_.randrange(6)
    if random_.randrange(10) == 0:
        return "a", _multiplied(random_)
    pool = {1: BOOLEANS, 2: CELLS}.get(place, NUMBERS)
    sound = random_.choice(pool)
    text = random_.choice((sound, _edited(random_, sound), expression(random_)))
    return text, _policy_with(place, text)


def _multiplied(random_: random.Random) -> Json:
    """Return a policy whose cost is a product: of a column and its cells, of powers, of names."""
    what = random_.randrange(3)
    if what == 0:
        column = "+".join(["a"] * random_.choice((2, 16, 60)))
        cell = random_.choice((",", " or ", " and ")).join(["1"] * random_.choice((9, 900)))
        return document(rules(("r1", cell, "decline"), fields=(column,)))
    if what == 1:
        operator = random_.choice("*-+")
        towers = {f"k{i}": f"$.k{i - 1} {operator} $.k{i - 1}" for i in range(1, 24)}
        last = {"top": "round(a / $.k23, 2)", "end": "round($.k23 / a, 2)"}
        return document(expressions("e", {"k0": random_.choice(POWERS), **towers, **last}))
    name = random_.choice(("a.", "a_", "aB")) * random_.choice((5, 8, 40, 3_000))
    return document(expressions("e", {f"{name}a": "a"}))


def _policy_with(place: int, text: str) -> Json:
    if place == 0:
        return document(expressions("e", {"k": "1.50", "x.y": text}))
    if place == 1:
        return document(rules(("r1", text, "decline")))
    if place == 2:
        return document(rules(("r1", text, "decline"), fields=("a",)))
    if place == 3:
        return document(rules(("r1", "> 1", "decline"), fields=(text,)))
    if place == 4:
        rows = [["v1", "> 3", text], ["v2", "", "1"]]
        return document(table("v", ["n"], ["v.out"], rows))
    return document(function({"q": text}, {"v": {"type": "number", "x-scale": 2}}))
