import errno
import json
from pathlib import Path
from typing import Any

import pytest

from decision_engine.rulebook import ENGINE_CODES
from tests.unit.cli.conftest import Terminal, WriteFile
from tests.unit.cli.documents import POLICIES, SHOWN_POLICY
from tests.unit.cli.fake_platform import FakePlatform
from tests.unit.cli.small_policy import (
    MODEL,
    RULES,
    SCHEMA,
    document,
    node,
    reasons,
    write_policy,
)

ROOT = Path(__file__).parents[3]
SHIPPED = ROOT / "policies" / "personal-loan.json"
CASES = ROOT / "tests" / "cases" / "policies" / "personal-loan.toml"
CODES = ("R05", "R20", "R12", "R07", "R22", *sorted(ENGINE_CODES))
GOOD = {"profile": {"income": "5000.00", "segment": "prime", "active": True}}


def flat(**changes: Any) -> dict[str, Any]:
    return {f"profile.{name}": value for name, value in {**GOOD["profile"], **changes}.items()}


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    return write_policy(tmp_path)


def test_lists_what_the_platform_has(connected: Terminal, platform: FakePlatform) -> None:
    platform.answers(POLICIES)

    shown = connected("policy", "list").stdout

    assert "Empréstimo pessoal" in shown
    assert shown.splitlines()[-1] == "1 policy version."
    assert connected.document("policy", "list") == POLICIES


def test_shows_one(connected: Terminal, platform: FakePlatform) -> None:
    platform.answers(SHOWN_POLICY)

    shown = connected("policy", "show", "personal-loan").stdout

    assert shown.splitlines()[0] == "Empréstimo pessoal: personal-loan version 3."
    assert "Hard rules" in shown
    assert platform.asked[0].path == "/v1/policies/personal-loan"
    assert connected.document("policy", "show", "personal-loan") == SHOWN_POLICY


def test_a_policy_without_a_fault(run: Terminal, policy: Path) -> None:
    result = run("policy", "check", str(policy))
    found = run.document("policy", "check", str(policy))

    assert result.stdout.splitlines()[-1] == (
        "small.json (small version 2) can be published: 0 errors, 0 warnings."
    )
    assert (found["valid"], found["findings"]) == (True, [])
    assert found["policy"]["hash"].startswith("sha256:")


def test_the_shipped_policy_can_be_published(run: Terminal) -> None:
    assert run.document("policy", "check", str(SHIPPED))["valid"] is True


def test_a_fault_is_told_by_file_node_row_and_cell(run: Terminal, tmp_path: Path) -> None:
    bad = [{**RULES[0], "i0": "> > 3"}, *RULES[1:]]
    policy = write_policy(tmp_path, document(bad))

    result = run("policy", "check", str(policy))
    found = run.document("policy", "check", str(policy), code=1)

    assert result.exit_code == 1
    assert "cannot be published: 1 error" in result.stdout
    (finding,) = found["findings"]
    assert (finding["file"], finding["severity"]) == ("small.json", "error")
    assert (finding["node"], finding["row"], finding["cell"]) == ("table", "poor", "income")


@pytest.mark.parametrize("text", ["", "{", "[]", '{"a": 1, "a": 2}', "\x00"])
def test_what_is_no_policy_is_a_finding(run: Terminal, write: WriteFile, text: str) -> None:
    found = run.document("policy", "check", str(write("x.json", text)), code=1)

    assert found["valid"] is False
    assert found["findings"]


def test_a_fault_of_the_model_is_told_by_its_file(run: Terminal, tmp_path: Path) -> None:
    policy = write_policy(tmp_path, model={**MODEL, "clamp": [5, 1]})

    found = run.document("policy", "check", str(policy), code=1)

    assert {finding["file"] for finding in found["findings"]} == {"small-card.json"}


def test_models_may_lie_elsewhere(run: Terminal, tmp_path: Path, policy: Path) -> None:
    elsewhere = tmp_path / "elsewhere.json"
    (tmp_path / "small-card.json").rename(elsewhere)

    missing = run.document("policy", "check", str(policy), code=1)
    named = run.document("policy", "check", str(policy), "--model", str(elsewhere))

    assert "small-card" in missing["findings"][0]["sentence"]
    assert named["valid"] is True


