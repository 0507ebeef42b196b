"""Routes that analysts use before they publish: what reaches the use case, and what is refused."""

import json
from typing import Any

import pytest

from adapters.inbound.http import examples
from adapters.inbound.http.messages import to_json
from decision_engine.policy_desk import TrialCase
from tests.integration.http.live import Live

CHECK = "/v1/policies/personal-loan/check"
SIMULATE = "/v1/policies/personal-loan/simulate"
DIFF = "/v1/policies/personal-loan/diff"
JSON = {"Content-Type": "application/json"}


def reached(live: Live) -> list[Any]:
    """Return what came to the use cases."""
    return list(live.fake.seen)


def post(live: Live, path: str, body: Any, **headers: str) -> Any:
    data = body if isinstance(body, bytes) else to_json(body)
    return live.ask("POST", path, data=data, headers=JSON | headers)


def test_a_document_is_checked_byte_for_byte_and_has_ten_seconds(live: Live) -> None:
    document = b'{"nodes": [{"position": {"x": 1.5, "y": -3e2}}]}'

    answer = post(live, CHECK, document)

    assert (answer.status, answer.document) == (200, examples.POLICY_CHECK)
    (seen,) = reached(live)
    name, policy_id, policy, deadline = seen
    assert (name, policy_id, policy) == ("check_policy", "personal-loan", document)
    assert deadline.at > 0


def test_a_document_may_have_sixteen_mebibytes_and_no_more(live: Live) -> None:
    filled = b'{"a": "' + b"x" * (16 * 1024 * 1024 - 9) + b'"}'

    assert post(live, CHECK, filled).status == 200
    assert post(live, CHECK, filled + b" ").status == 413


@pytest.mark.parametrize("policy", [None, 2, {"nodes": [{"position": {"x": 1.5}}]}])
def test_cases_reach_the_simulation_with_the_policy_given(live: Live, policy: Any) -> None:
    cases = [
        {"inputs": {"a.b": "1.00", "c": None, "d": True, "e": 5}},
        {"name": "old", "inputs": {}, "stale": ["a.b"]},
    ]
    body = {"cases": cases} if policy is None else {"policy": policy, "cases": cases}

    answer = post(live, SIMULATE, body)

    assert (answer.status, answer.document) == (200, examples.SIMULATION)
    (call,) = reached(live)
    _, policy_id, given, seen, _ = call
    assert policy_id == "personal-loan"
    assert seen == [
        TrialCase("1", {"a.b": "1.00", "c": None, "d": True, "e": 5}),
        TrialCase("old", {}, ("a.b",)),
    ]
    if isinstance(policy, dict):
        assert json.loads(given).keys() == policy.keys()
    else:
        assert given == policy


CASE = {"inputs": {"a": 1}}


@pytest.mark.parametrize(
    ("body", "code", "pointer"),
    [
        ({"cases": []}, "list-length", "/cases"),
        ({"cases": [CASE] * 501}, "list-length", "/cases"),
        ({}, "field-missing", "/cases"),
        ({"cases": [{}]}, "field-missing", "/cases/0/inputs"),
        ({"cases": [CASE], "policy": 0}, "policy-format", "/policy"),
        ({"cases": [CASE], "policy": "1"}, "policy-format", "/policy"),
        ({"cases": [CASE], "policy": True}, "policy-format", "/policy"),
        ({"cases": [CASE], "policy": None}, "policy-format", "/policy"),
        ({"cases": [{"inputs": {"A": 1}}]}, "inputs-format", "/cases/0/inputs"),
        ({"cases": [{"inputs": {"a": 1.5}}]}, "inputs-format", "/cases/0/inputs"),
        ({"cases": [{"inputs": {"a": []}}]}, "inputs-format", "/cases/0/inputs"),
        ({"cases": [{"inputs": []}]}, "inputs-format", "/cases/0/inputs"),
        ({"cases": [CASE | {"stale": [1]}]}, "inputs-format", "/cases/0/stale/0"),
        ({"cases": [CASE | {"more": 1}]}, "field-unknown", "/cases/0"),
    ],
)
def test_a_simulation_that_makes_no_sense_is_refused_with_its_place(
    live: Live, body: Any, code: str, pointer: str
) -> None:
    answer = post(live, SIMULATE, body)

    assert answer.status == 422
    fault = answer.document["errors"][0]
    assert (fault["code"], fault["pointer"]) == (code, pointer)
    assert live.fake.seen == []


@pytest.mark.parametrize("path", [CHECK, SIMULATE])
@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"{", 400, "json-malformed"),
        (b'{"a": 1, "a": 2}', 400, "json-duplicate-key"),
        (b'{"a": "\xff"}', 400, "json-encoding"),
        (b'{"a": ' + b"[" * 70 + b"]" * 70 + b"}", 400, "json-depth"),
        (b"[]", 422, "invalid-input"),
    ],
)
def test_what_is_no_json_object_reaches_no_use_case(
    live: Live, path: str, body: bytes, status: int, code: str
) -> None:
    answer = post(live, path, body)

    assert (answer.status, answer.document["code"]) == (status, code)
    assert live.fake.seen == []


def test_versions_are_told_to_the_diff(live: Live) -> None:
    live.ask("GET", f"{DIFF}?from=2&to=11")
    live.ask("GET", DIFF)

    assert [seen[2:4] for seen in reached(live)] == [(2, 11), (None, None)]


@pytest.mark.parametrize("text", ["0", "-1", "1.0", "x", "", "01", "10000000000"])
def test_a_version_is_a_whole_number(live: Live, text: str) -> None:
    answer = live.ask("GET", f"{DIFF}?from={text}")

    assert answer.status == 422
    assert answer.document["errors"][0]["code"] == "version-format"


@pytest.mark.parametrize("path", [CHECK, SIMULATE])
def test_only_who_may_write_policies_tries_them(live: Live, path: str) -> None:
    body = examples.SIMULATE_BODY if path == SIMULATE else examples.POLICY_DOCUMENT
    good = post(live, path, body, **live.authorization("policies:write"))
    bad = post(live, path, body, **live.authorization("policies:read", "operations"))

    assert (good.status, bad.status) == (200, 403)
