"""Rules in a branch that was not taken: decided, recorded, explained and replayed as such."""

import json
from dataclasses import replace
from typing import Any

from adapters.bootstrap.shipped import personal_loan
from decision_engine.archive import StoredDecision
from decision_engine.evidence import Evidence
from decision_engine.explain import Explain
from decision_engine.replay import ReplayVerdict, replay_stored
from decision_engine.rulebook import Rulebook, build_rulebook
from decision_engine.trace_marks import entries_of
from domain.money import Money
from tests.unit.decide.world import World, application, good_profile, stored
from tests.unit.policy.build import expressions, rules, switch

WAYS = [
    *("input>size", "size:large>large", "size:rest>small"),
    *("large>large-rules", "small>small-rules", "large-rules>output", "small-rules>output"),
]


def policy_of(threshold: int) -> bytes:
    """The shipped policy with a switch beside the rest: large loans have a rule of their own."""
    policy = json.loads(personal_loan().policy)
    policy["nodes"] += [
        switch("size", ("large", f"application.amount > {threshold}"), ("rest", "")),
        expressions("large", {"large.twice": "application.amount * 2"}),
        expressions("small", {"small.twice": "application.amount * 2"}),
        coded(
            rules(("large-long", "application.term_months > 59", "refer"), identity="large-rules")
        ),
        coded(
            rules(("small-long", "application.term_months > 59", "refer"), identity="small-rules")
        ),
    ]
    policy["edges"] += [edge(way) for way in WAYS]
    return json.dumps(policy).encode()


def branched(threshold: int = 4000) -> Rulebook:
    return build_rulebook(replace(personal_loan(), policy=policy_of(threshold)), "2026.1")


def coded(node: Any) -> Any:
    for row in node["content"]["rules"]:
        row["o0"] = '"R02"'
    return node


def edge(way: str) -> dict[str, Any]:
    source, target = way.split(">")
    source, _, handle = source.partition(":")
    ends = {"sourceId": source, "targetId": target, "sourceHandle": handle or None}
    return {"id": way, "type": "edge", **ends}


def decided(rulebook: Rulebook, **asked: Any) -> tuple[World, StoredDecision]:
    world = World()
    world.rulebooks.activate(rulebook)
    world.rulebooks.artifacts[rulebook.policy.content_hash] = policy_of(4000)
    world.truth.put_profile(good_profile())
    world.run(lambda engine: engine.decide(asked=application(**asked)))
    (row,) = world.truth.state.decisions.values()
    return world, stored(row)


BRANCHED = branched()


def texts(row: StoredDecision, rulebook: Rulebook = BRANCHED) -> dict[str, str]:
    evidence = Evidence.parse(row.evidence or b"")
    case = evidence.case(rulebook)
    assessor = case.assessor(evidence.exposure)
    return dict(entries_of(assessor, assessor.assess()))


def test_the_trail_tells_a_rule_not_reached_from_one_that_did_not_hit() -> None:
    large = texts(decided(BRANCHED)[1])
    small = texts(decided(BRANCHED, amount=Money(3_000_00))[1])

    assert large["rules.large-long"] == small["rules.small-long"] == "no_hit "
    assert large["rules.small-long"] == small["rules.large-long"] == "not_reached "
    assert (large["values.large.twice"], large["values.small.twice"]) == ("10000", "not made")
    assert (small["values.large.twice"], small["values.small.twice"]) == ("not made", "6000")
    assert large["uncovered"] == small["uncovered"] == ""


def test_a_rule_of_a_branch_not_taken_asks_for_nothing() -> None:
    long = decided(BRANCHED, amount=Money(3_000_00), term_months=60)[1]
    short = decided(BRANCHED, amount=Money(3_000_00))[1]

    assert (long.outcome, short.outcome) == ("REFERRED", "APPROVED")


def test_a_decision_by_branches_replays_equal() -> None:
    row = decided(BRANCHED)[1]

    replayed = replay_stored(row, BRANCHED)

    assert (replayed.verdict, replayed.differences) == (ReplayVerdict.EQUAL, ())


def test_a_replay_by_another_way_names_the_rules_that_were_reached_then() -> None:
    row = decided(BRANCHED)[1]

    replayed = replay_stored(row, branched(threshold=9000))

    assert replayed.verdict is ReplayVerdict.DIFFERENT
    names = {"rules.large-long", "rules.small-long", "values.small.twice", "result.bits"}
    assert names <= set(replayed.differences)
    assert "rules.late-now" not in replayed.differences


def test_an_explanation_shows_rules_that_were_not_reached_without_conditions() -> None:
    world, row = decided(BRANCHED)
    explain = Explain(world.truth, world.rulebooks)

    found = world.run(lambda _: explain(row.decision_id, "en", world.deadline()))

    shown = {rule["rule"]: (rule["result"], len(rule["conditions"])) for rule in found["rules"]}
    assert shown["large-long"] == ("no_hit", 1)
    assert shown["small-long"] == ("not_reached", 0)
