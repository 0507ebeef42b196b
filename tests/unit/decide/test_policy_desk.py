"""What analysts ask before they publish: answered beside the requests, and nothing is changed."""

import asyncio
import json
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any

import pytest

from adapters.bootstrap.shipped import ROOT, personal_loan
from adapters.inbound.cli.policy_cases import read_cases
from decision_engine.policies import Policies
from decision_engine.policy_desk import PolicyDesk, TrialCase
from decision_engine.rulebook import Artifacts, Rulebooks
from domain.errors import InvalidInputError, NotFoundError
from domain.ports.time import Deadline
from tests.unit.decide.world import World

#: A good customer of the shipped policy, in the texts of the contract.
INPUTS: dict[str, Any] = {
    name: value if isinstance(value, str | bool) else str(value)
    for name, value in read_cases(ROOT / "tests" / "cases" / "policies" / "personal-loan.toml")
    .cases[0]
    .inputs.items()
}
GOOD = TrialCase("good", INPUTS)
LARGE = TrialCase(
    "large", {**INPUTS, "application.amount": "50000.00", "income.monthly": "90000.00"}
)
STALE = TrialCase("stale", INPUTS, ("income.monthly",))


async def here(work: Callable[..., Any], *arguments: Any, deadline: Deadline) -> Any:
    assert deadline.at > 0
    return work(*arguments)


def altered(*changes: tuple[bytes, bytes]) -> Artifacts:
    policy = personal_loan().policy
    for old, new in changes:
        assert old in policy
        policy = policy.replace(old, new, 1)
    return replace(personal_loan(), policy=policy)


VERSION_2 = altered((b'"version": 1', b'"version": 2'), (b"> 50000", b"> 40000"))