def test_a_model_cannot_name_a_file_elsewhere(run: Terminal, tmp_path: Path) -> None:
    text = json.dumps(document()).replace("small-card", "../small-card")
    inner = tmp_path / "inner"
    inner.mkdir()
    policy = write_policy(inner, json.loads(text))
    (tmp_path / "small-card.json").write_text("not read")

    found = run.document("policy", "check", str(policy), code=1)

    assert {finding["file"] for finding in found["findings"]} == {"small.json"}


def test_reason_texts_are_checked_with_the_policy(run: Terminal, tmp_path: Path) -> None:
    policy = write_policy(tmp_path)
    table = tmp_path / "reasons.json"
    table.write_text(json.dumps(reasons(*CODES)))
    whole = run.document("policy", "check", str(policy))
    table.write_text(json.dumps(reasons("R05", "R12", "R94", "R95")))
    lacking = run.document("policy", "check", str(policy), code=1)

    assert whole["valid"] is True
    said = " ".join(finding["sentence"] for finding in lacking["findings"])
    assert all(code in said for code in ("R20", "R07", "R22", "R90", "R96"))
    assert {finding["file"] for finding in lacking["findings"]} == {"reasons.json"}


def test_a_function_that_the_platform_does_not_have(run: Terminal, tmp_path: Path) -> None:
    call = {
        "name": "weather",
        "outputPath": "weather",
        "arguments": {"x": "profile.income"},
        "outputs": {"rain": {"type": "number", "x-scale": 0}},
    }
    function = node("call", "customNode", {"kind": "function", "config": call})
    policy = write_policy(tmp_path, document(None, function))

    found = run.document("policy", "check", str(policy))
    refused = run("policy", "eval", str(policy), "--input", str(policy))

    assert [finding["severity"] for finding in found["findings"]] == ["warning"]
    assert refused.exit_code == 2
    assert refused.stderr.endswith("  weather\n")


def evaluated(run: Terminal, policy: Path, given: object) -> dict[str, Any]:
    path = policy.with_name("input.json")
    path.write_text(json.dumps(given), encoding="utf-8")
    return run.document("policy", "eval", str(policy), "--input", str(path))


@pytest.mark.parametrize(
    ("changes", "outcome", "codes"),
    [
        ({}, "PASSED", []),
        ({"income": "999.99"}, "DECLINED", ["R05", "R12"]),
        ({"income": 2999.99}, "REDUCE", ["R12"]),
        ({"active": False}, "REFERRED", ["R07"]),
        ({"income": None}, "REFERRED", ["R94"]),
        ({"income": "five"}, "REFERRED", ["R94"]),
        ({"income": True}, "REFERRED", ["R94"]),
        ({"segment": 7}, "REFERRED", ["R94"]),
        ({"segment": "gold"}, "REFERRED", ["R94"]),
        ({"active": "true"}, "REFERRED", ["R94"]),
    ],
)
def test_what_the_rules_ask_for(
    run: Terminal,
    policy: Path,
    changes: dict[str, Any],
    outcome: str,
    codes: list[str],
) -> None:
    result = evaluated(run, policy, flat(**changes))

    assert result["outcome"] == outcome
    assert [reason["code"] for reason in result["reasons"]] == codes
    assert result["offers"] == []


def test_nested_and_dotted_names_are_the_same(run: Terminal, policy: Path) -> None:
    nested = evaluated(run, policy, GOOD)

    assert nested == evaluated(run, policy, flat())
    assert nested["policy"]["id"] == "small"
    assert nested["values"] == {"score.value": "500", "score.raw": "500", "score.pd": "0.166667"}
    assert [rule["result"] for rule in nested["rules"]] == ["no_hit"] * 4


def test_what_cannot_be_used_is_named(run: Terminal, policy: Path) -> None:
    result = evaluated(run, policy, flat(income=-1, segment=None))

    assert result["unusable"] == {"profile.income": "invalid", "profile.segment": "missing"}
    assert result["values"]["score.value"] is None


