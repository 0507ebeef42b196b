"""Reads, what-ifs, policies and customers."""

import asyncio
import json
from collections.abc import Coroutine
from dataclasses import replace
from typing import Any

import pytest

from adapters.bootstrap.shipped import personal_loan
from decision_engine.archive import StoredTransaction
from decision_engine.commands import WhatIfCommand
from decision_engine.customers import Customers, TransactionQuery
from decision_engine.decisions import DecisionQuery, Decisions
from decision_engine.history import History
from decision_engine.pages import page_of
from decision_engine.policies import Policies
from decision_engine.policy.findings import PolicyError
from decision_engine.rulebook import Artifacts, Rulebooks, build_rulebook
from decision_engine.what_if import WhatIf
from domain.canonical import sha256_text
from domain.customer import CreditData, Slot
from domain.errors import ConflictError, GoneError, InvalidInputError, NotFoundError
from domain.money import Money
from tests.unit.decide.world import World, application, good_profile, us


@pytest.fixture
def world() -> World:
    made = World()
    made.truth.put_profile(good_profile())
    return made


def run(work: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(work)


# --- decisions ---------------------------------------------------------------------------------


def decided(world: World, count: int = 1, **asked: Any) -> list[str]:
    async def all_of(engine: Any) -> list[str]:
        made = [await engine.decide(f"k{n}", application(**asked)) for n in range(count)]
        return [recorded.decision_id for recorded in made]

    ids: list[str] = world.run(all_of)
    return ids


def query(world: World, **changes: Any) -> DecisionQuery:
    fields: dict[str, Any] = {"limit": 2, "before": None, "deadline": world.deadline()}
    return DecisionQuery(**{**fields, **changes})


def test_a_decision_reads_as_recorded_with_reasons_in_the_language_asked_for(world: World) -> None:
    (name,) = decided(world, amount=Money(45_000_00))
    decisions = Decisions(world.truth, world.rulebooks)

    recorded = run(decisions.read(name, None, world.deadline()))
    english = run(decisions.read(name, "en", world.deadline()))
    portuguese = run(decisions.read(name, "pt-BR", world.deadline()))

    assert recorded == english
    assert portuguese["reasons"][0]["code"] == english["reasons"][0]["code"]
    assert portuguese["reasons"][0]["text"] != english["reasons"][0]["text"]


def test_an_erased_decision_is_gone(world: World) -> None:
    (name,) = decided(world)
    rows = world.truth.state.decisions
    rows.update({key: replace(row, reply=None) for key, row in rows.items()})  # type: ignore[arg-type]

    with pytest.raises(GoneError):
        run(Decisions(world.truth, world.rulebooks).read(name, "en", world.deadline()))


def test_pages_follow_one_another_without_gap_or_overlap(world: World) -> None:
    names = decided(world, 3, amount=Money(1_000_00))
    decisions = Decisions(world.truth, world.rulebooks)

    first = run(decisions.page(query(world)))
    second = run(decisions.page(query(world, before=first.next)))

    listed = [item["decision_id"] for item in (*first.items, *second.items)]
    assert listed == sorted(names, reverse=True)
    assert second.next is None
    assert first.items[0]["duplicate_of"] == names[0]


def test_an_empty_page_has_no_next() -> None:
    page = page_of([], 2, lambda _: (0, ""), lambda _: {})

    assert (page.items, page.next) == ([], None)


# --- what if -----------------------------------------------------------------------------------


def what_if(world: World, **changes: Any) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "application": application(),
        "overrides": {},
        "policy": None,
        "language": "en",
        "deadline": world.deadline(),
    }
    use_case = WhatIf(world.gather, world.rulebooks, world.clock)

    async def ask() -> dict[str, Any]:
        found = await use_case(WhatIfCommand(**{**fields, **changes}))
        await world.gather.close()
        return found

    found: dict[str, Any] = run(ask())
    return found


