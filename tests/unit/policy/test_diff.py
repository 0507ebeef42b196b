"""A diff tells what changed, and nothing that did not."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from decision_engine.policy.diff import diff, diff_models
from decision_engine.policy.document import PolicyDocument
from decision_engine.policy.parse import parse
from decision_engine.policy.scorecard import Scorecard
from domain.canonical import encode
from tests.unit.policy.build import (
    SCHEMA,
    Json,
    custom,
    document,
    expressions,
    function,
    model,
    ranges,
    raw,
    rules,
    schema_of,
    table,
)


def base() -> Json:
    return document(
        expressions("e", {"x": "a + b", "y": "$.x * 2"}),
        rules(
            ("one", ">= 3", "decline"),
            ("two", "[1..5]", "refer"),
            ("three", "< 1", "refer", "decline"),
            fields=("n",),
        ),
        table(
            "v",
            ["a", "b"],
            ["out"],
            [["r1", "< 1", "", "1"], ["r2", "< 2", "> 1", "2"], ["r3", "", "", "3"]],
        ),
        custom("card", "scorecard", {"model": "m"}),
        function({"p": "a"}, {"q": {"type": "number", "x-scale": 2}}),
    )


def part(value: Json, identity: str) -> Any:
    return next(node for node in value["nodes"] if node["id"] == identity)["content"]


def changed(edit: Callable[[Json], object]) -> list[str]:
    after = base()
    edit(after)
    return [change.sentence for change in diff(parse(raw(base())), parse(raw(after)))]


def row(value: Json, identity: str, number: int) -> dict[str, str]:
    found: dict[str, str] = part(value, identity)["rules"][number - 1]
    return found


@pytest.mark.parametrize(
    ("edit", "sentences"),
    [
        (lambda d: row(d, "r", 1).update(i0=">= 4"), ['row 1 of "R": n >= 3 became >= 4']),
        (
            lambda d: row(d, "r", 2).update(i0="[1..6)"),
            ['row 2 of "R": n in [1..5] became in [1..6)'],
        ),
        (lambda d: row(d, "r", 1).update(i0="[3]"), ['row 1 of "R": n >= 3 became in [3]']),
        (
            lambda d: row(d, "r", 1).update(i0=">= 3 and < 9"),
            ['row 1 of "R": n >= 3 became (n >= 3) and (n < 9)'],
        ),
        (lambda d: row(d, "v", 1).update(i1="> 7"), ['row 1 of "V": b > 7 added']),
        (lambda d: row(d, "v", 2).update(i1=""), ['row 2 of "V": b > 1 removed']),
        (
            lambda d: row(d, "r", 1).update(o0='"C-9"', o1='"refer"', o2='"decline"'),
            [
                'row 1 of "R": code: C-one became C-9',
                'row 1 of "R": effect: decline became refer',
                'row 1 of "R": onMissing: refer became decline',
            ],
        ),
        (
            lambda d: row(d, "r", 1).update(_description="why"),
            ['row 1 of "R": _description: why added'],
        ),
        (lambda d: row(d, "v", 3).update(o0="4"), ['row 3 of "V": out: 3 became 4']),
        (lambda d: part(d, "v")["rules"].reverse(), [
            'row 1 of "V": moved here from row 3', 'row 2 of "V": moved among its rows',
        ]),
        (
            lambda d: part(d, "v")["rules"].insert(0, part(d, "v")["rules"].pop()),
            ['row 1 of "V": moved here from row 3'],
        ),
        (
            lambda d: part(d, "r")["rules"].pop(0),
            ['row 1 of "R": one (n >= 3 -> code C-one, effect decline, onMissing refer) removed'],
        ),
        (
            lambda d: part(d, "v")["rules"].insert(2, {"_id": "new", "i0": "", "o0": "9"}),
            ['row 3 of "V": new (always -> out 9) added'],
        ),
        (lambda d: row(d, "v", 2).update(_id="r9"), ['row 2 of "V": _id: r2 became r9']),
        (
            lambda d: part(d, "e")["expressions"].append({"id": "e9", "key": "z", "value": "1"}),
            ['"E": z: 1 added'],
        ),
        (
            lambda d: part(d, "e")["expressions"][0].update(value="a - b"),
            ['"E": x: a + b became a - b'],
        ),
        (lambda d: part(d, "card")["config"].update(model="m2"), ['"CARD": model: m became m2']),
        (
            lambda d: part(d, "fn")["config"]["outputs"].update(q={"type": "number"}),
            ['"FN": call.q x-scale: 2 became nothing'],
        ),
        (lambda d: part(d, "fn")["config"]["arguments"].clear(), ['"FN": p: a removed']),
        (lambda d: d["x-policy"].update(version=2), ["policy: version: 1 became 2"]),
        (
            lambda d: d["x-policy"].update(monotone={"a": "higher_is_better"}),
            ["policy: monotone: nothing became a higher_is_better"],
        ),
    ],
)  # fmt: skip
def test_a_change_is_told_as_a_sentence(
    edit: Callable[[Json], object], sentences: list[str]
) -> None:
    assert changed(edit) == sentences


def spaces(value: Json) -> None:
    part(value, "e")["expressions"][0]["value"] = "  a+b "
    row(value, "r", 1)["i0"] = ">=3.0"
    row(value, "v", 2)["o0"] = "(2)"


def columns(value: Json) -> None:
    """Other ids and labels of columns, and other places of what only the editor shows."""
    content = part(value, "v")
    content["inputs"] = [
        {"id": "z", "name": "first", "field": "a"},
        {"id": "y", "name": "second", "field": "b"},
    ]
    for held in content["rules"]:
        held["z"], held["y"] = held.pop("i0"), held.pop("i1")
    value["nodes"][1]["position"] = {"x": 1, "y": 2}


@pytest.mark.parametrize("edit", [lambda _: None, spaces, columns])
def test_what_means_the_same_is_no_change(edit: Callable[[Json], object]) -> None:
    assert changed(edit) == []


def test_two_columns_of_one_label_are_told_apart() -> None:
    def twice(value: Json, second: str) -> Json:
        content = part(value, "v")
        for column in content["inputs"]:
            column["name"] = "same"
        row(value, "v", 2)["i1"] = second
        return value

    before, after = (parse(raw(twice(base(), text))) for text in ("> 1", "> 5"))

    assert [c.sentence for c in diff(before, after)] == ['row 2 of "V": b > 1 became > 5']


def test_inputs_are_told_by_what_they_allow() -> None:
    fields: Json = copy.deepcopy(SCHEMA)
    del fields["t"]
    fields["a"] = {"type": "number", "x-scale": 2, "minimum": 10, "x-maxAgeDays": 45}
    fields["s"]["enum"] = ["x", "y"]
    fields["n"] = {"type": "string"}
    fields["new"] = {"type": "boolean"}
    fields["b"]["x-label"] = {"pt-BR": "bê", "en": "bee"}

    def edit(value: Json) -> None:
        part(value, "in")["schema"] = schema_of(fields)

    assert changed(edit) == [
        "inputs: a minimum: 0 became 10",
        "inputs: a x-maxAgeDays: nothing became 45",
        "inputs: b x-label: nothing became bê / bee",
        "inputs: n type: number became string",
        "inputs: n x-scale: 0 became nothing",
        "inputs: n minimum: 0 became nothing",
        "inputs: n maximum: 10 became nothing",
        "inputs: s enum: x / y / z became x / y",
        "inputs: t: string removed",
        "inputs: new: boolean added",
    ]


def test_nodes_and_edges_are_told_by_name() -> None:
    before = document(expressions("e", {"x": "1"}), expressions("f", {"z": "1"}))
    after = document(expressions("e", {"x": "1"}), expressions("g", {"w": "1"}))

    assert [change.sentence for change in diff(parse(raw(before)), parse(raw(after)))] == [
        'nodes: "G" (expression) added',
        'nodes: "F" (expression) removed',
        'edges: "E" -> "G" added',
        'edges: "G" -> "OUT" added',
        'edges: "E" -> "F" removed',
        'edges: "F" -> "OUT" removed',
    ]


def test_a_node_with_another_id_or_name_is_the_same_node() -> None:
    def other_id(value: Json) -> None:
        for held in value["nodes"]:
            held["id"] = f"new-{held['id']}"
        for edge in value["edges"]:
            edge.update({end: f"new-{edge[end]}" for end in ("sourceId", "targetId")})

    assert changed(other_id) == []
    assert changed(lambda d: d["nodes"][1].update(name="Sums")) == ['"Sums": name: E became Sums']


def test_the_data_form_is_canonical_and_says_the_same() -> None:
    after = base()
    row(after, "r", 1)["i0"] = ">= 4"

    (change,) = diff(parse(raw(base())), parse(raw(after)))

    assert change.plain() == {
        "kind": "condition",
        "action": "changed",
        "node": "R",
        "row": "one",
        "position": 1,
        "name": "n",
        "before": "n >= 3",
        "after": "n >= 4",
        "subject": "n",
        "sentence": 'row 1 of "R": n >= 3 became >= 4',
    }
    assert encode(change.plain())


def test_scorecards_of_one_id_are_compared() -> None:
    bools = {**ranges("f", 1, code="F"), "bins": [
        {"values": [True], "points": 5}, {"values": [False], "points": 0},
    ]}  # fmt: skip
    before = Scorecard.parse(raw(model(ranges("a", 0, "10", 50), bools)))
    after = Scorecard.parse(
        raw(
            model(
                ranges("a", 0, "12", 50, missing_points=-5),
                {**bools, "bins": [{"values": [True, False], "points": 1}]},
                version=2,
            )
        )
    )
    other = Scorecard.parse(raw(model(id="other")))

    found = diff_models({"m": before, "gone": other}, {"m": after, "other": other})

    assert [change.sentence for change in found] == [
        '"m": version: 1 became 2',
        '"m": a missing_points: nothing became -5',
        '"m": a bins: [..10): 0, [10..): 50 became [..12): 0, [12..): 50',
        '"m": f bins: true: 5, false: 0 became true or false: 1',
    ]
    assert diff_models({"m": before}, {"m": before}) == ()


def test_a_number_of_a_priority_table_is_told() -> None:
    def numbered(second: str) -> PolicyDocument:
        rows = [["r1", "> 1", "1", "5"], ["r2", "", "2", second]]
        node = table("v", ["a"], ["out", "priority"], rows, hitPolicy="priority")
        return parse(raw(document(node)))

    (change,) = diff(numbered("9"), numbered("3"))

    assert change.sentence == 'row 2 of "V": priority: 9 became 3'
