import copy
import json
from pathlib import Path
from typing import Any

import pytest

from tests.unit.cli.conftest import Terminal, WriteFile
from tests.unit.cli.small_policy import MODEL, RULES, document, reasons, write_policy

GOOD: dict[str, Any] = {"profile": {"income": "5000.00", "segment": "prime", "active": True}}
CASES = """
on = 2026-06-10
[base]
"profile.income" = 5000.00
profile.segment = "prime"
profile.active = true

[[case]]
name = "a good customer"
outcome = "PASSED"

[[case]]
name = "nearly poor"
change = { "profile.income" = 1100.00 }
outcome = "REDUCE"
hit = ["modest"]
reasons = ["R12"]
"""


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    path = write_policy(tmp_path)
    (tmp_path / "reasons.json").write_text(
        json.dumps(
            reasons("R05", "R20", "R12", "R07", "R22", "R90", "R92", "R93", "R94", "R95", "R96")
        )
    )
    return path


@pytest.fixture
def newer(policy: Path) -> Path:
    """The policy with another threshold, and another scorecard beside it."""
    folder = policy.parent / "newer"
    folder.mkdir()
    (folder / "reasons.json").write_bytes(policy.with_name("reasons.json").read_bytes())
    model = copy.deepcopy(MODEL) | {"base_points": 390}
    return write_policy(folder, document([{**RULES[0], "i0": "< 1200"}, *RULES[1:]]), model)


def test_a_diff_speaks_in_rules_and_tells_what_becomes_of_the_cases(
    run: Terminal, policy: Path, newer: Path, write: WriteFile
) -> None:
    words = ("policy", "diff", str(policy), str(newer), "--cases", str(write("c.toml", CASES)))

    found = run.document(*words)
    shown = run(*words)

    assert [change["sentence"] for change in found["changes"]] == [
        'row 1 of "table": profile.income < 1000 became < 1200',
        '"small-card": base_points: 400 became 390',
    ]
    assert found["effect"] == {
        "cases": 2,
        "changed": 1,
        "outcomes": [{"from": "REDUCE", "to": "DECLINED", "cases": 1}],
        "changes": [
            {
                "case": "nearly poor",
                "changes": [
                    {"field": "outcome", "from": "REDUCE", "to": "DECLINED"},
                    {"field": "reasons", "from": "R12", "to": "R05, R12"},
                    {"field": "hit", "from": "modest", "to": "poor, modest"},
                ],
            }
        ],
    }
    assert shown.exit_code == 0
    assert "profile.income < 1000 became < 1200" in shown.stdout
    assert "Only less, or for longer -> Declined: 1 case" in shown.stdout


def test_a_policy_does_not_differ_from_itself(
    run: Terminal, policy: Path, write: WriteFile
) -> None:
    cases = write("c.toml", CASES)

    found = run.document("policy", "diff", str(policy), str(policy), "--cases", str(cases))
    plain = run("policy", "diff", str(policy), str(policy))

    assert (found["changes"], found["effect"]["changed"], found["effect"]["outcomes"]) == (
        [],
        0,
        [],
    )
    assert plain.stdout == "small version 2 -> small version 2: 0 changes.\n"


def test_an_input_that_only_one_policy_has_is_left_out_for_the_other(
    run: Terminal, policy: Path, newer: Path, write: WriteFile
) -> None:
    text = newer.read_text().replace(
        '\\"segment\\"', '\\"extra\\": {\\"type\\": \\"number\\"}, \\"segment\\"'
    )
    newer.write_text(text)
    cases = write("c.toml", CASES.replace("[[case]]", '"profile.extra" = 3\n\n[[case]]', 1))
    words = ("policy", "diff", str(policy), str(newer), "--cases")

    found = run.document(*words, str(cases))
    wrong = run(*words, str(write("d.toml", CASES.replace("[[case]]", '"x.y" = 3\n[[case]]', 1))))

    assert found["effect"]["cases"] == 2
    assert wrong.exit_code == 2
    assert "Neither policy has such an input.\n  x.y" in wrong.stderr