def run(work: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(work)


@pytest.fixture
def world() -> World:
    made = World()
    policies = Policies(made.truth, made.rulebooks, made.clock)
    run(policies.publish(personal_loan(), made.deadline()))
    run(policies.publish(VERSION_2, made.deadline()))
    return made


@pytest.fixture
def desk(world: World) -> PolicyDesk:
    return PolicyDesk(world.truth, world.rulebooks, world.clock, here)


def test_a_policy_that_could_be_published_has_no_errors(world: World, desk: PolicyDesk) -> None:
    policy = personal_loan().policy

    found = run(desk.check("personal-loan", policy, world.deadline()))

    assert found["valid"]
    assert [each for each in found["findings"] if each["severity"] == "error"] == []
    assert (found["policy"]["id"], found["policy"]["version"]) == ("personal-loan", 1)


@pytest.mark.parametrize(
    ("policy", "sentence"),
    [
        (altered((b"> 50000", b"> > 5")).policy, "syntax"),
        (altered((b'"personal-loan"', b'"other"')).policy, "id is not the policy of this address"),
        (altered((b'\\"R02\\"', b'\\"R77\\"')).policy, "R77"),
        (b"[]", "a policy is one JSON object"),
    ],
)
def test_every_fault_of_a_policy_is_a_finding(
    world: World, desk: PolicyDesk, policy: bytes, sentence: str
) -> None:
    found = run(desk.check("personal-loan", policy, world.deadline()))

    assert not found["valid"]
    assert any(sentence in each["sentence"] for each in found["findings"])


def test_cases_are_answered_by_both_policies_side_by_side(world: World, desk: PolicyDesk) -> None:
    given = altered((b"> 50000", b"> 40000")).policy
    before = world.truth.policies, dict(world.rulebooks.active)

    by_document, by_version = (
        run(desk.simulate("personal-loan", policy, [GOOD, LARGE, STALE], world.deadline()))
        for policy in (given, 1)
    )

    assert by_document["summary"] == {"cases": 3, "changed": 0, "outcomes": []}
    assert (by_version["active"]["version"], by_version["submitted"]["version"]) == (2, 1)
    assert by_version["summary"] == {
        "cases": 3,
        "changed": 1,
        "outcomes": [{"from": "COUNTER_OFFER", "to": "APPROVED", "cases": 1}],
    }
    good, large, stale = by_version["cases"]
    assert (good["active"]["outcome"], good["changes"]) == ("APPROVED", [])
    assert large["changes"][0] == {"field": "outcome", "from": "COUNTER_OFFER", "to": "APPROVED"}
    assert large["active"]["hit"] == ["amount-maximum"]
    assert stale["active"]["outcome"] == "REFERRED"
    assert stale["active"]["reasons"][0]["attribute"] == "income.monthly"
    assert (world.truth.policies, world.rulebooks.active) == before


def test_without_another_policy_the_active_one_answers_twice(
    world: World, desk: PolicyDesk
) -> None:
    found = run(desk.simulate("personal-loan", None, [LARGE], world.deadline()))

    assert found["active"] == found["submitted"]
    assert found["summary"]["changed"] == 0


def test_an_input_that_only_the_newer_policy_has_is_given_to_it(
    world: World, desk: PolicyDesk
) -> None:
    policy = json.loads(personal_loan().policy)
    content = policy["nodes"][0]["content"]
    schema = json.loads(content["schema"])
    schema["properties"]["extra"] = {"type": "object", "properties": {"age": {"type": "number"}}}
    content["schema"] = json.dumps(schema)
    case = TrialCase("extra", {**INPUTS, "extra.age": 30})

    found = run(
        desk.simulate("personal-loan", json.dumps(policy).encode(), [case], world.deadline())
    )

    assert found["cases"][0]["submitted"]["outcome"] == "APPROVED"


@pytest.mark.parametrize(
    ("policy", "case", "pointer_and_code"),
    [
        (b"{}", GOOD, ("/policy", "policy-invalid")),
        (None, TrialCase("x", {"no.such": 1}), ("/cases/1/inputs", "attribute-unknown")),
        (None, TrialCase("x", {}, ("no.such",)), ("/cases/1/inputs", "attribute-unknown")),
        (
            None,
            TrialCase("x", {**INPUTS, "application.amount": "0"}),
            ("/cases/1/inputs", "attribute-value"),
        ),
    ],
)
def test_what_cannot_be_simulated_is_refused_with_its_place(
    world: World, desk: PolicyDesk, policy: Any, case: TrialCase, pointer_and_code: Any
) -> None:
    with pytest.raises(InvalidInputError) as refused:
        run(desk.simulate("personal-loan", policy, [GOOD, case], world.deadline()))

    (problem,) = refused.value.problems
    assert (problem.pointer, problem.code) == pointer_and_code
    assert (refused.value.code == "policy-invalid") == (problem.code == "policy-invalid")


@pytest.mark.parametrize(("before", "after"), [(None, None), (1, 2), (1, None), (None, 2)])
def test_versions_are_compared_in_rules(
    world: World, desk: PolicyDesk, before: int | None, after: int | None
) -> None:
    found = run(desk.diff("personal-loan", before, after, world.deadline()))

    assert (found["from"]["version"], found["to"]["version"]) == (1, 2)
    assert [change["sentence"] for change in found["changes"]] == [
        "policy: version: 1 became 2",
        'row 3 of "Hard rules": application.amount > 50000 became > 40000',
    ]


def test_versions_are_compared_backwards_too(world: World, desk: PolicyDesk) -> None:
    found = run(desk.diff("personal-loan", 2, 1, world.deadline()))

    assert "> 40000 became > 50000" in found["changes"][1]["sentence"]


def test_what_is_not_there_is_not_found(world: World, desk: PolicyDesk) -> None:
    empty = PolicyDesk(world.truth, Rulebooks.empty("2026.1"), world.clock, here)
    asked = [
        empty.check("personal-loan", b"{}", world.deadline()),
        desk.check("nobody", b"{}", world.deadline()),
        desk.simulate("nobody", None, [], world.deadline()),
        desk.simulate("personal-loan", 9, [GOOD], world.deadline()),
        desk.diff("nobody", None, None, world.deadline()),
        desk.diff("personal-loan", None, 1, world.deadline()),
        desk.diff("personal-loan", 3, None, world.deadline()),
    ]

    for work in asked:
        with pytest.raises(NotFoundError):
            run(work)
