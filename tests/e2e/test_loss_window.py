"""An older copy of the ledger is put back: whoever got a decision since waits for a person."""

import asyncio
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import pytest

from tests.e2e.conftest import KNOWN
from tests.e2e.folder import Folder
from tests.e2e.people import application
from tests.e2e.platform import CREATED, Answer, Platform, running

LOST, KEPT, NOBODY, _ = KNOWN
TRUTH: Final = "truth.sqlite"
WINDOWS: Final = "/v1/loss-windows"
OPENING: Final = {"cause": "RESTORE", "reason": "an older copy was put back"}


async def decided(platform: Platform, key: str, customer_id: str) -> dict[str, Any]:
    """Decide, and return the reply; a small amount, so that several fit into the limit."""
    answer = await platform.decide(key, application(customer_id, amount="1000.00"))
    assert answer.status == CREATED, answer.body
    document: dict[str, Any] = answer.document
    return document


async def lose_a_decision(data: Path) -> dict[str, Any]:
    """Take decisions, the last of them after a copy of the ledger that is then put back."""
    copied = data.with_name("copy.sqlite")
    async with running(data) as platform:
        await decided(platform, "kept", KEPT.customer_id)
        await platform.command("settle")
        await platform.stop()
    shutil.copyfile(data / TRUTH, copied)
    async with running(data) as platform:
        lost = await decided(platform, "lost", LOST.customer_id)
        await platform.command("settle")
        await platform.stop()
    restore(copied, data)
    return lost


def restore(copied: Path, data: Path) -> None:
    for leftover in data.glob(f"{TRUTH}-*"):
        leftover.unlink()
    shutil.copyfile(copied, data / TRUTH)


async def post(platform: Platform, path: str, body: object, key: str) -> Answer:
    return await platform.request("POST", path, body, Idempotency_Key=key)


def codes(reply: dict[str, Any]) -> list[str]:
    return [reason["code"] for reason in reply["reasons"]]


def audit(data: Path) -> Sequence[Any]:
    return Folder(data).rows("SELECT actor, action, subject, detail FROM audit_log ORDER BY at_us")


async def under_a_window(platform: Platform) -> dict[str, Any]:
    """Open a window, ask under it, release it, ask again."""
    opened = await post(platform, WINDOWS, OPENING, "open")
    found: dict[str, Any] = {
        "opened": opened,
        "same": await post(platform, WINDOWS, OPENING, "open"),
        "second": await post(platform, WINDOWS, OPENING, "open-2"),
        "held": await decided(platform, "held", LOST.customer_id),
        "kept": await decided(platform, "kept-2", KEPT.customer_id),
        "nobody": await decided(platform, "nobody", NOBODY.customer_id),
    }
    # What was just decided reaches the other stores, and must not hide the lost one.
    await platform.command("settle")
    found["again"] = await decided(platform, "again", LOST.customer_id)
    release = f"{WINDOWS}/{opened.document['window_id']}/release"
    found["released"] = await post(platform, release, {"note": "settled"}, "rel")
    found["late"] = await post(platform, release, {"note": "settled"}, "rel-2")
    found["listed"] = await platform.request("GET", WINDOWS)
    found["free"] = await decided(platform, "free", LOST.customer_id)
    return found


@pytest.fixture
def found(data: Path) -> dict[str, Any]:
    """What an operator and the applicants meet after a restore."""

    async def run() -> dict[str, Any]:
        lost = await lose_a_decision(data)
        async with running(data) as platform:
            found = await under_a_window(platform)
            await platform.stop()
        return found | {"lost": lost}

    return asyncio.run(run())


def test_a_restored_ledger_approves_nobody_whose_decision_it_lost(found: dict[str, Any]) -> None:
    assert found["lost"]["outcome"] == "APPROVED"
    for name in ("held", "again"):
        assert (found[name]["outcome"], codes(found[name])) == ("REFERRED", ["R92"]), name
    assert [found[name]["outcome"] for name in ("kept", "nobody", "free")] == ["APPROVED"] * 3


def test_the_anchors_name_the_lane_that_the_older_copy_lacks(
    data: Path, found: dict[str, Any]
) -> None:
    assert found["lost"]["outcome"] == "APPROVED"
    (fault,) = Folder(data).faults()
    assert fault.startswith("lane-missing at ")


def test_there_is_one_window_at_a_time_and_each_step_is_audited(
    data: Path, found: dict[str, Any]
) -> None:
    assert (found["opened"].status, found["same"].body) == (CREATED, found["opened"].body)
    assert found["same"].replayed
    assert found["second"].document["code"] == "loss-window-open"
    assert found["released"].document["persons_waiting"] == 1
    assert found["late"].document["code"] == "loss-window-released"
    (item,) = found["listed"].document["items"]
    assert (item["state"], item["note"]) == ("RELEASED", "settled")
    window = item["window_id"]
    assert [line[1:] for line in audit(data)] == [
        ("loss-window.open", window, '{"cause":"RESTORE"}'),
        ("loss-window.release", window, '{"persons_waiting":1}'),
    ]
    assert {line[0] for line in audit(data)} == {item["opened_by"]}


def test_a_window_outlives_its_process(data: Path) -> None:
    async def run() -> dict[str, Any]:
        await lose_a_decision(data)
        async with running(data) as platform:
            await post(platform, WINDOWS, OPENING, "open")
            await platform.stop()
        async with running(data) as platform:
            held = await decided(platform, "held", LOST.customer_id)
            await platform.stop()
        return held

    assert codes(asyncio.run(run())) == ["R92"]


def test_without_a_window_the_lost_decision_is_not_missed(data: Path) -> None:
    """Why an operator must open one: nothing in the ledger tells that it is an old one."""

    async def run() -> dict[str, Any]:
        await lose_a_decision(data)
        async with running(data) as platform:
            served = await decided(platform, "served", LOST.customer_id)
            await platform.stop()
        return served

    assert asyncio.run(run())["outcome"] == "APPROVED"
