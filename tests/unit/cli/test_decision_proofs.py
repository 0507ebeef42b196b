"""`creditctl decision verify`, `pack` and `key`."""

import stat
from pathlib import Path

import pytest

from adapters.inbound.cli.decision_proofs import VERIFIER
from adapters.settings import RefusedError
from domain.errors import PermanentError, TransientError
from tests.unit.cli.conftest import Terminal


@pytest.mark.parametrize(("valid", "code"), [(True, 0), (False, 1), ("yes", 1)])
def test_verify_says_whether_the_ledger_is_whole(run: Terminal, valid: object, code: int) -> None:
    run.wiring.ledger = {"valid": valid, "batches": 3, "problems": ["root at lane a:2"]}

    result = run("decision", "verify")

    assert result.exit_code == code
    assert ("THE LEDGER IS NOT WHOLE." in result.stdout) == bool(code)
    assert "root at lane a:2" in result.stdout
    assert run.document("decision", "verify", "--data", "other", code=code)["folder"] == "other"


@pytest.mark.parametrize(("valid", "code"), [(True, 0), (False, 1)])
def test_verify_of_one_decision_shows_its_proof(run: Terminal, *, valid: bool, code: int) -> None:
    run.wiring.ledger = {
        "valid": valid,
        "leaf": "aa11",
        "path": ["bb22", "cc33"],
        "head": {"sequence": 9, "hash": "dd44"},
        "anchor": {"number": 4, "at": "2026-06-10T12:00:00.000Z", "hash": "ee55"},
        "problems": [] if valid else ["decision-changed at d-1"],
    }

    result = run("decision", "verify", "d-1")

    assert result.exit_code == code
    assert ("THE DECISION IS NOT PROVEN." in result.stdout) == bool(code)
    assert ("decision-changed at d-1" in result.stdout) == bool(code)
    for shown in ("aa11", "bb22", "cc33", "ends at 9: dd44", "Anchor 4 of 2026-06-10T12:00"):
        assert shown in result.stdout
    assert run.document("decision", "verify", "d-1", code=code)["decision_id"] == "d-1"


def test_a_decision_that_no_anchor_holds_says_so(run: Terminal) -> None:
    run.wiring.ledger = {"valid": True, "anchor": None, "head": None}

    assert "No anchor holds it" in run("decision", "verify", "d-1").stdout


@pytest.mark.parametrize("words", [(), ("d-1",)])
def test_anchors_from_elsewhere_are_passed_on(
    run: Terminal, tmp_path: Path, words: tuple[str, ...]
) -> None:
    run.wiring.ledger = {"valid": True}
    kept = tmp_path / "kept.ndjson"
    kept.touch()

    document = run.document("decision", "verify", *words, "--anchor", str(kept))

    assert document["anchor_file"] == "kept.ndjson"
    assert run("decision", "verify", "--anchor", str(tmp_path / "absent")).exit_code == 2


def test_a_pack_is_written_for_its_owner_alone_and_not_shown(run: Terminal, tmp_path: Path) -> None:
    out = tmp_path / "pack.json"

    result = run("decision", "pack", "d-1", "--out", str(out), "--data", "book")

    assert result.exit_code == 0
    assert out.read_text() == "d-1 of book, {}"
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert result.output == f"The pack is in {out}; it is personal data.\n"


def test_a_pack_never_replaces_a_file(run: Terminal, tmp_path: Path) -> None:
    out = tmp_path / "pack.json"
    out.write_text("kept")

    result = run("decision", "pack", "d-1", "--out", str(out))

    assert (result.exit_code, out.read_text()) == (2, "kept")
    assert "cannot be written" in result.stderr


@pytest.mark.parametrize("words", [(), ("d-1",), ("--out", "x")])
def test_a_pack_needs_a_decision_and_a_file(run: Terminal, words: tuple[str, ...]) -> None:
    assert run("decision", "pack", *words).exit_code == 2


def test_a_decision_that_is_not_proven_leaves_no_file(run: Terminal, tmp_path: Path) -> None:
    run.wiring.failure = PermanentError("the ledger does not prove this decision")

    result = run("decision", "pack", "d-1", "--out", str(tmp_path / "pack.json"))

    assert result.exit_code == 1
    assert list(tmp_path.iterdir()) == []


def test_the_verifier_comes_along(run: Terminal, tmp_path: Path) -> None:
    out = tmp_path / "verify_pack.py"
    run("decision", "pack", "--verifier", "--out", str(out))

    assert out.read_bytes() == VERIFIER.read_bytes()
    assert run("decision", "pack", "--verifier").stdout == VERIFIER.read_text(encoding="utf-8")


def test_public_keys_are_shown_and_the_one_in_use(run: Terminal) -> None:
    result = run("decision", "key", "--data", "book")

    assert result.stdout.splitlines() == ["1: aa", "2: book (in use)"]
    assert run.document("decision", "key")["current"] == "2"


URL = "mysql://app:secret@db:3306/credit"
PROOFS = [("verify",), ("verify", "d-1"), ("pack", "d-1", "--out", "{out}"), ("key",)]


@pytest.mark.parametrize("words", PROOFS)
@pytest.mark.parametrize(
    "case",
    [
        (None, (), None, "data"),
        (URL, (), URL, "data"),
        # A folder that is named is meant, whatever the environment says.
        (URL, ("--data", "book"), None, "book"),
        (None, ("--mysql-url", URL), URL, "data"),
        (URL, ("--mysql-url", "mysql://other/credit"), "mysql://other/credit", "data"),
        # The database's ledger, the folder's anchors and keys.
        (None, ("--mysql-url", URL, "--data", "book"), URL, "book"),
    ],
)
def test_a_ledger_is_that_of_a_database_or_of_a_folder(
    run: Terminal,
    tmp_path: Path,
    words: tuple[str, ...],
    case: tuple[str | None, tuple[str, ...], str | None, str],
) -> None:
    environment, given, url, folder = case
    run.wiring.mysql, run.wiring.ledger = environment, {"valid": True}
    named = [word.replace("{out}", str(tmp_path / "pack.json")) for word in words]

    result = run("decision", *named, *given)

    assert result.exit_code == 0, result.output
    (place,) = run.wiring.places
    assert (place.url, place.data.name) == (url, folder)
    assert "secret" not in result.output


@pytest.mark.parametrize(
    ("failure", "code"), [(RefusedError("no"), 4), (TransientError("away"), 3)]
)
def test_a_database_that_is_not_read_ends_so(
    run: Terminal, failure: PermanentError | TransientError, code: int
) -> None:
    run.wiring.failure = failure

    assert run("decision", "verify").exit_code == code
