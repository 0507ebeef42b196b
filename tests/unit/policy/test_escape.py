"""A policy cannot reach Python: every trick is refused with a sentence, or is a harmless value."""

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from decision_engine.policy.compile import CompiledPolicy, compile_policy
from decision_engine.policy.findings import PolicyError
from decision_engine.policy.run import NoAnswerError
from decision_engine.policy.scorecard import Scorecard
from decision_engine.policy.values import Value
from domain.errors import PermanentError
from tests.unit.policy.build import (
    Json,
    custom,
    document,
    expressions,
    function,
    model,
    raw,
    rules,
    table,
)
from tests.unit.policy.generated import Seen, check_source, checked_sources

NUMBER: Json = {"type": "number"}
INPUTS: dict[str, Value | None] = {
    "a": Decimal(3),
    "b": Decimal(2),
    "n": Decimal(1),
    "s": "x",
    "t": "text",
    "f": True,
}


@pytest.fixture(autouse=True)
def seen(monkeypatch: pytest.MonkeyPatch) -> Iterator[Seen]:
    with checked_sources(monkeypatch) as sources:
        yield sources


def read(policy: Json, *models: Scorecard) -> CompiledPolicy:
    return compile_policy(raw(policy), {each.id: each for each in models})


def refusal(text: bytes) -> str:
    with pytest.raises(PolicyError) as refused:
        compile_policy(text, {})
    return str(refused.value)


def value_of(text: str) -> Any:
    return read(document(expressions("e", {"k": text}))).evaluate(INPUTS, {}).values["k"]


#: What is refused, the sentence, the nearest text that works and its value.
TRICKS: list[tuple[str, str, str, Any]] = [
    ('__import__("os")', "there is no function __import__", "abs(a)", Decimal(3)),
    ("__import__", 'unknown field "__import__"', "a", Decimal(3)),
    ("__builtins__", 'unknown field "__builtins__"', "b", Decimal(2)),
    ("facts", 'unknown field "facts"', "a", Decimal(3)),
    ("facts[0]", 'unknown field "facts"', "[a][0]", Decimal(3)),
    ("run(a)", "there is no function run", "round(a)", Decimal(3)),
    ("add(a, b)", "there is no function add", "a + b", Decimal(5)),
    ("constant_12", 'unknown field "constant_12"', "12", Decimal(12)),
    ("getattr(a, 'b')", "there is no function getattr", "min([a, b])", Decimal(2)),
    ("eval('a')", "there is no function eval", "'a'", "a"),
    ("a.__class__", 'unknown field "a.__class__"', "a", Decimal(3)),
    ('"".__class__', 'unexpected ".__class__"', '""', ""),
    ("(1).real", 'unexpected ".real"', "(1)", Decimal(1)),
    ("1 .real", 'unexpected ".real"', "1.5", Decimal("1.5")),
    ("a.b.__globals__", 'unknown field "a.b.__globals__"', "a * b", Decimal(6)),
    ("import os", 'unexpected "os"', "a", Decimal(3)),
    ("from os import path", 'unexpected "os"', "t", "text"),
    ("lambda: a", 'unexpected ":"', "f ? a : b", Decimal(3)),
    ("lambda", 'unknown field "lambda"', "f", True),
    ("None", 'unknown field "None"', "a == null ? 0 : 1", None),
    ("True", 'unknown field "True"', "true", True),
    ("a if f else b", 'unexpected "if"', "f ? a : b", Decimal(3)),
    ("[a for a in b]", '"]" is missing', "sum(map([a, b], # + 1))", Decimal(7)),
    ("a := 1", "= (write: ==)", "a == 1", False),
    ("a is b", 'unexpected "is"', "a == b", False),
    ("yield a", 'unexpected "a"', "a", Decimal(3)),
    ("...", "the point at 3 stands alone", "a in [1..5]", True),
    ("a; b", "a second statement", "a + b", Decimal(5)),
    ("a # b", 'unexpected "#"', "'a # b'", "a # b"),
    ("a // b", 'unexpected "/"', "round(a / b, 1)", Decimal("1.5")),
    ("@a", "the operator @", "a", Decimal(3)),
    ("{a}", "an object", "a", Decimal(3)),
    ("a\\\n+ b", "the character U+005C", "a\n+ b", Decimal(5)),
    ('f"{a}"', 'unexpected ""{a}""', '"{a}"', "{a}"),
    ("`${a}`", "a template text", "'${a}'", "${a}"),
    ('"%s" % a', "arithmetic needs a number", '"%s"', "%s"),
    ('"{0.__class__}".format(a)', 'unexpected ".format"', '"{0.__class__}"', "{0.__class__}"),
    (r'"\x41"', "has no end, or holds a \\", '"x41"', "x41"),
    ('"a\nb"', "or a line break", '"a b"', "a b"),
    ('"a" "b"', 'unexpected ""b""', "'a\" \"b'", 'a" "b'),
    ("'it''s'", "unexpected \"'s'", '"it\'s"', "it's"),
    ("10 ** 99", "the operator **", "10 * 99", Decimal(990)),
    ("pow(10, 99)", "there is no function pow", "max([10, 99])", Decimal(99)),
    ("9" * 35, "more than 34 digits", "9" * 34, Decimal("9" * 34)),
    ("1e9", "a number is digits with a point", "1000000000", Decimal(10) ** 9),
    ("0x10", "a number is digits with a point", "16", Decimal(16)),
    ("1_000", "a number is digits with a point", "1000", Decimal(1000)),
    ("'x' * 1000000000", "arithmetic needs a number", "'x'", "x"),
    ("'a' + 1", "write string(number)", "'a' + string(1)", "a1"),
    ("#", "#", "map([1], #)[0]", Decimal(1)),
    ("map([a], #.__class__)", "__class__", "map([a], # - 1)[0]", Decimal(2)),
    ('t["__class__"]', "__class__", "t[0]", "t"),
    ("matches(t, '(a+)+$')", "no bound on their time", "startsWith(t, 'te')", True),
    ("date()", "clock", "date('1970-01-02')", Decimal(86_400)),
    ("rand(10)", "chance", "abs(a)", Decimal(3)),
    ("a" * 4_097, "more than 4096 characters", "a" + " " * 4_095, Decimal(3)),
    ("a ＜ b", "U+FF1C", "a < b", False),
    ("a − b", "U+2212", "a - b", Decimal(1)),
    ("a ≤ b", "U+2264", "a <= b", False),
    ("а", "U+0430", "a", Decimal(3)),
    ("ａ", "U+FF41", "a", Decimal(3)),
    ("ſ", "U+017F", "s", "x"),
    ("１", "U+FF11", "1", Decimal(1)),
    ("“x”", "U+201C", '"x"', "x"),
    ("a\u00a0+ b", "U+00A0", "a + b", Decimal(5)),
    ("a\u200b", "U+200B", "a", Decimal(3)),
    ("\u202ea", "U+202E", "a", Decimal(3)),
    ("a\0", "U+0000", "a ", Decimal(3)),
]


