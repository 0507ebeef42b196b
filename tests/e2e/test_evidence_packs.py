"""A real decision, packed by the platform's folder and checked by nothing but Python."""

import asyncio
import json
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import apsw
import pytest

from adapters.bootstrap.evidence import signing_keys, verify_decision, verify_ledger
from domain.application import CreditApplication
from domain.money import Money
from tests.e2e.core import core_on, decide, tell
from tests.e2e.people import Customer

PROGRAM: Final = str(Path(sys.executable).parent / "creditctl")
KNOWN: Final = Customer(customer_id="c-packed")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A folder at rest, and the first of its decisions."""
    data = tmp_path_factory.mktemp("packs") / "data"

    async def live() -> str:
        ids = []
        # Two starts: each is a lane of its own, and each ends in order.
        for start in range(2):
            async with core_on(data) as core:
                if not start:
                    await tell(core, KNOWN.events())
                for number in range(3):
                    asked = CreditApplication(
                        customer_id=KNOWN.customer_id,
                        product="personal_loan",
                        amount=Money(1_000_00 + number),
                        term_months=12,
                    )
                    recorded = await decide(core, f"k-{start}-{number}", asked)
                    ids.append(json.loads(recorded.reply)["decision_id"])
        return str(ids[0])

    return data, asyncio.run(live())


@pytest.fixture
def folder(made: tuple[Path, str], tmp_path: Path) -> Path:
    copied: Path = shutil.copytree(made[0], tmp_path / "data")
    return copied


@pytest.fixture
def decision(made: tuple[Path, str]) -> str:
    return made[1]


def run(*words: str) -> tuple[int, str]:
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def pack(folder: Path, decision: str, out: Path) -> tuple[int, str]:
    words = ("decision", "pack", decision, "--data", str(folder), "--out", str(out))
    return run(PROGRAM, *words)


def check(tmp_path: Path, out: Path, *words: str) -> tuple[int, str]:
    """Check as a third party: the verifier from the command line, Python without packages."""
    alone = tmp_path / "verify_pack.py"
    if not alone.exists():
        assert run(PROGRAM, "decision", "pack", "--verifier", "--out", str(alone))[0] == 0
    return run(sys.executable, "-I", "-S", str(alone), str(out), *words)


def public_key(folder: Path) -> str:
    keys: Any = signing_keys(folder)
    return str(keys["public_keys"][keys["current"]])


def test_whatever_a_platform_wrote_is_whole_and_anchored(folder: Path) -> None:
    found = verify_ledger(folder, None)

    assert found["valid"] is True, found
    assert (found["lanes"], found["decisions"]) == (2, 6)
    assert isinstance(found["anchors"], int)
    assert found["anchors"] >= 2


def test_a_decision_is_proven_up_to_an_anchor(folder: Path, decision: str) -> None:
    code, said = run(PROGRAM, "decision", "verify", decision, "--data", str(folder))

    assert code == 0, said
    assert "The decision is proven." in said
    assert verify_decision(folder, decision, None)["anchor"] is not None


def test_a_pack_convinces_somebody_with_nothing_but_python(
    folder: Path, decision: str, tmp_path: Path
) -> None:
    out = tmp_path / "pack.json"
    code, said = pack(folder, decision, out)
    assert (code, KNOWN.customer_id in said) == (0, False), said
    assert stat.S_IMODE(out.stat().st_mode) == 0o600

    given = ("--key", public_key(folder), "--anchors", str(folder / "anchors.ndjson"))
    code, said = check(tmp_path, out, *given)

    assert code == 0, said
    assert "the signature is by the key that you gave" in said
    assert "5 of 5 documents that decided are here" in said
    assert "is among those that you gave" in said
    assert KNOWN.customer_id not in said
    held = json.loads(out.read_text())["pack"]
    assert json.loads(held["evidence"])["application"]["customer_id"] == KNOWN.customer_id
    assert {part["name"] for part in held["rules"]} >= {"policy", "reasons", "iof", "funding"}


def test_one_other_character_in_a_pack_is_seen(folder: Path, decision: str, tmp_path: Path) -> None:
    out = tmp_path / "pack.json"
    pack(folder, decision, out)
    text = out.read_text()
    out.write_text(text.replace("1000.00", "9000.00", 1))

    code, said = check(tmp_path, out, "--key", public_key(folder))

    assert text.count("1000.00")
    assert (code, "the signature is not that of this key" in said) == (1, True)


def test_after_erasure_the_hash_is_still_proven(
    folder: Path, decision: str, tmp_path: Path
) -> None:
    erase(folder, decision)
    out = tmp_path / "pack.json"
    pack(folder, decision, out)

    code, said = check(tmp_path, out, "--key", public_key(folder))

    assert code == 0, said
    assert "evidence and reply have been erased: only their hash is proven" in said
    assert verify_ledger(folder, None)["erased"] == 1


def test_a_changed_decision_gets_no_pack(folder: Path, decision: str, tmp_path: Path) -> None:
    change(folder, "UPDATE credit_decisions SET amount = 1 WHERE decision_id = ?", decision)
    out = tmp_path / "pack.json"

    code, said = pack(folder, decision, out)

    assert (code, out.exists()) == (1, False)
    assert "verify it first" in said
    code, said = run(PROGRAM, "decision", "verify", decision, "--data", str(folder))
    assert (code, f"decision-changed at {decision}" in said) == (1, True)


def test_a_restored_older_ledger_lies_behind_its_anchors(folder: Path) -> None:
    change(folder, "DELETE FROM ledger_batches WHERE sequence > ?", 0)
    change(folder, "DELETE FROM credit_decisions WHERE lane_seq > ?", 0)

    problems = verify_ledger(folder, None)["problems"]

    assert isinstance(problems, list)
    assert {each.split()[0] for each in problems} == {"lane-behind-anchor"}


def erase(folder: Path, decision: str) -> None:
    text = "UPDATE credit_decisions SET evidence = NULL, reply = NULL WHERE decision_id = ?"
    change(folder, text, decision)


def change(folder: Path, text: str, *bindings: object) -> None:
    connection = apsw.Connection(str(folder / "truth.sqlite"))
    try:
        connection.execute(text, bindings)
        assert connection.changes()
    finally:
        connection.close()