def test_a_file_that_is_no_policy_is_told(run: Terminal, policy: Path, write: WriteFile) -> None:
    result = run("policy", "diff", str(policy), str(write("none.json", "[")))

    assert result.exit_code == 1
    assert "none.json cannot be read." in result.stderr


def test_an_explanation_tells_what_decided_and_what_came_near(
    run: Terminal, policy: Path, write: WriteFile
) -> None:
    given = {"profile": {**GOOD["profile"], "income": "2500.00"}}
    words = ("policy", "explain", str(policy), "--input", str(write("i.json", json.dumps(given))))

    found = run.document(*words, "--language", "pt-BR")
    shown = run(*words).stdout

    assert found["outcome"] == "REDUCE"
    assert found["reasons"][0]["text"] == "Texto R12"
    assert found["decided"] == [
        {
            "rule": "modest",
            "code": "R12",
            "effect": "reduce",
            "result": "hit",
            "sentences": ["profile.income is 2500.00, needs >= 3000: 500 short"],
        }
    ]
    assert [told["rule"] for told in found["nearest"]] == ["low-score", "poor"]
    assert (
        "modest (R12, reduce): hit\n  profile.income is 2500.00, needs >= 3000: 500 short" in shown
    )
    assert "  score.value is 500, hits < 450: 50 away" in shown


def test_an_explanation_names_what_is_missing(
    run: Terminal, policy: Path, write: WriteFile
) -> None:
    words = ("policy", "explain", str(policy), "--input", str(write("i.json", "{}")))

    shown = run(*words).stdout

    assert "Not usable: profile.income (missing)." in shown
    assert "poor (R05, decline): cannot be evaluated\n  profile.income is missing" in shown


def test_one_input_is_explained_at_a_time(run: Terminal, policy: Path, write: WriteFile) -> None:
    file = write("i.ndjson", "{}\n{}")

    result = run("policy", "explain", str(policy), "--input", str(file))

    assert result.exit_code == 2
    assert "One input is explained at a time" in result.stderr


@pytest.mark.parametrize("given", [GOOD, None])
def test_a_measurement_has_speed_and_percentiles(
    run: Terminal, policy: Path, write: WriteFile, given: object
) -> None:
    source = ("--input", str(write("i.json", json.dumps(given)))) if given else ()
    words = ("policy", "bench", str(policy), "--count", "100", *source)

    found = run.document(*words)
    shown = run(*words).stdout

    assert found["evaluations"] == 100
    assert found["generated"] is (given is None)
    assert found["evaluations_per_second"] > 0
    times = [found["microseconds"][name] for name in ("min", "p50", "p95", "p99", "max")]
    assert times == sorted(times)
    assert shown.startswith("small version 2, 4 rules: ")


def test_the_shipped_policy_is_measured_on_made_up_inputs(run: Terminal) -> None:
    shipped = Path(__file__).parents[3] / "policies" / "personal-loan.json"

    found = run.document("policy", "bench", str(shipped), "--count", "100")

    assert found["inputs"] > 10


@pytest.mark.parametrize("place", [0, 1])
def test_a_trace_is_one_word_wherever_it_stands(
    run: Terminal, policy: Path, write: WriteFile, place: int
) -> None:
    words = [str(policy), "--input", str(write("i.json", json.dumps(GOOD)))]
    usual, zen = [*words], [*words]
    usual.insert(place, "--trace")
    zen[place:place] = ["--trace", "zen"]

    found = run.document("policy", "eval", *usual)
    other = run.document("policy", "eval", *zen)
    shown = run("policy", "eval", *zen).stdout

    assert "trace" in found
    assert "zen_trace" not in found
    assert "trace" not in other
    assert other["zen_trace"]["in"]["output"] == {
        "profile": {"income": 5000, "segment": "prime", "active": True}
    }
    assert other["zen_trace"]["table"]["traceData"] == []
    assert '"performance": null' in shown
