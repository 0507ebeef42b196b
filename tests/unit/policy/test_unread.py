"""A scorecard that nothing reads decides nothing, and publishing says so."""

import pytest

from decision_engine.policy.check import check
from decision_engine.policy.parse import parse
from decision_engine.policy.scorecard import Scorecard
from tests.unit.policy.build import Json, custom, document, expressions, function, model, raw, rules

SCORE = custom("c", "scorecard", {"model": "m"})


def warnings(*nodes: Json) -> list[tuple[str, str]]:
    found = check(parse(raw(document(*nodes))), {"m": Scorecard.parse(raw(model()))})
    assert not [item for item in found if item.severity == "error"]
    return [(i.pointer, i.sentence) for i in found if "scorecard" in i.sentence]


def test_a_score_that_nothing_reads_is_named() -> None:
    sentence = (
        "no rule reads this scorecard, it decides nothing: add a rule about score.value, "
        "or remove it"
    )
    assert warnings(SCORE) == [("/c", sentence)]
    assert warnings(SCORE, rules(("x", "a > 1", "decline"))) == [("/c", sentence)]


@pytest.mark.parametrize(
    "reader",
    [
        rules(("x", "score.value < 500", "decline")),
        rules(("x", "> 0.5", "decline"), fields=("score.pd",)),
        expressions("e", {"k": "score.raw + 1"}),
        function({"x": "score.pd"}, {"v": {"type": "number"}}),
    ],
)
def test_one_reader_of_one_output_is_enough(reader: Json) -> None:
    assert warnings(SCORE, reader) == []
