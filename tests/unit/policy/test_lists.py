"""Lists as inputs and in expressions: both variants, missing data, kinds and bounds."""

import json
from decimal import Decimal
from typing import Any

import pytest

from decision_engine.policy.compile import CompiledPolicy
from decision_engine.policy.findings import PolicyError
from decision_engine.policy.trace import trace
from decision_engine.policy.values import Entry, Scalar, plain
from tests.unit.policy.build import Json, compiled, expressions, rules, table

LOAN: Json = {
    "type": "object",
    "properties": {
        "rest": {"type": "number", "x-scale": 2, "minimum": 0},
        "kind": {"type": "string", "enum": ["card", "car"]},
        "late": {"type": "boolean"},
    },
}
PROPERTIES: Json = {
    "a": {"type": "number", "x-scale": 2},
    "n": {"type": "integer"},
    "t": {"type": "string"},
    "l": {"type": "array", "items": {"type": "number", "x-scale": 2}, "maxItems": 5},
    "w": {"type": "array", "items": {"type": "string"}, "maxItems": 300},
    "loans": {
        "type": "array",
        "items": LOAN,
        "maxItems": 300,
        "x-label": {"pt-BR": "dívidas", "en": "debts"},
    },
    "many": {"type": ["array", "null"], "items": {"type": "number"}},
}
CAR: dict[str, Scalar] = {"rest": Decimal("900.00"), "kind": "car", "late": True}
CARD = {"rest": Decimal("100.50"), "kind": "card", "late": False}
INPUTS: dict[str, Any] = {
    "a": Decimal("2.50"),
    "n": Decimal(1),
    "t": "card",
    "l": [Decimal(3), Decimal(1), Decimal(2)],
    "w": ["x", "y"],
    "loans": [CARD, CAR],
    "many": (),
}


def policy_of(text: str) -> CompiledPolicy:
    return compiled(expressions("e", {"v": text}), properties=PROPERTIES)


def value_of(text: str, **changes: Any) -> tuple[Any, tuple[str, ...]]:
    policy, inputs = policy_of(text), {**INPUTS, **changes}
    found = policy.evaluate(inputs, {})
    assert policy._partly_known(policy.settle(policy.start(inputs, {}))) == found
    return found.values["v"], found.missing.get("v", ())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("len(l)", 3),
        ("sum(l)", 6),
        ("avg(l)", 2),
        ("max(l) - min(l)", 2),
        ("l[0]", 3),
        ("l[n + 1]", 2),
        ("l[1:]", (1, 2)),
        ("l[:0]", (3,)),
        ("n in l", True),
        ("9 in l", False),
        ("9 not in l", True),
        ("contains(l, n)", True),
        ("map(l, # * 2)", (6, 2, 4)),
        ("filter(l, # > n)", (3, 2)),
        ("sum(map(loans, #.rest))", Decimal("1000.50")),
        ('sum(map(filter(loans, #.kind == "car"), #.rest))', 900),
        ("loans[0].kind == t", True),
        ('loans[1]["late"]', True),
        ("some(loans, #.late)", True),
        ("all(loans, #.late)", False),
        ("none(loans, #.rest > 1000)", True),
        ("one(loans, #.late)", True),
        ("count(loans, #.rest > a)", 2),
        ("count(loans, #.kind in w)", 0),
        ("flatMap(loans, [#.rest, a])", (Decimal("100.5"), Decimal("2.5"), 900, Decimal("2.5"))),
        ("map(l, sum(map([10, #], # + 1)))", (15, 13, 14)),
        ("filter(loans, #.late)", (Entry(tuple(CAR.items())),)),
        ("sum(many)", 0),
        ("all(many, # > 1) and none(many, # > 1) and not some(many, # > 1)", True),
        ("count(many, true)", 0),
        ('map(w, # + "!")', ("x!", "y!")),
        ("map(w, # + #)", ("xx", "yy")),
        ("map(l, # + #)", (6, 2, 4)),
        ("map(l, a + #)", (Decimal("5.5"), Decimal("3.5"), Decimal("4.5"))),
        ("(n > 0 ? l : many)[0]", 3),
        ("[l, many][1]", ()),
        ("len([l, many])", 2),
        ("sum(flatten([l, many, [a]]))", Decimal("8.5")),
        ("t + w[0]", "cardx"),
        ("(n > 0 ? t : w[0]) + t", "cardcard"),
        ("abs(a) + abs(n) + sum(l)", Decimal("9.5")),
        ("t[0:1]", "ca"),
        ("t[n]", "a"),
    ],
)
def test_value(text: str, expected: Any) -> None:
    assert value_of(text) == (expected, ())


