"""Value tables by `unique` and `priority`: what wins, what hides it, and how a trace says so."""

from decimal import Decimal
from itertools import product

import pytest

from decision_engine.policy.check import check
from decision_engine.policy.compile import CompiledPolicy
from decision_engine.policy.evaluation import Evaluation
from decision_engine.policy.parse import parse
from decision_engine.policy.trace import trace
from decision_engine.policy_texts import texts_of
from tests.unit.policy.build import Json, built, document, expressions, meant, raw, rules, table

D = Decimal
FLAGS = {name: {"type": "boolean"} for name in "pqr"}
TRUTHS = (True, False, None)


def flagged(policy: str, *numbers: str) -> CompiledPolicy:
    """A table of three rows, true when p, q and r are; row i gives i."""
    outputs = ["o", "priority"] if numbers else ["o"]
    ids = ("one", "two", "three")
    rows = [
        [identity, "", flag, str(i), *numbers[i : i + 1]]
        for i, (identity, flag) in enumerate(zip(ids, FLAGS, strict=True))
    ]
    # Two columns: what one field alone decides must be covered without a hole.
    return built(table("t", ["", ""], outputs, rows, hitPolicy=policy), properties=FLAGS)


def decided(policy: CompiledPolicy, flags: tuple[bool | None, ...]) -> Evaluation:
    return policy.evaluate(dict(zip(FLAGS, flags, strict=True)), {})


@pytest.mark.parametrize("flags", list(product(TRUTHS, repeat=3)))
def test_unique_answers_only_where_one_row_is_true(flags: tuple[bool | None, ...]) -> None:
    found = decided(flagged("unique"), flags)

    true = [index for index, flag in enumerate(flags) if flag]
    unknown = tuple(name for name, flag in zip(FLAGS, flags, strict=True) if flag is None)
    answered = len(true) == 1 and not unknown
    assert found.values["o"] == (D(true[0]) if answered else None)
    faulty = len(true) > 1 or (len(true) == 1 and unknown) or not (true or unknown)
    assert found.uncovered == (("T",) if faulty else ())
    blamed = unknown if len(true) < 2 else ()
    assert found.missing == ({} if answered else {"o": blamed})


@pytest.mark.parametrize("numbers", [("0", "1", "2"), ("2", "1", "0"), ("1", "1", "0"), ("3",) * 3])
@pytest.mark.parametrize("flags", list(product(TRUTHS, repeat=3)))
def test_priority_takes_the_smallest_number_and_never_passes_an_unknown_one(
    flags: tuple[bool | None, ...], numbers: tuple[str, ...]
) -> None:
    found = decided(flagged("priority", *numbers), flags)

    ranks = [(int(number), index) for index, number in enumerate(numbers)]
    best = min((rank for rank, flag in zip(ranks, flags, strict=True) if flag), default=None)
    hidden = [
        rank
        for rank, flag in zip(ranks, flags, strict=True)
        if flag is None and (best is None or rank < best)
    ]
    answer = None if hidden or best is None else D(best[1])
    assert found.values["o"] == answer
    assert found.uncovered == (("T",) if best is None and not hidden else ())
    blamed = tuple(tuple(FLAGS)[min(hidden)[1]]) if hidden else ()
    assert found.missing == ({} if answer is not None else {"o": blamed})


@pytest.mark.parametrize(
    ("flags", "entry"),
    [
        ((False, True, False), ("two", "hit", ())),
        ((True, True, True), ("two", "not_unique", ())),
        ((True, None, True), ("three", "not_unique", ())),
        ((True, None, None), ("two", "not_evaluable", ("q",))),
        ((False, False, None), ("three", "not_evaluable", ("r",))),
        ((False, False, False), ("", "uncovered", ())),
    ],
)
def test_the_trace_says_where_a_unique_table_stopped(
    flags: tuple[bool | None, ...], entry: tuple[str, str, tuple[str, ...]]
) -> None:
    entries = trace(flagged("unique"), dict(zip(FLAGS, flags, strict=True)), {})

    (found,) = [each for each in entries if each.kind == "row"]
    assert (found.id, found.result, found.missing) == entry


def test_the_trace_of_a_priority_table_names_the_row_that_won() -> None:
    policy = flagged("priority", "2", "1", "1")

    entries = trace(policy, {"p": True, "q": False, "r": True}, {})

    assert [(e.id, e.result) for e in entries if e.kind == "row"] == [("three", "hit")]