@pytest.mark.parametrize("trick", TRICKS, ids=[text[:30] for text, *_ in TRICKS])
def test_an_expression_is_refused_and_its_twin_works(
    trick: tuple[str, str, str, Any], seen: Seen
) -> None:
    text, sentence, twin, expected = trick

    assert sentence in refusal(raw(document(expressions("e", {"k": text}))))
    assert not seen.sources
    if expected is not None:
        assert value_of(twin) == expected
        assert seen.sources


@pytest.mark.parametrize(
    "text",
    ["10 ^ 60", "10 ^ 99", "a ^ 1000000000", "2 ^ 0.5", "(10 ^ 40) ^ 40", "(10 ^ 40) * (10 ^ 40)"],
)
def test_a_huge_power_is_missing_and_costs_nothing(text: str) -> None:
    assert value_of(text) is None
    assert value_of("2 ^ 64") == 2**64


def test_a_huge_text_is_missing_and_never_made() -> None:
    doubled = {"k0": "'xxxxxxxx'"} | {f"k{i}": f"$.k{i - 1} + $.k{i - 1}" for i in range(1, 64)}

    values = read(document(expressions("e", doubled))).evaluate(INPUTS, {}).values

    assert values["k13"] == "x" * 65_536
    assert values["k14"] is values["k63"] is None


@pytest.mark.parametrize(
    "text", ["= 1", '__import__("os") or 1', "== a.__class__", "in facts", "[1..9].x", "lambda: 1"]
)
def test_a_cell_is_refused_and_its_twin_works(text: str, seen: Seen) -> None:
    assert refusal(raw(document(rules(("r1", text, "decline"), fields=("a",)))))
    assert not seen.sources

    policy = read(document(rules(("r1", "> 1 and < b + 2", "decline"), fields=("a",))))
    assert policy.evaluate(INPUTS, {}).results[0].result == "hit"


