"""A case is closed once, whoever is fastest."""

import asyncio
from pathlib import Path

from tests.e2e.conftest import UNPAID
from tests.e2e.folder import Folder
from tests.e2e.load import together
from tests.e2e.people import application
from tests.e2e.platform import CREATED, Answer, running

REVIEWERS = 8
CONFLICT = 409


def test_of_many_reviewers_at_once_one_closes_the_case(data: Path) -> None:
    async def run() -> list[Answer]:
        async with running(data) as platform:
            referred = await platform.decide("referred", application(UNPAID.customer_id))
            path = f"/v1/reviews/{referred.document['review_id']}/decision"
            verdict = {"outcome": "DECLINED", "reasons": ["R90"]}
            # Others come first, so that all reviewers wait for the same batch.
            crowd = [platform.decide(f"k-{n}", application(f"c-{n % 4}")) for n in range(32)]
            closings = [
                platform.request("POST", path, verdict, Idempotency_Key=f"close-{number}")
                for number in range(REVIEWERS)
            ]
            answers = await together(*crowd, *closings)
            await platform.stop()
        return answers[-REVIEWERS:]

    answers = asyncio.run(run())

    assert sorted(answer.status for answer in answers) == [CREATED] + [CONFLICT] * (REVIEWERS - 1)
    refused = [answer.document["code"] for answer in answers if answer.status == CONFLICT]
    assert set(refused) == {"review-closed"}
    made = "SELECT count(*) FROM credit_decisions WHERE reviewed_decision <> ''"
    assert Folder(data).rows(made) == [(1,)]
    assert list(Folder(data).faults()) == []
