"""A dozen small policies that between them use everything that the language has."""

from tests.unit.policy.build import (
    Json,
    custom,
    document,
    expressions,
    function,
    model,
    ranges,
    rules,
    table,
)

NUMBER: Json = {"type": "number"}
OUTPUTS: Json = {
    "v": {"type": "number", "x-scale": 2},
    "w": {"type": "string"},
    "z": {"type": "boolean"},
}

CARDS: dict[str, Json] = {
    "m": model(
        ranges("a", 10, "0", 30, "2.50", 40, "9", 20),
        ranges("n", 5, "1", 15, "4", 25, missing_points=0),
        {
            **ranges("s", 0),
            "bins": [{"values": ["x"], "points": 9}, {"values": ["y", "z"], "points": 1}],
        },
        {
            **ranges("f", 0, missing_points=-3),
            "bins": [{"values": [True], "points": -2}, {"values": [False], "points": 7}],
        },
        base_points=40,
        clamp=[50, 110],
        scale={"pdo": "12.5", "base_score": 80, "base_odds": "2.5"},
    )
}

_BINS: list[list[Json]] = [
    [{"values": ["x"], "from": None, "points": 1}, {"values": ["y"], "points": 2}],
    [{"values": ["x"], "to": None, "points": 1}, {"values": ["y"], "points": 2}],
    [{"values": ["x", "y"], "points": 1}, {"values": ["y"], "points": 2}],
    [{"values": ["x", "x"], "points": 1}],
    [{"values": ["x"], "points": 1}, {"values": [True], "points": 2}],
    [{"values": ["x"], "points": 1}, {"from": None, "to": None, "points": 2}],
    [{"values": ["x", 1], "points": 1}, {"values": ["y"], "points": 2}],
    [{"values": ["x"], "points": 3}, {"values": ["y"], "points": 1, "other": 1}],
    [{"from": None, "to": "1", "points": 1, "other": 1}, {"from": "1", "to": None, "points": 1}],
]
#: Cards with bins, names and ends that a single change of a sound card does not make.
ODD_CARDS: list[Json] = [
    *(model({**ranges("s", 0), "bins": bins}) for bins in _BINS),
    *(model(ranges("a", 1, "2", 2, high, 3)) for high in ("1.99", "2", "2.01")),
    *(model(ranges("a", 1, "2", 9, "3", 5, missing_points=points)) for points in (8, 9, 10)),
    *(model(clamp=clamp) for clamp in ([50, 50], [50, 51], [51, 50], [50], [50, 51, 52])),
    *(model(ranges("a", 1, "2", 3), ranges(name, 4, "5", 6)) for name in ("a", "sexo", "b")),
    model(other=1),
    model(ranges("a", 1, "2", 3, other=1)),
    model(scale={"pdo": 50, "base_score": 600, "base_odds": 20, "other": 1}),
    model(scale={"pdo": "0.0000001", "base_score": 600, "base_odds": 20}),
]

#: Rules that cover the inputs which null tests and missing bins read.
COVER = (("cover-n", "n == null", "refer"), ("cover-f", "f == null", "decline"))