@pytest.mark.parametrize(
    "name",
    [
        *("facts", "run", "add", "subtract", "rounded", "quotient", "constant_9", "constant_10"),
        *("lambda", "import", "None", "True", "def", "class", "exec", "print", "min", "self"),
        *("__builtins__", "__import__", "__class__", "__dict__", "_", "k" * 64),
    ],
)
def test_a_python_name_is_a_name_like_any_other(name: str) -> None:
    derived = f"x.{name}"
    nodes = expressions("e", {derived: f"{name} + 1"}), rules(("r1", f"{name} > 1", "decline"))
    policy = read(document(*nodes, properties={name: NUMBER}))

    found = policy.evaluate({name: Decimal(4)}, {})
    assert found.values == {derived: Decimal(5)}
    assert found.results[0].result == "hit"
    assert policy.evaluate({}, {}).missing == {derived: (name,)}


SOURCES = [
    "x\n__import__('os')",
    "'''",
    '"); import os; ("',
    "{facts[0]}",
    "%s",
    "\\",
    "\u2028x",
    "#",
]


@pytest.mark.parametrize("text", SOURCES)
def test_source_in_ids_names_and_descriptions_stays_text(text: str, seen: Seen) -> None:
    policy = document(
        expressions("e", {"k": "a + 1"}), rules(("r1", "> 1", "decline"), fields=("a",)), owner=text
    )
    policy["nodes"][1] |= {"id": text, "name": f"{text} name"}
    policy["edges"][0]["targetId"] = policy["edges"][1]["sourceId"] = text
    content = policy["nodes"][2]["content"]
    content["inputs"][0] |= {"id": text, "name": text}
    content["rules"] = [
        {"_id": "r1", "_description": text, text: "> 1", "o0": '"C"', "o1": '"refer"'}
    ]

    found = read(policy).evaluate(INPUTS, {})
    assert found.values["k"] == Decimal(4)
    assert found.results[0].consequence == "refer"
    assert not [source for source in seen.sources if text in source and text != "#"]


@pytest.mark.parametrize("text", [text for text in SOURCES if not {"\n", "\\"} & set(text)])
def test_source_in_a_literal_stays_text(text: str, seen: Seen) -> None:
    quote = '"' if "'" in text else "'"

    assert value_of(f"{quote}{text}{quote}") == text
    assert not [source for source in seen.sources if text in source]
    assert [source for source in seen.sources if "constant_" in source]


@pytest.mark.parametrize("text", [*SOURCES, "a-b", "a b", "é", "9a", ".a", "a.", ""])
def test_source_in_keys_and_ids_that_are_names_is_refused(text: str, seen: Seen) -> None:
    call = function({text: "a"}, {"v": NUMBER})
    for node, sentence in (
        (expressions("e", {text: "1"}), "dotted name"),
        (expressions("e", {"k": "1"}, outputPath=text or 1), "dotted name"),
        (table("v", [""], [text], [["v1", "", "1"]]), 'needs "field"' if not text else "dotted"),
        (call, "is no name"),
        (function({"q": "a"}, {text: NUMBER}), "is no name"),
    ):
        assert sentence in refusal(raw(document(node)))
    assert "is no name" in refusal(raw(document(properties={text: NUMBER})))
    if text not in ("a-b", "9a", ".a", "a."):
        assert "needs an _id" in refusal(raw(document(rules((text, "true", "decline")))))
    assert not seen.sources


@pytest.mark.parametrize("name", ["eval", "exec", "open", "__import__", "run", "print"])
def test_a_function_node_calls_what_the_host_gave_and_nothing_else(name: str) -> None:
    node = function({"q": "a"}, {"v": NUMBER}, name=name, outputPath="call")
    policy = read(document(node))

    with pytest.raises(PermanentError, match="was not given"):
        policy.evaluate(INPUTS, {})
    given = {name: lambda arguments: {"v": arguments["q"] + 1}}
    assert policy.evaluate(INPUTS, given).values["call.v"] == Decimal(4)


@pytest.mark.parametrize("identity", ["../../etc/passwd", "__import__('os')", "__class__", "m\n"])
def test_a_scorecard_comes_from_the_host_by_its_id(identity: str) -> None:
    policy = document(custom("c", "scorecard", {"model": identity}))
    given = Scorecard.parse(raw(model(id=identity)))

    assert "was not given" in refusal(raw(policy))
    assert read(policy, given).evaluate(INPUTS, {}).values["score.value"] == Decimal(500)


