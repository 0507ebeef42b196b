"""Numbers near what decides whether they are scaled integers, and near what rounds them."""

from decimal import Decimal
from typing import Any, Final

from tests.unit.policy.build import Json, document, expressions, rules, table

PROPERTIES: Final[Json] = {
    "a": {"type": "number", "x-scale": 2, "minimum": 0},
    "b": {"type": "number", "x-scale": 2},
    "c": {"type": "number"},
    "h": {"type": "number", "x-scale": 12, "minimum": 0, "maximum": 0.5},
    "u": {"type": "number", "x-scale": 4, "minimum": -1, "maximum": 1.00005},
    "n": {"type": "integer"},
    "m": {"type": "integer", "minimum": 0},
    "i": {"type": "integer", "minimum": -3, "maximum": 12},
    "s": {"type": "string", "enum": ["x", "y"]},
    "t": {"type": "string"},
    "f": {"type": "boolean"},
}
#: Each alone: one that has no result ends all of them in two values.
_EXPRESSIONS: Final = (
    *("c * c", "c * c * 7", "(n + h) * (n + h) * 7", "(n + h) * (n + h)", "c * c - c * c"),
    *("h * h * h * h", "h * h * h * h * h", "h * 0.000000000000000000000000000000001"),
    *("a + h", "h - a", "a * u", "u * 0.05", "n + 2.50", "1200000 * b", "b * -0.005", "-b * 3"),
    *("round(a / 8, 1)", "round(b / 8, 1)", "round(b, 1)", "round(b, 2)", "round(u, 3)"),
    *(
        "round(b * u, 3)",
        "round(b / u, 2)",
        "round(1 / i, 4)",
        "round(n / 8, 0)",
        "round(u / b, 4)",
    ),
    *("round(h / a, 12)", "round(a / h, 0)", "round(n / 0.0005, 1)", "round(c * n, 6)"),
    *(
        "max([a, b])",
        "min([a, h, i])",
        "max([n, 2.5])",
        "min([b, 0.005, u])",
        "max([c, c * c * 7])",
    ),
    *("f ? a : h", "f ? n : 0.5", "(a > h ? b : i) * 2", "f ? c * c * 7 : a", "f ? 1 : 2"),
    *("round(u, 0) * c * c * 7", "round(c, 6) * round(c, 6)"),
    *("a > h", "a == b", "b != 0.005", "i < 2.5", "2.5 >= u", "n <= h", "c * c * 7 > 1"),
    *("a in [1, 2.5]", "i in [0.5, 3]", "b in [a, 3]", "u in (-0.5..0.0001]", "b in [i..a)"),
    *(
        "5 in [1, 2]",
        "2.50 in [1, 2.5]",
        "n in [1, c]",
        "a in [0.001, 0.002]",
        "not (a in [h..i]) or f",
        "s == 'x' ? a : b",
    ),
    *("abs(b) + a", "a / 7 + a", "b % 3 + a", "i ^ 2 + a", "floor(b) * 2", "a * 1", "a + 0"),
)
#: What is made of what was made, the guard against absurd numbers between them.
_CHAINS: Final = (
    {"d.x": "a * n * a", "d.y": "d.x * 2", "d.z": "d.y * d.y - d.x"},
    {"d.x": "a * n * n * n", "d.y": "d.x - a"},
    {"d.x": "a * n * n * n", "d.y": "a"},
    {"d.x": "h * a", "d.y": "d.x * d.x", "d.z": "round(d.y, 2) > 3", "d.w": "d.z ? d.x : 1"},
    {"d.x": "a / 7", "d.y": "d.x + a", "d.z": "round(d.y / 3, 2)"},
)
_WIDE: Final = 10**18 - 1
INTEGER_EDGES: Final[dict[str, list[Any]]] = {
    "a": [Decimal(each) for each in ("0", "0.05", "0.15", "1", "2.50", "12.34", f"{_WIDE}.99")],
    "b": [Decimal(each) for each in ("-7.25", "-0.05", "0", "0.15", "3", f"-{_WIDE}.99", "1e15")],
    "c": [Decimal(each) for each in ("-1.5", "0", "3", f"{_WIDE}.{'9' * 12}", "0.000000000001")],
    "h": [Decimal(each) for each in ("0", "0.000000000001", "0.5", "0.333333333333", "0.25")],
    "u": [Decimal(each) for each in ("-1", "-0.0001", "0", "0.0001", "0.5", "1", "1.0001")],
    "n": [Decimal(each) for each in (-_WIDE, -5, 0, 4, 12, 2**59 - 1, 2**59, _WIDE)],
    "m": [Decimal(each) for each in (0, 1, 2**59 - 1, 2**59, _WIDE)],
    "i": [Decimal(each) for each in (-4, -3, -1, 0, 1, 2, 12, 13)],
    "s": ["x", "y", "z"],
    "t": ["", "é", "a"],
    "f": [True, False],
}


def integers() -> dict[str, Json]:
    """Return the policies by name; `INTEGER_EDGES` are their inputs."""
    alone = {f"k.x{number}": text for number, text in enumerate(_EXPRESSIONS)}
    found = {"integers": _document(expressions("e", alone))}
    for number, chain in enumerate(_CHAINS):
        found[f"integers in a chain {number}"] = _document(expressions("e", chain))
    unique = [["v0", "> 2.5", "1"], ["v1", "[0.15..2.5]", "a"], ["v2", "< 0.15", "0.5"]]
    alone = table("v", ["a"], ["out"], unique, hitPolicy="unique", outputPath="v")
    named = [["v0", "a in [1, b]", "1"], ["v1", "not (a in [1, b])", "2"]]
    members = table("v", [""], ["out"], named, hitPolicy="unique", outputPath="v")
    large = [["v0", "> 2.5", "a * n"], ["v1", "", "n"]]
    squared = expressions("g", {"h.z": "v.big * v.big", "h.y": "h.z - 1"})
    return found | {
        "members that are names": _document(members),
        "integers of a table": _document(table("v", ["a"], ["v.big"], large), squared),
        "integers in tables": _document(*_tables()),
        "nothing to do": _document(expressions("e", {}), alone),
    }


def _document(*nodes: Json) -> Json:
    return document(*nodes, properties=PROPERTIES)


def _tables() -> list[Json]:
    """Rules and values: columns that are integers, and one of which a row is not."""
    rows = [
        ["v0", "> 2.5", "(0.05..3]", "a", "0.5", '"w"', "f"],
        ["v1", "[0.15..2.5]", "", "h * 2", "i", "t", "true"],
        ["v2", "", "0.05, 0.15", "1200", "c * c * 7", '"y"', "false"],
        ["v3", "", "", "a * n * n * n", "-1", '"z"', "not f"],
    ]
    outputs = ["v.out", "v.odd", "v.word", "v.truth"]
    return [
        rules(("r0", "> 2.5", "refer"), ("r1", "[0.05..1)", "decline"), fields=("a",)),
        rules(("q0", "< 0", "refer"), ("q1", "== 12", "refer"), fields=("i",), identity="q"),
        rules(("p0", "> 2", "refer"), ("p1", "== 1", "decline"), fields=("m",), identity="p"),
        rules(("o0", '== "x"', "refer"), fields=("s",), identity="o"),
        table("v", ["a", "b"], outputs, rows),
        expressions("g", {"h.z": "v.out * 2 - u", "h.t": "v.word + t", "h.f": "v.truth and f"}),
    ]