def said(*nodes: Json) -> list[str]:
    found = check(parse(raw(document(*nodes))), {})
    return [f"{i.severity} {i.pointer}: {i.sentence}" for i in meant(found)]


def by_n(
    policy: str, *cells: tuple[str, ...], outputs: tuple[str, ...] = ("o", "priority")
) -> Json:
    rows = [[f"r{i}", *cell] for i, cell in enumerate(cells)]
    return table("t", ["n"], list(outputs), rows, hitPolicy=policy)


def test_rows_of_a_unique_table_may_not_overlap() -> None:
    overlapping = by_n("unique", ("<= 5", "1"), (">= 5", "1"), outputs=("o",))
    apart = by_n("unique", ("<= 5", "1"), ("> 5", "1"), outputs=("o",))

    assert said(overlapping) == [
        'error /t/r1: overlaps row "r0" at n = 5: in a unique table only one row may be true'
    ]
    assert said(apart) == []


def test_the_row_for_everything_overlaps_the_others_of_a_unique_table() -> None:
    assert said(by_n("unique", ("<= 5", "1"), ("", "1"), outputs=("o",))) == [
        'error /t/r1: overlaps row "r0" at n = 0: in a unique table only one row may be true'
    ]


def test_rows_of_a_priority_table_overlap_on_purpose_unless_their_numbers_are_equal() -> None:
    assert said(by_n("priority", ("<= 5", "1", "1"), (">= 5", "2", "2"))) == []
    assert said(by_n("priority", ("<= 5", "1", "1"), (">= 5", "2", "1"))) == [
        (
            'warning /t/r1: overlaps row "r0" at n = 5; the first wins: '
            "if it should not, let them exclude one another"
        )
    ]


@pytest.mark.parametrize("text", ["", "-1", "1.5", "n", '"1"', "1 + 1", "1234567890", "\u0661"])
def test_a_priority_is_a_literal_whole_number(text: str) -> None:
    assert said(by_n("priority", ("", "1", text))) == [
        "error /t/r0/priority: a priority is a literal whole number of 1 to 9 digits"
    ]


@pytest.mark.parametrize("outputs", [("o", "p"), ("priority",)])
def test_a_priority_table_has_the_column_and_another(outputs: tuple[str, ...]) -> None:
    found = said(by_n("priority", ("", *"1" * len(outputs)), outputs=outputs))

    assert found == [
        'error /t: the hitPolicy "priority" needs an output "priority" beside the others'
    ]


def test_the_name_priority_is_an_output_like_any_other_elsewhere() -> None:
    policy = built(by_n("first", ("", "7", "n + 1")))

    assert policy.evaluate({"n": D(1)}, {}).values == {"o": D(7), "priority": D(2)}


def test_a_changed_hit_policy_or_number_changes_the_texts_of_a_policy() -> None:
    cells = [("<= 5", "1", "1"), ("> 5", "2", "2")]
    other = [("<= 5", "1", "3"), ("> 5", "2", "2")]
    texts = [texts_of(built(by_n("priority", *rows))).digest for rows in (cells, other)]
    plain = [("<= 5", "1"), ("> 5", "2")]
    texts += [
        texts_of(built(by_n(policy, *plain, outputs=("o",)))).digest
        for policy in ("first", "unique")
    ]

    assert len(set(texts)) == len(texts)


def test_a_missing_input_of_any_row_covers_in_a_unique_table_alone() -> None:
    null_test = expressions("e", {"v": "a == null or a > 1"})
    rows = [["one", "> 1", "", "1"], ["two", "", "a > 1", "2"]]
    rule = rules(("k", "o > 1", "decline"))

    def errors(policy: str) -> list[str]:
        made = table("t", ["b", ""], ["o"], rows, hitPolicy=policy)
        return [text for text in said(null_test, made, rule) if "is missing" in text]

    assert errors("unique") == []
    assert len(errors("first")) == 1


def test_a_priority_table_that_is_large_enough_for_an_index_keeps_its_order() -> None:
    """The number of a row goes against its place, and the table is searched by an index."""
    rows = [[f"r{i}", f">= {i}", f"{i}", f"{20 - i}"] for i in range(11)]
    policy = built(table("t", ["n"], ["o", "priority"], rows, hitPolicy="priority"))

    for value in range(11):
        found = policy.evaluate({"n": Decimal(value)}, {})
        assert found.values["o"] == value