def test_reasons_have_their_texts_when_there_are_any(
    run: Terminal, policy: Path, write: WriteFile
) -> None:
    given = write("input.json", json.dumps(flat(income=5)))
    table = write("texts.json", json.dumps(reasons(*CODES)))
    words = ("policy", "eval", str(policy), "--input", str(given), "--reasons", str(table))

    assert run.document(*words)["reasons"][0]["text"] == "Text R05"
    assert run.document(*words, "--language", "pt-BR")["reasons"][0]["text"] == "Texto R05"


def test_a_result_for_a_person(run: Terminal, policy: Path, write: WriteFile) -> None:
    given = write("input.json", json.dumps(flat(income=None)))

    shown = run("policy", "eval", str(policy), "--input", str(given), "--trace").stdout

    assert shown.splitlines()[0] == "Referred to a person."
    assert "Not usable: profile.income (missing)." in shown
    assert "cannot be" not in shown.splitlines()[0]
    assert "Trace" in shown


def test_a_node_without_an_answer_is_named(run: Terminal, tmp_path: Path) -> None:
    table = {
        "hitPolicy": "first",
        "passThrough": True,
        "inputField": None,
        "inputs": [{"id": "i0", "name": "condition"}],
        "outputs": [{"id": "o0", "name": "limit", "field": "limit"}],
        "rules": [{"_id": "rich", "i0": "profile.income - 9000 > 0", "o0": "1"}],
    }
    policy = write_policy(tmp_path, document(None, node("limits", "decisionTableNode", table)))
    given = tmp_path / "input.json"
    given.write_text(json.dumps(GOOD))
    words = ("policy", "eval", str(policy), "--input", str(given))

    result = run.document(*words)

    assert (result["outcome"], result["uncovered"]) == ("REFERRED", ["limits"])
    assert "No answer from: limits." in run(*words).stdout


def test_a_list_is_an_input_like_any_other(run: Terminal, tmp_path: Path) -> None:
    schema = json.loads(json.dumps(SCHEMA))
    item = {
        "type": "object",
        "properties": {"rest": {"type": "number", "x-scale": 2}, "late": {"type": "boolean"}},
    }
    schema["properties"]["loans"] = {"type": "array", "items": item, "maxItems": 3}
    late = [{"id": "e", "key": "late.rest", "value": "sum(map(filter(loans, #.late), #.rest))"}]
    content = {"passThrough": True, "expressions": late}
    whole = document(None, node("late", "expressionNode", content))
    whole["nodes"][0]["content"]["schema"] = json.dumps(schema)
    policy, given = write_policy(tmp_path, whole), tmp_path / "input.json"
    words = ("policy", "eval", str(policy), "--input", str(given))

    def answer(loans: object) -> tuple[object, object]:
        given.write_text(json.dumps({**GOOD, "loans": loans}))
        result = run.document(*words)
        return result["values"]["late.rest"], result["unusable"].get("loans")

    loan = {"rest": 120, "late": True}
    assert answer([loan, {"rest": 30.5, "late": True}, {"rest": 9, "late": False}]) == (
        "150.5",
        None,
    )
    assert answer([{"rest": "120", "late": True}]) == (None, "missing")
    assert answer([loan] * 4) == (None, "missing")
    assert answer(None) == (None, "missing")


def test_many_inputs(run: Terminal, policy: Path, write: WriteFile) -> None:
    rows = [flat(), flat(income=5), flat(income=None)]
    file = write("inputs.ndjson", "\n\n".join(json.dumps(row) for row in rows))
    words = ("policy", "eval", str(policy), "--input", str(file))

    results = run.document(*words, "--trace")["results"]
    shown = run(*words).stdout

    assert [result["outcome"] for result in results] == ["PASSED", "DECLINED", "REFERRED"]
    assert all(result["trace"] for result in results)
    assert "R05, R12" in shown


def test_one_line_of_ndjson_is_still_many(run: Terminal, policy: Path, write: WriteFile) -> None:
    file = write("inputs.ndjson", json.dumps(flat()))

    found = run.document("policy", "eval", str(policy), "--input", str(file))

    assert len(found["results"]) == 1