def test_a_what_if_answers_as_a_decision_and_records_nothing(world: World) -> None:
    found = what_if(world)

    assert found["recorded"] is False
    assert found["outcome"] == "APPROVED"
    assert found["offers"]
    assert not world.truth.state.decisions


def test_overrides_replace_attributes(world: World) -> None:
    poorer = what_if(world, overrides={"income.monthly": "600.00"})
    without = what_if(world, overrides={"income.monthly": None})
    late = what_if(world, overrides={"behaviour.late_now": 3})

    assert poorer["outcome"] == "DECLINED"
    assert without["reasons"][0]["attribute"] == "income.monthly"
    assert late["reasons"][0]["code"] == "R05"
    assert late["overridden"] == ["behaviour.late_now"]


def test_overrides_make_an_unknown_customer_readable(world: World) -> None:
    asked = application("c-unknown")

    assert what_if(world, application=asked)["reasons"][0]["code"] == "R90"
    given = what_if(world, application=asked, overrides={"income.monthly": "600.00"})
    assert given["reasons"][0]["code"] == "R94"


@pytest.mark.parametrize(
    ("overrides", "code"),
    [
        ({"nobody.knows": "1"}, "attribute-unknown"),
        ({"application.amount": "1"}, "attribute-unknown"),
        ({"income.monthly": "much"}, "attribute-value"),
        ({"income.monthly": True}, "attribute-value"),
        ({"income.monthly": "-1.00"}, "attribute-value"),
    ],
)
def test_overrides_that_cannot_be_are_refused(world: World, overrides: Any, code: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        what_if(world, overrides=overrides)

    assert refused.value.problems[0].code == code


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [({"policy": "nobody"}, "/policy"), ({"application": application(product="x")}, "/product")],
)
def test_a_what_if_needs_an_active_policy(world: World, changes: Any, pointer: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        what_if(world, **changes)

    assert refused.value.problems[0].pointer == pointer


def test_a_policy_can_be_named(world: World) -> None:
    assert what_if(world, policy="personal-loan")["outcome"] == "APPROVED"


# --- customers ---------------------------------------------------------------------------------


def customers(world: World) -> Customers:
    history = History(world.truth, world.wide, world.clock, world.monitoring)
    return Customers(world.gather, history, world.rulebooks, world.clock)


def test_a_profile_is_masked_and_says_where_it_comes_from(world: World) -> None:
    identity = Slot(1, 1, us(9), {"cpf_index": "1:ab", "cpf": "siv1:x", "name": "siv1:y"})
    profile = good_profile()
    world.truth.put_profile(replace(profile, slots={**profile.slots, "identity/crm": identity}))

    async def read() -> Any:
        found = await customers(world).read("c-1", world.deadline())
        await world.gather.close()
        return found

    found = run(read())

    assert found["identity"] == {"cpf": "***", "name": "***"}
    assert found["attributes"]["income.monthly"]["value"] == "***"
    assert found["attributes"]["behaviour.late_now"]["value"] == "0"
    assert found["attributes"]["bureau.score"]["value"] is None
    income = found["attributes"]["income.monthly"]
    assert (income["tier"], income["version"]) == ("aurora", profile.profile_version)
    assert (income["age_days"], income["max_age_days"]) == (100, 365)
    assert "siv1" not in json.dumps(found)
    assert "5000" not in json.dumps(found)


def test_a_profile_without_identity_or_date(world: World) -> None:
    world.truth.put_profile(CreditData.empty("c-9"))

    async def read() -> Any:
        found = await customers(world).read("c-9", world.deadline())
        await world.gather.close()
        return found

    assert run(read())["identity"] == {}


def test_an_unknown_customer_is_not_found(world: World) -> None:
    async def read() -> Any:
        try:
            return await customers(world).read("c-2", world.deadline())
        finally:
            await world.gather.close()

    with pytest.raises(NotFoundError):
        run(read())


def test_a_history_is_paged(world: World) -> None:
    world.truth.transactions = [
        StoredTransaction(f"e{n}", "payment", us(n), n == 0, b'{"amount":"1.00"}') for n in range(3)
    ]
    asked = TransactionQuery(
        customer_id="c-1", limit=2, before=None, from_us=None, to_us=None, deadline=world.deadline()
    )
    page = run(customers(world).transactions(asked))

    assert [item["reversed"] for item in page.items] == [True, False]
    assert page.items[0]["data"] == {"amount": "1.00"}
    assert page.next == (us(1), "e1")


# --- policies ----------------------------------------------------------------------------------


def policies(world: World, shelf: Rulebooks | None = None) -> Policies:
    return Policies(world.truth, shelf or Rulebooks.empty("2026.1"), world.clock)


def altered(old: bytes, new: bytes) -> Artifacts:
    shipped = personal_loan()
    return replace(shipped, policy=shipped.policy.replace(old, new, 1))


def test_a_published_policy_decides_and_is_found_after_a_restart(world: World) -> None:
    first, again = Rulebooks.empty("2026.1"), Rulebooks.empty("2026.1")

    rulebook, new = run(policies(world, first).publish(personal_loan(), world.deadline()))
    _, new_again = run(policies(world, first).publish(personal_loan(), world.deadline()))
    run(policies(world, again).load(world.deadline()))

    assert (new, new_again) == (True, False)
    assert first.active["personal_loan"] is not again.active["personal_loan"]
    assert again.active["personal_loan"].manifest == rulebook.manifest
    assert again.of_manifest(rulebook.manifest) is again.of_manifest(rulebook.manifest)


def test_a_version_is_published_once(world: World) -> None:
    run(policies(world).publish(personal_loan(), world.deadline()))

    with pytest.raises(ConflictError) as refused:
        run(policies(world).publish(altered(b"< 600", b"< 601"), world.deadline()))

    assert refused.value.code == "policy-version-taken"


def test_a_newer_version_retires_the_older(world: World) -> None:
    shelf = Rulebooks.empty("2026.1")
    run(policies(world, shelf).publish(personal_loan(), world.deadline()))
    newer = altered(b'"version": 1', b'"version": 2')
    run(policies(world, shelf).publish(newer, world.deadline()))
    loaded = Rulebooks.empty("2026.1")
    run(policies(world, loaded).load(world.deadline()))
    listed = run(policies(world).listed(world.deadline()))
    shown = run(policies(world).show("personal-loan", world.deadline()))

    assert [(item["version"], item["status"]) for item in listed["items"]] == [
        (2, "active"),
        (1, "retired"),
    ]
    assert shown["version"] == 2
    assert shown["document"]["x-policy"]["id"] == "personal-loan"
    assert loaded.active["personal_loan"].policy.version == 2


def test_the_tables_that_were_published_last_decide_after_a_restart(world: World) -> None:
    shipped = personal_loan()
    rates = [shipped.funding.replace(b'"0.15"', f'"0.{n}"'.encode(), 1) for n in range(16, 20)]
    for funding in (shipped.funding, *rates):
        artifacts = replace(shipped, funding=funding)
        _, new = run(policies(world).publish(artifacts, world.deadline()))
        assert new
        restarted = Rulebooks.empty("2026.1")
        run(policies(world, restarted).load(world.deadline()))

        assert restarted.active["personal_loan"].funding.hash == sha256_text(funding)


def test_an_unknown_policy_is_not_found(world: World) -> None:
    with pytest.raises(NotFoundError):
        run(policies(world).show("nobody", world.deadline()))


@pytest.mark.parametrize(
    "artifacts",
    [
        altered(b'"R05\\""', b'"R99\\""'),
        altered(b'"decisionTableNode"', b'"functionNode"'),
        replace(personal_loan(), models=[]),
        replace(
            personal_loan(),
            reasons=personal_loan().reasons.replace(b'"R92"', b'"R892"', 1),
        ),
    ],
)
def test_rules_that_do_not_hold_together_are_refused(artifacts: Artifacts) -> None:
    with pytest.raises(PolicyError):
        build_rulebook(artifacts, "2026.1")