@pytest.mark.parametrize(
    ("text", "changes", "expected", "names"),
    [
        ("len(l)", {"l": None}, None, ("l",)),
        ("sum(map(l, # + a))", {"a": None}, None, ("a",)),
        ("sum(map(l, # + a))", {"a": None, "l": ()}, 0, ()),
        ("some(l, # > 2 or # > a)", {"a": None}, True, ()),
        ("some(l, # > 9 or # > a)", {"a": None}, None, ("a",)),
        ("none(l, # > 2 or # > a)", {"a": None}, False, ()),
        ("all(l, # > 2 and # > a)", {"a": None}, False, ()),
        ("all(l, # > 0 and # > a)", {"a": None}, None, ("a",)),
        ("one(l, # > 2 or # > a)", {"a": None}, None, ("a",)),
        ("count(l, # > a)", {"a": None}, None, ("a",)),
        ("filter(l, # > a)", {"a": None}, None, ("a",)),
        ("flatMap(l, [a])", {"a": None}, None, ("a",)),
        ("min(many)", {}, None, ("many",)),
        ("max(many)", {}, None, ("many",)),
        ("avg(many)", {}, None, ("many",)),
        ("median(many)", {}, None, ("many",)),
        ("mode(many)", {}, None, ("many",)),
        ("l[3]", {}, None, ("l",)),
        ("l[-1]", {}, None, ("l",)),
        ("l[a]", {}, None, ("a", "l")),
        ("l[2:0]", {}, None, ("l",)),
        ("l[0:3]", {}, None, ("l",)),
        ("[a, n][1]", {"a": None}, None, ("a",)),
        ("map(l, round(1 / (# - 2), 2))", {}, None, ("l",)),
        ("map(l, 1 / (# - 2))[0]", {}, None, ("l",)),
        ("some(l, 1 / (# - 2) > 0)", {}, True, ()),
        ("some(l, 1 / (# - 1) > 9)", {}, None, ("l",)),
        ("map(l, l[#])", {"a": None}, None, ("l",)),
        ("n in l", {"l": None}, None, ("l",)),
        ("flatMap(w, w)", {"w": ["x"] * 32}, None, ("w",)),
        ("l == null", {"l": None}, True, ()),
    ],
)
def test_missing(text: str, changes: Json, expected: Any, names: tuple[str, ...]) -> None:
    cover = rules(("cover", "len(l) > 99", "refer"))
    policy = compiled(expressions("e", {"v": text}), cover, properties=PROPERTIES)
    inputs = {**INPUTS, **changes}
    found = policy.evaluate(inputs, {})

    assert policy._partly_known(policy.settle(policy.start(inputs, {}))) == found
    assert (found.values["v"], found.missing.get("v", ())) == (expected, names)


def test_flat_map_keeps_a_thousand() -> None:
    found, _ = value_of("flatMap(w, w)", w=["x"] * 31)

    assert found == ("x",) * 961


@pytest.mark.parametrize(
    "value",
    [
        *(None, "card", {"rest": 1}, Decimal(1), [None], [CARD, None], ["card"], [Decimal(1)]),
        *([{**CARD, "rest": None}], [{**CARD, "rest": "1"}], [{**CARD, "rest": Decimal(-1)}]),
        *([{**CARD, "kind": "boat"}], [{"rest": Decimal(1)}], [{**CARD, "more": True}]),
        *([CARD] * 301, [{**CARD, "rest": Decimal("1.001")}], [{**CARD, "rest": 1.5}]),
    ],
)
def test_one_element_that_is_no_value_makes_the_list_missing(value: Any) -> None:
    assert value_of("len(loans)", loans=value) == (None, ("loans",))