@pytest.mark.parametrize("kind", ["eval", "pythonNode", "functionNode", "__class__", ""])
def test_another_kind_of_node_is_refused_by_its_name(kind: str) -> None:
    policy = document(expressions("e", {"k": "1"}))
    policy["nodes"][1]["type"] = kind

    assert f'"{kind or "type"}"' in refusal(raw(policy))


SOUND = raw(document(expressions("e", {"k": "1"})))


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        (b'"id": "e"', b'"id": "e", "id": "x"', "stands twice"),
        (b'"id": "e"', b'"id": "e", "\\u0069d": "x"', "stands twice"),
        (b'"id": "e"', b'"id": "e", "__class__": "x"', 'unknown field "__class__"'),
        (b'"id": "e"', b'"id": "e", "__proto__": {}', 'unknown field "__proto__"'),
        (b'"id": "e"', b'"id": "e", // comment\n', "not JSON"),
        (b'"id": "e"', b'"id": "e",, ', "not JSON"),
        (b'"id": "e"', b"'id': 'e'", "not JSON"),
        (b'"id": "e"', b'"id": "\\ud800"', "half a character"),
        (b'"version": 1', b'"version": NaN', "NaN is not a number"),
        (b'"version": 1', b'"version": Infinity', "Infinity is not a number"),
        (b'"version": 1', b'"version": 1.0', "must be a whole number"),
        (b'"version": 1', b'"version": true', "must be a whole number"),
        (b'"version": 1', b'"version": 1e999999999999999999999', "too long"),
        (b'{"contentType"', b'\xef\xbb\xbf{"contentType"', "not JSON"),
        (b'{"contentType"', b'\xff{"contentType"', "not UTF-8"),
    ],
)
def test_a_trick_of_json_is_refused(old: bytes, new: bytes, sentence: str) -> None:
    assert sentence in refusal(SOUND.replace(old, new, 1))
    assert compile_policy(SOUND, {}).evaluate({}, {}).values == {"k": Decimal(1)}


@pytest.mark.parametrize(
    "body",
    [
        *("facts.x", "'text'", "1.5", "lambda: 1", "[a for a in facts]", "f'{facts}'", "facts"),
        *("eval(facts[0])", "__import__", "min(facts[0], key=max)", "facts[max]", "unknown"),
    ],
)
def test_the_check_of_sources_finds_what_it_is_for(body: str) -> None:
    names = {"__builtins__": {}, "min": min, "max": max, "constant_1": Decimal(1)}

    check_source("def run(facts): return min(facts[0], constant_1) if True else 1", names)
    if body != "facts":
        with pytest.raises((AssertionError, KeyError)):
            check_source(f"def run(facts): return {body}", names)


@pytest.mark.parametrize(
    "body",
    [
        *("raise max", "raise NoAnswer from None", "raise NoAnswer(1)", "v1 = facts[0:2]"),
        *("names = 1", "min = v1", "v1, max = facts", "v1 @ v2", "v1 % v2", "v1 = [*facts]"),
        *("if v1: v1.x = 1", "while v1: pass", "del v1", "global v1", "v1 += 1"),
    ],
)
def test_the_check_of_sources_finds_what_does_not_belong_in_a_block(body: str) -> None:
    names = {"__builtins__": {}, "min": min, "max": max, "NoAnswer": NoAnswerError}
    good = "v1 = facts[0]\n if v1: codes[0] = 1\n else: raise NoAnswer\n v2, v3, = [v1 + v1, v1]"

    check_source(f"def run(facts, codes):\n {good}", names)
    with pytest.raises((AssertionError, KeyError)):
        check_source(f"def run(facts, codes):\n {good}\n {body}", names)


def test_the_shipped_shapes_were_generated_from_checked_tokens(seen: Seen) -> None:
    texts = {
        "k1": "round(a / (b + 1), 2) * -max([a, 0.5])",
        "k2": 'not (s in ["x", "y"]) and (a in (b..b + 1] or f) ? abs(a) : min([a, b])',
        "k3": "a in [b, 1] and t != 'z' and a - 1 == b",
    }
    policy = read(document(expressions("e", texts)))

    assert json.dumps(policy.evaluate(INPUTS, {}).values, default=str)
    # The node alone; the whole policy, its two readers and what names its numbers, in and out.
    assert len(seen.sources) == 6
