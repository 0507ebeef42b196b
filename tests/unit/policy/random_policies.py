"""Strategies for whole policies and inputs: small, typed, and near their own thresholds."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any

from hypothesis import strategies as st

from decision_engine.policy.scorecard import Scorecard
from tests.unit.policy.build import (
    Json,
    custom,
    document,
    expressions,
    function,
    model,
    ranges,
    raw,
    table,
)

PROPERTIES: Json = {
    "a": {"type": "number", "x-scale": 2},
    "b": {"type": "number", "x-scale": 2},
    "n": {"type": "integer", "minimum": -5, "maximum": 5},
    "s": {"type": "string", "enum": ["x", "y", "z"]},
    "l": {"type": "array", "items": {"type": "number", "x-scale": 2}, "maxItems": 4},
    "o": {
        "type": "array",
        "maxItems": 3,
        "items": {"properties": {"q": {"type": "number"}, "y": {"type": "boolean"}}},
    },
    "f": {"type": "boolean"},
    "g": {"type": "boolean"},
}
NUMBERS = ("0", "1", "2", "2.50", "3", "-1", "0.05", "7")
OF_LISTS = ("sum", "min", "max", "avg", "median", "mode", "len")
number_texts = st.sampled_from(NUMBERS)


@cache
def number_exprs(names: tuple[str, ...], depth: int = 2) -> st.SearchStrategy[str]:
    leaves = st.one_of(number_texts, st.sampled_from(names))
    if depth == 0:
        return leaves
    inner = number_exprs(names, depth - 1)
    digits = st.integers(0, 3)
    return st.one_of(
        leaves,
        st.builds("({} {} {})".format, inner, st.sampled_from("+-*"), inner),
        st.builds("-{}".format, inner),
        st.builds("abs({})".format, inner),
        st.builds("min([{}, {}])".format, inner, inner),
        st.builds("max([{}])".format, inner),
        st.builds("round({}, {})".format, inner, digits),
        st.builds("round({} / ({}), {})".format, inner, st.sampled_from(names), digits),
        st.builds("({} ? {} : {})".format, boolean_exprs(names, 0), inner, inner),
        # A divisor that is written as 0 is refused before anything is evaluated.
        st.builds("({} {} ({} - 1))".format, inner, st.sampled_from("/%"), inner),
        st.builds("({} ^ {})".format, inner, st.sampled_from(["0", "1", "2", "-1", "n"])),
        st.builds("{}({})".format, st.sampled_from(["floor", "ceil", "trunc"]), inner),
        st.builds("{}({})".format, st.sampled_from(OF_LISTS), list_exprs(names, depth - 1)),
        st.builds("{}[{}]".format, list_exprs(names, depth - 1), st.sampled_from("012n")),
        st.builds("count({}, {})".format, list_exprs(names, depth - 1), about_element(names)),
        st.sampled_from(["count(o, #.y and #.q > b)", "sum(map(o, #.q))", "o[n].q"]),
    )


@cache
def list_exprs(names: tuple[str, ...], depth: int) -> st.SearchStrategy[str]:
    """Lists of numbers; every one may stand before a bracket."""
    leaves = st.sampled_from(["l", "map(o, #.q)", "map(l, sum(map([1, #], # + 1)))"])
    if depth < 0:
        return leaves
    inner, numbers = list_exprs(names, depth - 1), number_exprs(names, 0)
    return st.one_of(
        leaves,
        st.builds("[{}, {}]".format, numbers, numbers),
        st.builds("{}[{}:{}]".format, inner, st.sampled_from("01"), st.sampled_from("12n")),
        st.builds("map({}, # {} {})".format, inner, st.sampled_from("+-*"), numbers),
        st.builds("map({}, # / {})".format, inner, st.sampled_from(names)),
        st.builds("filter({}, {})".format, inner, about_element(names)),
        st.builds("flatMap({}, [#, {}])".format, inner, numbers),
    )


def about_element(names: tuple[str, ...]) -> st.SearchStrategy[str]:
    tests = st.builds("# {} {}".format, st.sampled_from(["<", ">=", "=="]), number_exprs(names, 0))
    return st.one_of(tests, st.builds("{} or f".format, tests), st.just("1 / # > 0"))


@cache
def boolean_exprs(names: tuple[str, ...], depth: int = 2) -> st.SearchStrategy[str]:
    numbers = number_exprs(names, min(depth, 1))
    order = st.sampled_from(["<", "<=", ">", ">=", "==", "!="])
    bracket = st.tuples(st.sampled_from("[("), st.sampled_from("])"))
    leaves = st.one_of(
        st.sampled_from(["f", "g", "true", "n == null", "n != null", "f == g"]),
        st.builds("({} {} {})".format, numbers, order, numbers),
        st.builds("({} {} {})".format, st.sampled_from(names), order, number_texts),
        st.builds('(s {} "{}")'.format, st.sampled_from(["==", "!="]), st.sampled_from("xyz")),
        st.just('s in ["x", "y"]'),
        st.just('(s not in ["z"])'),
        st.builds("({} in [{}, 2, b])".format, numbers, number_texts),
        st.builds("({} in {})".format, numbers, list_exprs(names, 0)),
        st.builds(
            "{}({}, {})".format,
            st.sampled_from(["some", "all", "none", "one"]),
            list_exprs(names, 0),
            about_element(names),
        ),
        st.just("contains(l, 2) and all(o, #.y)"),
        st.builds(
            lambda v, low, b: f"({v} in {b[0]}{low}..{low} + 3{b[1]})", numbers, numbers, bracket
        ),
    )
    if depth == 0:
        return leaves
    inner = boolean_exprs(names, depth - 1)
    return st.one_of(
        leaves,
        st.builds("({} and {})".format, inner, inner),
        st.builds("({} or {})".format, inner, inner),
        st.builds("(not {})".format, inner.map(lambda text: f"({text})")),
        st.builds("({} ? {} : {})".format, inner, inner, inner),
    )


@cache
def cells(names: tuple[str, ...]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.just(""),
        st.builds(
            "{} {}".format, st.sampled_from(["<", "<=", ">", ">=", "==", "!="]), number_texts
        ),
        st.builds("> {} and < {}".format, number_texts, st.sampled_from(names)),
        st.sampled_from(["[0..2.50)", "(1..3]", "1, 2, 3", "[1, 2.50]", "not in [2]", "0 or > 3"]),
    )


@dataclass(frozen=True)
class Sample:
    """One policy and what it needs."""

    policy: bytes
    models: Mapping[str, Scorecard]


def host(arguments: Mapping[str, Any]) -> Mapping[str, Any]:
    """A pure function that sometimes has no answer."""
    if arguments["q"] > 9:
        return {"v": None, "w": "late"}
    return {"v": Decimal(round(arguments["q"])), "w": "early" if arguments["k"] else "late"}


CARD = Scorecard.parse(
    raw(
        model(
            ranges("a", 10, "0", 30, "2.50", 40),
            ranges("n", 5, "1", 15, missing_points=0),
            {
                **ranges("s", 0),
                "bins": [{"values": ["x"], "points": 9}, {"values": ["y", "z"], "points": 1}],
            },
        )
    )
)
#: Covers n, which null tests and the scorecard's missing bin read.
COVER = ["cover", "n >= 5", '"C"', '"decline"', ""]


@st.composite
def samples(draw: st.DrawFn) -> Sample:
    base = ("a", "b", "n")
    keys = {"d.one": draw(number_exprs(base)), "d.two": draw(number_exprs(base))}
    keys["d.three"] = f"$.d.one + {draw(number_texts)}"
    keys["d.yes"] = draw(boolean_exprs(base))
    more = (*base, "d.one", "d.two", "d.three", "score.value", "score.pd")
    nodes = [
        expressions("e", keys),
        custom("c", "scorecard", {"model": "m"}),
        draw(value_tables(more)),
        function(
            {"q": draw(st.sampled_from(more)), "k": draw(boolean_exprs(base, 1))},
            {"v": {"type": "number"}, "w": {"type": "string"}},
        ),
        table("r", ["a", "", "d.two"], ["code", "effect", "onMissing"], draw(rule_rows(more))),
    ]
    return Sample(raw(document(*nodes, properties=PROPERTIES)), {"m": CARD})


@st.composite
def value_tables(draw: st.DrawFn, names: tuple[str, ...]) -> Json:
    rows = draw(value_rows(names))
    outputs = ["v.out", "v.word"]
    policy = draw(st.sampled_from(["first", "unique", "priority"]))
    if policy == "priority":
        outputs.append("priority")
        rows = [[*row, draw(st.sampled_from("012"))] for row in rows]
    return table("v", ["d.one", "", "b"], outputs, rows, hitPolicy=policy)


@st.composite
def value_rows(draw: st.DrawFn, names: tuple[str, ...]) -> list[list[str]]:
    count = draw(st.integers(1, 4))
    rows = [
        [
            f"v{i}",
            *(draw(cells(("a", "b"))), draw(st.one_of(st.just(""), boolean_exprs(names, 1)))),
            draw(cells(("n", "b"))),
            *(draw(number_exprs(names, 1)), f'"w{i}"'),
        ]
        for i in range(count)
    ]
    # Rows that are never reached and inputs without a row: `check` would refuse them.
    rows.append(["never", "", "f and g and not f", "", "0", '"w0"'])
    if draw(st.integers(0, 4)):
        rows.append(["else", "", "", "", draw(number_exprs(names, 1)), '"w0"'])
    return rows


@st.composite
def rule_rows(draw: st.DrawFn, names: tuple[str, ...]) -> list[list[str]]:
    all_names = (*names, "v.out", "call.v")
    conditions = st.one_of(
        st.just('v.word == "w0"'), st.just('call.w == "early"'), boolean_exprs(all_names, 2)
    )
    effects = st.sampled_from(['"decline"', '"refer"', '"reduce"'])
    silent = st.sampled_from(["", "", '"refer"', '"decline"'])
    rows = [
        [f"r{i}", draw(cells(("b",))), draw(conditions), draw(cells(("n",))), '"C"', *draws]
        for i in range(draw(st.integers(1, 5)))
        for draws in [(draw(effects), draw(silent))]
    ]
    quiet = ["quiet", "", "n > 2", "", '"C"', '"refer"', '"no_hit_if_missing"']
    return [*rows, [COVER[0], "", COVER[1], "", *COVER[2:]], quiet]


def inputs() -> st.SearchStrategy[dict[str, Any]]:
    numbers = st.sampled_from([Decimal(text) for text in (*NUMBERS, "2.49", "2.51", "100")])
    whole = st.integers(-5, 5).map(Decimal)
    return st.fixed_dictionaries(
        {
            "a": maybe(numbers),
            "b": maybe(numbers),
            "n": maybe(whole),
            "s": maybe(st.sampled_from("xyz")),
            "l": maybe(st.lists(numbers, max_size=4)),
            "o": maybe(
                st.lists(
                    st.fixed_dictionaries({"q": numbers, "y": maybe(st.booleans())}), max_size=3
                )
            ),
            "f": maybe(st.booleans()),
            "g": maybe(st.booleans()),
        }
    )


def maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(strategy, strategy, strategy, strategy, st.none())