def test_a_list_of_values_is_read() -> None:
    entries = value_of("loans")[0]

    assert value_of("loans", loans=entries) == (entries, ())
    assert value_of("len(loans)", loans=[CARD] * 300) == (300, ())
    assert value_of("len(l)", l=[Decimal("1.001")]) == (None, ("l",))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("l == l", "a list of number cannot be compared: compare its elements"),
        ("loans[0] == loans[1]", "a object of rest, kind, late cannot be compared"),
        ("l > 1", "the operator > needs a number, found a list of number"),
        ("[1, t]", "the elements of a list are of one kind, found number and string"),
        ("t in l", "contains takes a list and one of its kind of value, or two texts, found a li"),
        ("n in t", "contains takes a list and one of its kind of value, or two texts, found a st"),
        ("contains(loans, loans[0])", "contains takes a list and one of its kind of value"),
        ("sum(w)", "sum takes a list of numbers, found a list of string"),
        ("min(a, n)", "min takes a list of numbers, found a number, a number"),
        ("len()", "len takes a list or a text, found nothing"),
        ("flatten()", "flatten takes a list of lists, found nothing"),
        ("flatten(l)", "flatten takes a list of lists, found a list of number"),
        ("len(a)", "len takes a list or a text, found a number"),
        ("contains(l)", "contains takes a list and one of its kind of value, or two texts"),
        ("a[0]", "only a list or a text has elements, found a number"),
        ("l[t]", "the place of an element needs a number, found a string"),
        ("loans.rest", 'unknown field "loans.rest"'),
        ("loans[0].age", 'there is no field "age" in a object of rest, kind, late'),
        ("map(l, #.rest)", 'there is no field "rest" in a number'),
        ('a["rest"]', 'there is no field "rest" in a number'),
        ("map(a, #)", "map needs a list, found a number"),
        ("filter(l, #)", "the closure of filter needs a boolean, found a number"),
        ("count(l, #)", "the closure of count needs a boolean, found a number"),
        ("flatMap(l, #)", "the closure of flatMap needs a list, found a number"),
        ("map(l, zzz)", 'unknown field "zzz"'),
        ("flatMap(l, zzz)", 'unknown field "zzz"'),
        ("map(zzz, #)", 'unknown field "zzz"'),
        ("map(map(l, zzz), #.x)", 'unknown field "zzz"'),
        ("zzz[0].x", 'unknown field "zzz"'),
        ("len(zzz)", 'unknown field "zzz"'),
        ("[zzz]", 'unknown field "zzz"'),
        ("many[0:1] == 1", "a list of number cannot be compared: compare its elements"),
        ("map(many, map(many, #))", "closures may visit 1000000 elements, the most is 100000"),
        ("count(many, # in many)", "closures may visit 1000000 elements, the most is 100000"),
        ("map(many, many[1:])", "closures may visit 1000000 elements, the most is 100000"),
        ("map(w, len(map(n > 0 ? l : many, #)))", "closures may visit 300000 elements"),
        ("map(w, len(map([l, many][n], #)))", "closures may visit 300000 elements"),
        ("map(many, w + #)", "arithmetic needs a number, found a list of string"),
        ("a + t", "arithmetic needs a number, found a string: write string(number)"),
        ("a % 0", "division by zero"),
        ("a / 0", "division by zero"),
        ('date("2026-02-30")', "date has no value for what is written here"),
        ("trunc(1.5, 13)", "trunc has no value for what is written here"),
    ],
)
def test_refused(text: str, sentence: str) -> None:
    with pytest.raises(PolicyError) as refused:
        policy_of(text)

    assert refused.value.findings[0].sentence.startswith(sentence)


def test_closures_inside_closures_are_bounded_by_max_items() -> None:
    assert value_of("map(w, len(map(loans, #.rest)))") == ((2, 2), ())