POLICIES: dict[str, Json] = {
    "arithmetic": document(
        expressions(
            "e",
            {
                "k.sum": "a + b - n",
                "k.product": "a * b * -n",
                "k.half": "round(a / 2, 1)",
                "k.ratio": "round((a - 1) / (b - 2), 3)",
                "k.far": "round(10 ^ 40 / (a + 3), 6)",
                "k.fine": "round(10 ^ 30 / (a + 7), 12)",
                "k.over": "round(10 ^ 48 / (n + 3), 12)",
                "k.round": "round(a * 0.5, 1) + round(b)",
                "k.whole": "round(a * 0.5)",
                "k.abs": "abs(a - b)",
                "k.least": "min([a, b, n])",
                "k.most": "max([$.k.sum, 3])",
                "k.one": "min([a]) + max([b])",
                "k.minus": "-a",
                "k.e34": "100000000000000000 * 100000000000000000",
                "k.e59": "$.k.e34 * 100000000000000000 * 100000000",
                "k.e60": "$.k.e59 * 10",
                "k.small": "0.00000000000000000000000000000001",
                "k.tiny": "$.k.small * $.k.small * $.k.small * 0.0000000000000000000001",
                "k.none": "$.k.tiny * 0.1",
                "k.huge": "a * 999999999999999999 * 999999999999999999 * b * 9999999999999 * b * b",
            },
        ),
        rules(
            ("r1", "k.e59 > 0.000000000000000000005", "decline"),
            ("r2", "k.e59 in [0.000000000000000000005..k.e60]", "refer"),
        ),
    ),
    "comparison": document(
        rules(
            ("r1", "a < 3", "decline"),
            ("r2", "a <= 3", "refer"),
            ("r3", "a > 3", "reduce"),
            ("r4", "a >= 3", "decline", "decline"),
            ("r5", "a == 3", "decline"),
            ("r6", "a != 3", "refer", "refer"),
            ("r7", "3 < a", "decline"),
            ("r8", "3 <= a", "decline"),
            ("r9", "3 > a", "decline"),
            ("r10", "3 >= a", "decline"),
            ("r11", "3 == a", "decline"),
            ("r12", "a - b > n * 2", "decline"),
            ("r13", "a + 1 <= b", "decline"),
            ("r14", 's == "x"', "decline"),
            ("r15", 't != "q"', "decline"),
            ("r16", "f == true", "decline"),
            ("r17", "f", "decline"),
            ("r18", "false", "decline"),
            ("r19", "true", "reduce"),
            ("r20", "3 != a", "decline"),
        )
    ),
    "membership": document(
        rules(
            ("r1", "a in [1, 2, 3]", "decline"),
            ("r2", "a not in [1, b]", "decline"),
            ("r3", "a in [2..4]", "decline"),
            ("r4", "a in (2..4]", "decline"),
            ("r5", "a in [2..4)", "decline"),
            ("r6", "a in (2..4)", "decline"),
            ("r7", "a not in (b..b + 2]", "decline"),
            ("r8", 's in ["x", "y"]', "decline"),
            ("r9", "a * 2 in [b, 4]", "decline"),
            ("r10", "not (a in [n..3] or b in [1..n])", "decline"),
            ("r11", "a + b in [3..5)", "decline"),
            ("r12", "a in [b..n]", "decline"),
            ("r13", "a in (2..4) or f", "decline"),
            ("r14", "not (a in [b..4))", "decline"),
            ("r15", "a in [1, b]", "decline"),
        )
    ),
    "logic": document(
        rules(
            ("r1", "a > 2 and b > 2", "decline"),
            ("r2", "a > 2 or b > 2", "refer"),
            ("r3", "not (a > 2)", "decline"),
            ("r4", "a > 2 and b > 2 and f", "decline"),
            ("r5", "(a > 2 or b > 2) and (n > 2 or f)", "decline"),
            ("r6", "f ? a > 2 : b > 2", "decline"),
            ("r7", "not (f and a > 1) or s == 'x'", "decline"),
            ("r8", "n == null", "refer"),
            ("r9", "n != null and a > 2", "decline"),
            ("r10", "not (n == null) and not (n != null)", "decline"),
            ("r11", "f and true or false", "reduce"),
            ("r12", "not f", "decline", "decline"),
            ("r13", "n > 3", "decline", "no_hit_if_missing"),
            ("r14", "f ? n > 3 : n < 2", "decline"),
        )
    ),
    "cells": document(
        rules(
            ("r1", "> 1 and < 3", "", "decline"),
            ("r2", "[1..3]", "b > 1", "decline"),
            ("r3", "(1..3)", "", "refer"),
            ("r4", "1, 2, 3", "", "decline"),
            ("r5", "not in [1, 2]", "f", "decline"),
            ("r6", "null", "", "refer"),
            ("r7", "< 1 or >= 3", "", "decline"),
            ("r8", "!= 2", "", "decline"),
            ("r9", "2", "", "decline"),
            ("r10", "<= 2 * b", "", "decline"),
            ("r11", "", "", "reduce"),
            ("r12", "", "a > 1", "decline"),
            ("r13", "!= null", "n > 2", "decline"),
            fields=("a", ""),
        )
    ),
    "values": document(
        table(
            "v",
            ["a", ""],
            ["v.rate", "v.word"],
            [
                ["v1", "< 1", "", "0.10", '"low"'],
                ["v2", "[1..3)", "b > 2", "a + b", '"middle"'],
                ["v3", ">= 3", "f", "round(a / b, 2)", '"high"'],
            ],
        ),
        table("w", ["v.rate"], ["w.flag"], [["w1", "> 1", "true"], ["w2", "", "false"]]),
        expressions(
            "e",
            {
                "k": "v.rate + 1",
                "j": 'v.word == "low"',
                "blamed": "round(a / (v.rate - 1), 2)",
            },
        ),
        rules(("r1", "v.rate > 2", "decline"), ("r2", "w.flag", "refer"), ("r3", "j", "reduce")),
    ),
    "constants": document(
        table("v", ["n"], ["v.out"], [["v1", "< 3", "1"], ["v2", "[3..5]", "2"], ["v3", "", "3"]]),
        rules(("r1", "v.out == 2", "decline"), ("r2", "v.out * a > 3", "refer")),
    ),
    "scorecard": document(
        custom("c", "scorecard", {"model": "m", "outputPath": "score"}),
        expressions(
            "e",
            {
                "k": "score.value * 2 - score.raw",
                "p": "score.pd * a",
                "high": "a / (score.value - 110)",
            },
        ),
        rules(("r1", "score.value < 80", "decline"), ("r2", "score.pd > 0.3", "refer"), *COVER),
    ),
    "function": document(
        expressions("e", {"k": "a + 1"}),
        function({"q": "k", "r": "f", "u": "b"}, OUTPUTS, outputPath="fn.x"),
        table("v", ["fn.x.v"], ["v.out"], [["v1", "> 3", "1"], ["v2", "<= 3", "fn.x.v"]]),
        rules(("r1", "fn.x.v > 3", "decline"), ("r2", 'fn.x.w == "late"', "refer")),
        {**rules(("r9", "fn.x.z", "decline")), "id": "r2", "name": "R2"},
    ),
    "chain": document(
        expressions("e", {"k": "a - b", "j": "$.k * 2"}, outputPath="x"),
        expressions("g", {"m": "round(x.k / x.j, 4)", "h": "x.j == 0 ? 0 : $.m"}),
        expressions("empty", {}),
        rules(("r1", "m > 0.4", "decline"), ("r2", "h >= 0", "refer"), ("r3", "m == h", "reduce")),
    ),
    "blamed row": document(
        table("v", ["a"], ["v.out"], [["v1", "< 1", "0.10"], ["v2", "", "b"]]),
        expressions("h", {"h": "1 / (v.out - 0.10)"}),
        rules(("r1", "h > 2", "decline")),
    ),
    "blamed score": document(
        custom("c", "scorecard", {"model": "m"}),
        expressions("h", {"h": "a / (score.value - 110)"}),
        rules(*COVER),
    ),
    "blamed call": document(
        function({"q": "a", "u": "b"}, OUTPUTS, outputPath="fn.x"),
        expressions("h", {"h": "1 / (fn.x.v - 3)"}),
        rules(("r1", "h > 2", "decline")),
    ),
}