def test_inputs_from_standard_input(run: Terminal, policy: Path) -> None:
    result = run("policy", "eval", str(policy), "--input", "-", stdin=json.dumps(GOOD))

    assert result.stdout.splitlines()[0] == "No rule objects."


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "The input cannot be read"),
        ("[1]", "The input is not one JSON object"),
        ('{"profile.age": 3}', "The policy has no such input."),
        ('{"profile": {"income": [5]}}', "An input is a text, a number"),
        ('{"profile.income": NaN}', "The input cannot be read"),
        ('{"profile.income": 1, "profile": {"income": 2}}', "An input stands there twice."),
        ('{}\n{"a"', "Line 2 cannot be read"),
        ("{}\n7", "Line 2 is not one JSON object"),
    ],
)
def test_an_input_that_is_none_is_bad_usage(
    run: Terminal, policy: Path, write: WriteFile, text: str, sentence: str
) -> None:
    result = run("policy", "eval", str(policy), "--input", str(write("input.json", text)))

    assert result.exit_code == 2
    assert sentence in result.stderr


def test_a_policy_with_a_fault_does_not_run(run: Terminal, tmp_path: Path) -> None:
    bad = [{**RULES[0], "i0": "> > 3"}, *RULES[1:]]
    policy = write_policy(tmp_path, document(bad))

    result = run("policy", "eval", str(policy), "--input", str(policy))

    assert result.exit_code == 1
    assert "does not pass its checks" in result.stderr
    assert "small.json/table/poor/income" in result.stderr


def test_the_shipped_policy_gives_the_verdict_of_the_platform(
    run: Terminal, write: WriteFile
) -> None:
    given = {
        "application": {"amount": "49000.00", "term_months": 24, "product": "personal_loan"},
        "behaviour": {
            "late_months_6m": 0,
            "late_now": 0,
            "paid_months_6m": 6,
            "payments_to_limit_6m": "0.0250",
            "utilization_mean_6m": "0.2000",
            "utilization_trend": "0.0500",
            "worst_late_3m": 0,
        },
        "credit.limit": "20000.00",
        "debt.service": "500.00",
        "exposure": {"outstanding": "2000.00", "service": "100.00"},
        "income.monthly": "5000.00",
    }
    file = write("input.json", json.dumps(given))
    words = ("policy", "eval", str(SHIPPED), "--input", str(file), "--on", "2026-06-10")

    result = run.document(*words)
    shown = run(*words).stdout

    assert result["outcome"] == "COUNTER_OFFER"
    assert result["offers"][0]["first_due_on"] == "2026-07-10"
    assert "can be accepted until" not in shown
    assert "Offers" in shown


@pytest.mark.parametrize(
    ("given", "outcome"),
    [({"application.term_months": 24}, "REFERRED"), ({"behaviour.late_now": 3}, "DECLINED")],
)
def test_without_an_amount_only_the_rules_speak_and_nothing_passes(
    run: Terminal, write: WriteFile, given: dict[str, Any], outcome: str
) -> None:
    file = write("input.json", json.dumps(given))

    result = run.document("policy", "eval", str(SHIPPED), "--input", str(file))

    assert (result["outcome"], result["offers"]) == (outcome, [])


def test_an_amount_that_nobody_can_ask_for_is_bad_usage(run: Terminal, write: WriteFile) -> None:
    given = {"application.amount": 0, "application.term_months": 24}
    file = write("input.json", json.dumps(given))

    assert run("policy", "eval", str(SHIPPED), "--input", str(file)).exit_code == 2


def test_the_golden_cases_of_the_shipped_policy_hold(run: Terminal) -> None:
    words = ("policy", "test", str(SHIPPED), "--cases", str(CASES), "--on", "2026-06-10")

    found = run.document(*words)

    assert found["failures"] == []
    assert found["cases"] >= 30


