"""Policies are published while decisions run: none is lost, none decided by half a policy."""

import asyncio
import json
from dataclasses import replace
from typing import Any, Final

from adapters.bootstrap.shipped import personal_loan
from decision_engine.commands import Recorded
from decision_engine.policies import Policies
from decision_engine.replay import Replay, ReplayVerdict
from decision_engine.rulebook import Artifacts
from domain.money import Money
from tests.unit.decide.world import Engine, World, application, good_profile

VERSIONS: Final = 8
CUSTOMERS: Final = 8
#: Each version has a largest loan of its own: an offer tells which rules made it.
ASKED: Final = 49_000_00


def version(number: int) -> Artifacts:
    policy = personal_loan().policy
    for old, new in (
        (b'"version": 1', f'"version": {number}'.encode()),
        (b"> 50000", f"> {largest(number)}".encode()),
    ):
        assert old in policy
        policy = policy.replace(old, new, 1)
    return replace(personal_loan(), policy=policy)


def largest(number: int) -> int:
    return 5000 - 100 * number


async def swap_under_load(world: World, engine: Engine) -> tuple[dict[str, int], list[Recorded]]:
    """Publish version after version while customers ask; return hashes and every answer."""
    policies = Policies(world.truth, world.rulebooks, world.clock)
    published = {world.rulebooks.active["personal_loan"].policy.content_hash: 1}
    answered: list[Recorded] = []
    heard = {number: asyncio.Event() for number in range(1, VERSIONS + 1)}
    finished = asyncio.Event()

    async def publish() -> None:
        for number in range(2, VERSIONS + 1):
            # Each version decides something, and questions are always under way.
            await heard[number - 1].wait()
            rulebook, _ = await policies.publish(version(number), world.deadline())
            published[rulebook.policy.content_hash] = number
        finished.set()

    async def ask(customer: int) -> None:
        asked, last, count = application(f"c-{customer}", amount=Money(ASKED)), False, 0
        while not last:
            # The last question comes when all is published.
            last, count = finished.is_set(), count + 1
            answered.append(await engine.decide(f"k{customer}-{count}", asked))
            heard[json.loads(answered[-1].reply)["policy"]["version"]].set()

    await asyncio.gather(publish(), *(ask(n) for n in range(CUSTOMERS)))
    return published, answered


def test_every_decision_names_one_published_policy_and_replays_equal() -> None:
    world = World()
    for number in range(CUSTOMERS):
        world.truth.put_profile(good_profile(f"c-{number}"))

    async def pause() -> None:
        # Requests are in all stages when the policy changes.
        await asyncio.sleep(0)

    world.truth.before_read = pause

    async def main(engine: Engine) -> tuple[dict[str, int], list[Recorded], list[Any]]:
        published, answers = await swap_under_load(world, engine)
        replay = Replay(world.truth, world.rulebooks)
        replays = [await replay(answer.decision_id, world.deadline()) for answer in answers]
        return published, answers, replays

    published, answers, replays = world.run(main)
    replies = [json.loads(answer.reply) for answer in answers]
    versions = [reply["policy"]["version"] for reply in replies]

    assert len(published) == VERSIONS
    assert len({answer.decision_id for answer in answers}) == len(answers)
    assert len(world.truth.state.decisions) == len(answers)
    assert all(
        published[reply["policy"]["hash"]] == reply["policy"]["version"] for reply in replies
    )
    assert {replayed.verdict for replayed in replays} == {ReplayVerdict.EQUAL}
    # The twin: policies did change under way, and the newest decides at the end.
    assert set(versions) == set(range(1, VERSIONS + 1))
    assert versions.count(VERSIONS) >= CUSTOMERS
    assert all(offered(reply) for reply in replies)


def offered(reply: dict[str, Any]) -> bool:
    """Tell whether what was offered is within the largest loan of the version that is named."""
    number = reply["policy"]["version"]
    most = 50_000 if number == 1 else largest(number)
    return all(float(offer["amount"]) <= most for offer in reply["offers"])
