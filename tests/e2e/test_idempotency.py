"""One key, one decision: however often, from however many sides, and across a restart."""

import asyncio
import json
from pathlib import Path
from typing import Final

from tests.e2e.folder import Folder
from tests.e2e.load import DECISIONS, together
from tests.e2e.people import application
from tests.e2e.platform import CREATED, Answer, Platform, running

REFUSED: Final = 422
SENDERS: Final = 50
KEY: Final = "one-key"
BODY: Final = application("c-0", external_reference="app-1")
#: Every table that a decision or a creating request writes to, in any file.
TABLES: Final = (
    "credit_decisions", "ledger_batches", "reservations", "offers", "reviews", "idempotency_keys",
    "outbox", "inbox", "persons", "customers", "transactions",
)  # fmt: skip


def test_fifty_at_once_get_one_decision_and_equal_bytes(data: Path) -> None:
    answers = asyncio.run(_sent_at_once(data, [BODY] * SENDERS))

    assert {answer.status for answer in answers} == {CREATED}
    assert len({answer.body for answer in answers}) == 1
    assert len({answer.headers["location"] for answer in answers}) == 1
    assert sorted(answer.replayed for answer in answers) == [False] + [True] * (SENDERS - 1)
    assert Folder(data).replies() == {(KEY, answers[0].body): 1}
    assert Folder(data).rows("SELECT count(*) FROM reservations") == [(1,)]
    assert list(Folder(data).faults()) == []


def test_of_two_commands_racing_for_a_key_one_is_decided(data: Path) -> None:
    other = BODY | {"amount": "6000.00"}

    answers = asyncio.run(_sent_at_once(data, [BODY, other] * (SENDERS // 2)))

    won = [answer for answer in answers if answer.status == CREATED]
    lost = [answer for answer in answers if answer.status == REFUSED]
    assert (len(won), len(lost)) == (SENDERS // 2, SENDERS // 2)
    assert {answer.document["code"] for answer in lost} == {"idempotency-key-reused"}
    assert Folder(data).replies() == {(KEY, won[0].body): 1}


def test_the_same_key_with_another_command_writes_nothing(data: Path) -> None:
    async def run() -> tuple[list[Answer], int]:
        async with running(data) as platform:
            await platform.decide(KEY, BODY)
            await platform.command("settle")
            before = _counts(data)
            answers = [await platform.decide(KEY, other) for other in _others()]
            await platform.command("settle")
            written = sum(after - was for after, was in zip(_counts(data), before, strict=True))
            await platform.stop()
        return answers, written

    answers, written = asyncio.run(run())

    assert {answer.status for answer in answers} == {REFUSED}
    assert {answer.document["code"] for answer in answers} == {"idempotency-key-reused"}
    assert written == 0


def test_a_restart_answers_with_the_bytes_of_before(data: Path) -> None:
    async def run() -> list[Answer]:
        answers = []
        for _ in range(2):
            async with running(data) as platform:
                answers.append(await platform.decide(KEY, BODY))
                await platform.stop()
        return answers

    first, second = asyncio.run(run())

    assert (first.replayed, second.replayed) == (False, True)
    assert first.body == second.body
    assert first.headers["location"] == second.headers["location"]
    assert Folder(data).replies() == {(KEY, first.body): 1}


def test_how_a_command_is_written_does_not_matter(data: Path) -> None:
    async def run() -> list[Answer]:
        async with running(data) as platform:
            answers = [await platform.decide(KEY, form) for form in _forms()]
            await platform.stop()
        return answers

    answers = asyncio.run(run())

    assert [answer.status for answer in answers] == [CREATED] * len(answers)
    assert [answer.replayed for answer in answers] == [False] + [True] * (len(answers) - 1)
    assert len({answer.body for answer in answers}) == 1


def test_a_key_belongs_to_its_caller_and_its_route(data: Path) -> None:
    async def run() -> tuple[Answer, Answer, Answer]:
        async with running(data) as platform:
            decided = await platform.decide(KEY, BODY)
            review = decided.document["links"]["review"]
            opened = await platform.request("POST", review, {}, Idempotency_Key=KEY)
            again = await platform.request("POST", review, {}, Idempotency_Key=KEY)
            await platform.stop()
        return decided, opened, again

    decided, opened, again = asyncio.run(run())

    assert (decided.status, opened.status, again.status) == (CREATED, CREATED, CREATED)
    assert (opened.replayed, again.replayed) == (False, True)
    assert opened.body == again.body
    assert opened.document["decision_id"] == decided.document["decision_id"]


async def _sent_at_once(data: Path, bodies: list[dict[str, object]]) -> list[Answer]:
    async with running(data) as platform:
        answers = await together(*(_send(platform, body) for body in bodies))
        await platform.command("settle")
        await platform.stop()
    return answers


async def _send(platform: Platform, body: object) -> Answer:
    return await platform.request("POST", DECISIONS, body, Idempotency_Key=KEY)


def _others() -> list[dict[str, object]]:
    changes: list[dict[str, object]] = [
        {"amount": "5000.01"},
        {"term_months": 25},
        {"customer_id": "c-1"},
        {"channel": "branch"},
        {"amortization": "sac"},
        {"iof": "paid_apart"},
        {"first_due_on": "2026-07-11"},
        {"external_reference": "app-2"},
    ]
    without = {name: value for name, value in BODY.items() if name != "external_reference"}
    return [*(BODY | change for change in changes), without]


def _forms() -> list[bytes]:
    """Return one command in five writings: order, blanks, escapes, and defaults spelled out."""
    backwards = dict(reversed(BODY.items()))
    spelled = BODY | {"amortization": "price", "iof": "financed", "channel": "api"}
    return [
        json.dumps(BODY).encode(),
        json.dumps(backwards, indent=3).encode(),
        json.dumps(BODY, separators=(",", ":")).replace("c-0", "\\u0063-0").encode(),
        b"\r\n\t" + json.dumps(spelled, sort_keys=True).encode() + b" \n",
        json.dumps(dict(reversed(spelled.items()))).encode(),
    ]


def _counts(data: Path) -> list[int]:
    folder = Folder(data)
    counted = [folder.rows("SELECT count(*) FROM " + table)[0][0] for table in TABLES]  # noqa: S608
    heads = folder.rows("SELECT sum(head) FROM shards", "stream.sqlite")
    histories = folder.rows("SELECT count(*) FROM creditdata", "keyspaces.sqlite")
    return [*counted, heads[0][0], histories[0][0]]