HEAD = """
on = 2026-06-10
[base]
"profile.income" = 5000.00
profile.segment = "prime"
profile.active = true
"""
PASSES = """
[[case]]
name = "a good customer"
outcome = "PASSED"
values = { "score.value" = 500, score.pd = "0.166667" }

[[case]]
name = "poor, and without a segment"
change = { "profile.income" = 999.99 }
missing = ["profile.segment"]
outcome = "DECLINED"
hit = ["poor", "modest"]
unknown = ["low-score"]
reasons = ["R05", "R12", "R94 profile.segment"]

[[case]]
name = "an old income"
stale = ["profile.income"]
outcome = "REFERRED"
unknown = ["poor", "modest"]
reasons = ["R95 profile.income"]
"""
FAILS = """
[[case]]
name = "wrong in all ways"
outcome = "DECLINED"
hit = ["poor"]
unknown = ["idle"]
reasons = ["R05"]
values = { "score.value" = 501, "score.none" = 1, "score.pd" = true }
offer = { amount = 10000.00 }
"""


def judged(run: Terminal, policy: Path, cases: Path, code: int) -> dict[str, Any]:
    return run.document("policy", "test", str(policy), "--cases", str(cases), code=code)


def test_cases_that_hold(run: Terminal, policy: Path, write: WriteFile) -> None:
    cases = write("cases.toml", HEAD + PASSES)

    found = judged(run, policy, cases, 0)
    shown = run("policy", "test", str(policy), "--cases", str(cases))

    assert (found["cases"], found["failed"], found["failures"]) == (3, 0, [])
    assert shown.stdout == "3 cases held, 0 came out otherwise.\n"


def test_cases_that_come_out_otherwise(run: Terminal, policy: Path, write: WriteFile) -> None:
    cases = write("cases.toml", HEAD + PASSES + FAILS)

    found = judged(run, policy, cases, 1)
    shown = run("policy", "test", str(policy), "--cases", str(cases))

    (failure,) = found["failures"]
    assert failure["differences"] == [
        "outcome: PASSED instead of DECLINED",
        "hit: nothing instead of poor",
        "unknown: nothing instead of idle",
        "reasons: nothing instead of R05",
        "offer.amount: nothing instead of 10000",
        "values.score.value: 500 instead of 501",
        "values.score.none: nothing instead of 1",
        "values.score.pd: 0.166667 instead of true",
    ]
    assert shown.exit_code == 1
    assert shown.stdout.splitlines()[0] == "wrong in all ways:"
    assert shown.stdout.splitlines()[-1] == "3 cases held, 1 came out otherwise."


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("case = [", "is not TOML"),
        ("", "has [[case]] entries"),
        ("case = 3", "has [[case]] entries"),
        ("base = 3\ncase = []", "has [[case]] entries"),
        ("cases = []\ncase = []", "has [[case]] entries"),
        ("on = 2026-06-10T00:00:00Z\ncase = []", "on is a day"),
        ("case = [3]", "Every [[case]] has a name"),
        ('[[case]]\noutcome = "PASSED"', "Every [[case]] has a name"),
        ('[[case]]\nname = "one"', "one: a case cannot be like this"),
        ('[[case]]\nname = "one"\noutcome = 3', "one: a case cannot be like this"),
        ('[[case]]\nname = "one"\noutcome = "X"\nrules = {}', "one: a case cannot be like this"),
        ('[[case]]\nname = "one"\noutcome = "X"\nmissing = ["a.b"]', "one: The policy has no such"),
        (
            '[[case]]\nname = "one"\noutcome = "X"\nchange = {profile.segment = 2026-06-10}',
            "one: An input is a text",
        ),
    ],
)
def test_cases_that_cannot_be_read_are_bad_usage(
    run: Terminal, policy: Path, write: WriteFile, text: str, sentence: str
) -> None:
    result = run("policy", "test", str(policy), "--cases", str(write("cases.toml", text)))

    assert result.exit_code == 2
    assert sentence in result.stderr


def test_a_file_that_is_too_large_is_bad_usage(run: Terminal, tmp_path: Path) -> None:
    path = tmp_path / "large.json"
    with path.open("wb") as file:
        file.truncate(16 * 1024 * 1024 + 1)

    result = run("policy", "check", str(path))

    assert result.exit_code == 2
    assert "larger than 16 MiB" in result.stderr


def test_a_file_that_cannot_be_read_is_bad_usage(
    run: Terminal, policy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_path: Path, _mode: str) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)

    result = run("policy", "check", str(policy))

    assert result.exit_code == 2
    assert result.stderr == f"Error: {policy} cannot be read: Permission denied.\n"
