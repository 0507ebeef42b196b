"""Small policies with switches and sub-decisions: what is left out, shared, or never made."""

from typing import Final

from tests.unit.policy.build import (
    SCHEMA,
    Json,
    custom,
    decision,
    document,
    expressions,
    graph,
    rules,
    subgraph,
    switch,
    table,
    using,
)

NUMBER: Final[Json] = {"type": "number", "x-scale": 2}

BRANCHING: Final[dict[str, Json]] = {
    "branches": graph(
        [
            expressions("e", {"d": "a - b"}),
            switch("s", ("low", "d < 1"), ("high", "n > 5"), ("else", "")),
            expressions("x1", {"x": "a / (b - 1)", "own": "n"}),
            expressions("x2", {"x": "b * 2"}),
            switch("t", ("yes", "f"), ("no", "x > 2"), policy="collect"),
            table("y1", ["b"], ["z", "y"], [["y1", "< 2", "1", "b"], ["y2", ">= 2", "2", "a"]]),
            rules(("c1", "y > 1", "decline"), ("c2", "x > 2", "refer"), identity="c"),
            rules(("q1", "own > 3", "decline", "decline"), ("q2", "a > 2", "refer"), identity="q"),
            expressions("x3", {"x": "7"}),
            rules(("j1", "x > 2", "decline"), ("j2", "b > 2", "refer"), identity="j"),
        ],
        [
            *("in>e", "e>s", "s:low>x1", "s:high>x2", "s:else>x3", "x1>q", "q>j", "x2>t"),
            *("t:yes>y1", "t:no>c", "y1>c", "c>j", "x3>j", "j>out"),
        ],
    ),
    "ends": graph(
        [
            switch("s", ("one", "a > 2"), ("two", "n > 3")),
            switch("t", ("in", "b > 2"), ("else", "")),
            rules(("r1", "a > 3", "decline"), identity="r"),
            expressions("g", {"k": "a + b"}),
            rules(("r2", "k > 3 or n > 4", "refer"), ("r3", "f", "reduce"), identity="q"),
        ],
        [*("in>s", "s:one>t", "t:in>r", "r>q", "t:else>g", "g>q", "s:two>q", "q>out")],
    ),
    "shared": graph(
        [
            switch("s", ("one", "a > 2"), ("two", "")),
            table("v", ["b"], ["x", "y"], [["v1", "< 2", "1", "b"], ["v2", "", "a", "n"]]),
            expressions("g", {"y": "a + 1"}),
            expressions("h", {"z": "b / a"}),
            table(
                "u",
                ["n"],
                ["z", "x"],
                [["u1", "< 3", "a", "2"], ["u2", ">= 3", "b", "n"]],
                hitPolicy="unique",
            ),
            rules(("r1", "x > y", "decline"), ("r2", "z > 1", "refer"), identity="r"),
        ],
        [*("in>s", "s:one>v", "v>h", "h>r", "s:two>g", "g>u", "u>r", "r>out")],
    ),
    "scores": graph(
        [
            switch("s", ("one", "b > 2"), ("two", "")),
            custom("c", "scorecard", {"model": "m", "outputPath": "score"}),
            expressions("h", {"score.value": "a + 1", "score.raw": "2"}),
            rules(("r1", "score.value > 70", "decline"), ("r2", "score.raw > 75", "refer")),
            rules(("n1", "n == null", "refer"), ("n2", "f == null", "decline"), identity="cover"),
        ],
        ["in>cover", "cover>s", "s:one>c", "s:two>h", "c>r", "h>r", "r>out"],
    ),
    "ways": graph(
        [
            switch("w", ("low", "a < 1"), ("high", "n > 5"), ("else", "")),
            rules(("q1", "a > 0", "decline"), ("q2", "b > 2", "refer"), identity="q"),
            switch("u", ("one", "b > 1"), ("two", "f"), ("three", "b > 3"), policy="collect"),
            switch("v", ("one", "a > 2"), ("two", "b > 2"), ("three", "")),
            rules(("p1", "b > 2", "decline"), identity="p"),
            rules(("o1", "a > 2", "reduce", "decline"), identity="o"),
            rules(("m1", "n > 2", "refer"), ("m2", "f", "decline"), identity="m"),
            rules(("j1", "a > 2", "decline"), ("j2", "b > 2", "refer"), identity="j"),
        ],
        [
            *("in>w", "w:low>q", "w:high>u", "w:else>v", "u:one>p", "u:two>o", "u:three>m"),
            *("v:one>m", "v:two>o", "v:three>p", "p>j", "o>j", "m>j", "q>j", "in>j", "j>out"),
        ],
    ),
    "every way": graph(
        [
            switch("w", ("one", "a < 1"), ("two", "b > 2"), ("three", "f"), policy="collect"),
            rules(("p1", "b > 1", "decline"), identity="p"),
            rules(("o1", "a > 0", "refer"), identity="o"),
            rules(("m1", "a > 2", "reduce"), ("m2", "n > 2", "refer"), identity="m"),
            rules(("j1", "a > 2", "decline"), identity="j"),
        ],
        ["in>w", "w:one>p", "w:two>o", "w:three>m", "p>j", "o>j", "m>j", "in>j", "j>out"],
    ),
    "hole": graph(
        [
            switch("w", ("one", "a < 1"), ("two", "b > 2")),
            expressions("g", {"x": "a + 1", "z": "b"}),
            table("v", ["n"], ["y", "x"], [["v1", "< 3", "1", "b"], ["v2", "", "a", "n"]]),
            rules(("j1", "a > 2", "decline"), identity="j"),
        ],
        ["in>w", "w:one>g", "w:two>v", "g>j", "v>j", "in>j", "j>out"],
    ),
    "scored branch": graph(
        [
            rules(("n1", "n == null", "refer"), ("n2", "f == null", "decline"), identity="cover"),
            switch("w", ("one", "b > 2"), ("two", "")),
            expressions("g", {"a": "b / (b - 3)"}),
            custom("c", "scorecard", {"model": "m"}),
            rules(("r1", "score.value > 70", "decline"), ("r2", "b > 1", "refer")),
        ],
        ["in>cover", "cover>w", "w:one>g", "g>c", "w:two>c", "c>r", "r>out"],
        {name: leaf for name, leaf in SCHEMA.items() if name != "a"},
    ),
    "decisions": using(
        document(
            expressions("e", {"x": "a + 1"}),
            decision("d", "inner", "path"),
            decision("g", "gated", "other"),
            rules(("r1", "path.k > 3", "decline"), ("r2", "other.m > 1", "refer")),
            properties={"a": NUMBER, "b": NUMBER, "f": {"type": "boolean"}},
        ),
        inner=subgraph(
            [
                expressions("i", {"k": "x * b"}),
                rules(("inside", "k > 3 or b > 2", "refer"), identity="ir"),
            ],
            ["in>i", "i>ir", "ir>out"],
            {"x": NUMBER, "b": NUMBER},
        ),
        gated=subgraph(
            [switch("w", ("go", "f")), expressions("i", {"m": "b / (b - 1)"})],
            ["in>w", "w:go>i", "i>out"],
            {"b": NUMBER, "f": {"type": "boolean"}},
        ),
    ),
}