@pytest.mark.parametrize(
    ("schema", "sentence"),
    [
        ({"type": "array"}, 'items of "x" must be an object'),
        ({"type": "list", "items": {"type": "number"}}, '"x" has items: its type must be "array"'),
        ({"type": "array", "items": {"type": "array"}}, '"x" needs a type: number, integer,'),
        ({"type": "array", "items": {}, "maxItems": 1001}, 'maxItems of "x" must be a whole numb'),
        ({"type": "array", "items": {"type": "number"}, "minItems": 1}, 'the schema of "x" has th'),
        (
            {"type": "array", "items": {"type": "number", "x-family": "f"}},
            'the schema of "x" has the unknown field "x-family"',
        ),
        ({"type": "array", "items": {"type": "object"}}, 'properties of the items of "x" must be'),
        (
            {"type": "array", "items": {"type": "object", "properties": {}}},
            'the items of "x" must have 1 to 50 fields',
        ),
        (
            {"type": "array", "items": {**LOAN, "additionalProperties": True}},
            'the items of "x": additionalProperties must be false',
        ),
        (
            {"type": "array", "items": {"properties": {"é": {"type": "number"}}}},
            '"é" is no name',
        ),
        (
            {"type": "array", "items": {"properties": {"y": LOAN}}},
            'the schema of "x.y" has the unknown field "properties"',
        ),
        (
            {"type": "array", "items": {"properties": {"gender": {"type": "string"}}}},
            '"x.gender" may not enter a credit decision: "gender" is barred',
        ),
    ],
)
def test_schemas_that_are_refused(schema: Json, sentence: str) -> None:
    with pytest.raises(PolicyError) as refused:
        compiled(expressions("e", {"v": "1"}), properties={"x": schema})

    sentences = [item.sentence for item in refused.value.findings]
    assert any(item.startswith(sentence) for item in sentences), sentences


def test_a_list_in_a_table_and_in_a_trace() -> None:
    rows = [["one", "true", "l"], ["two", "", "many"]]
    policy = compiled(
        table("v", ["w[0] in w"], ["d.list"], rows),
        rules(
            ("late", "some(loans, #.late and #.rest > 100)", "decline"),
            ("has", "contains(d.list, 3) and not (9 in l)", "refer"),
            ("none", 'not startsWith(t, "x") and not all(l, # > 2)', "reduce"),
        ),
        properties=PROPERTIES,
    )

    found = policy.evaluate(INPUTS, {})
    entries = {entry.id: entry for entry in trace(policy, INPUTS, {})}

    assert [item.result for item in found.results] == ["hit"] * 3
    assert entries["d.list"].value == "[3, 1, 2]"
    (late,) = entries["late"].conditions
    assert (late.formula, late.value) == ("some(loans, #.late and (#.rest > 100))", "true")
    has, nine = entries["has"].conditions
    assert (has.value, has.operator, has.threshold) == ("[3, 1, 2]", "contains", "3")
    assert (nine.value, nine.operator, nine.threshold) == ("[3, 1, 2]", "not contains", "9")


def test_a_long_list_is_shown_by_its_beginning_and_its_hash() -> None:
    one = plain(tuple(Decimal(n) for n in range(1000)))
    other = plain((*(Decimal(n) for n in range(999)), Decimal(7)))

    assert one.startswith("[0, 1, 2, ")
    assert "… (4890 characters, sha256:" in one
    assert len(one) < 650
    assert one != other


def test_equal_lists_have_one_text_and_different_lists_two() -> None:
    entry = Entry((("x", Decimal("1.50")), ("y", 'a", "b')))

    assert plain((entry, True)) == '[{x: 1.5, y: "a\\", \\"b"}, true]'
    assert plain(("a", "b")) != plain(("a, b",))
    assert plain((("a",), "b")) == '[["a"], "b"]'


def table_of(*conditions: str) -> CompiledPolicy:
    rows = [[f"r{i}", text, str(i)] for i, text in enumerate(conditions)]
    return compiled(table("v", [""], ["d.x"], rows), properties=PROPERTIES)


def test_a_table_about_a_list_is_not_tried_on_examples() -> None:
    policy = table_of("contains(l, 3)", "some(l, # > 4)")

    assert policy.evaluate({"l": (Decimal(3),)}, {}).values == {"d.x": 0}
    assert policy.evaluate({"l": ()}, {}).uncovered == ("V",)
    assert table_of("contains(l, 3)").evaluate({"l": ()}, {}).uncovered == ("V",)


def test_a_closure_covers_only_its_list() -> None:
    bad = rules(("cover", "some(l, # > a)", "refer"), ("quiet", "n > 9 and a == null", "refer"))
    good = rules(("cover", "some(l, # > a)", "refer"), ("quiet", "n > 9 and l == null", "refer"))

    with pytest.raises(PolicyError, match="whenever a is missing"):
        compiled(bad, properties=PROPERTIES)
    assert compiled(good, properties=PROPERTIES).rules


def test_the_schema_names_the_list_for_a_person() -> None:
    made = policy_of("len(loans)").inputs[5]

    assert made.label_in("pt-BR") == "dívidas"
    assert made.scalar_reader()("card") is None
    assert json.dumps(str(made.kind)) == '"list of object of rest, kind, late"'
