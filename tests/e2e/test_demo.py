"""The demo, as a person runs it: real customers through every part, twice on the same folder."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

CUSTOMERS = 3_000
BIN = Path(sys.executable).parent
FIELDS = {
    "customers",
    "events",
    "applications",
    "outcomes",
    "approval_rate",
    "bad_rate_approved",
    "bad_rate_all",
    "events_per_second",
    "decisions_per_second",
    "latency_ms",
    "duplicates_refused",
    "replays",
    "stores",
    "fingerprint",
}


def demo(data: Path) -> dict[str, Any]:
    command = [
        str(BIN / "creditctl"), "demo", "--once", "--json", "--data", str(data),
        "--customers", str(CUSTOMERS),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    document: dict[str, Any] = json.loads(done.stdout)
    return document


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], dict[str, Any]]:
    data = tmp_path_factory.mktemp("demo") / "data"
    return demo(data), demo(data)


def test_the_document_has_every_promised_field(runs: tuple[dict[str, Any], ...]) -> None:
    for document in runs:
        assert document.keys() >= FIELDS
        assert all(document[name] is not None for name in FIELDS)
        assert set(document["latency_ms"]) == {"p50", "p95", "p99"}


def test_what_the_book_tells_is_told(runs: tuple[dict[str, Any], ...]) -> None:
    document = runs[0]

    assert document["customers"] == CUSTOMERS
    assert document["facts"]["statements"] == 6 * CUSTOMERS
    assert sum(document["outcomes"].values()) == document["applications"]
    assert not document["failures"]


def test_every_replay_is_equal_and_the_stores_agree(runs: tuple[dict[str, Any], ...]) -> None:
    for document in runs:
        assert document["replays"]["tried"] == document["applications"] > 0
        assert document["replays"]["equal"] == document["replays"]["tried"]
        assert document["stores"]["compared"] > 6 * CUSTOMERS
        assert document["stores"]["differing"] == 0


def test_repeats_got_the_first_reply(runs: tuple[dict[str, Any], ...]) -> None:
    assert runs[0]["duplicates_refused"] > 0
    assert runs[0]["unequal_repeats"] == 0


def test_the_outcomes_are_those_of_a_lender(runs: tuple[dict[str, Any], ...]) -> None:
    document = runs[0]
    applications = document["applications"]
    shares = {name: count / applications for name, count in document["outcomes"].items()}

    assert 0.35 <= shares["APPROVED"] <= 0.50
    assert 0.08 <= shares["COUNTER_OFFER"] <= 0.22
    assert 0.24 <= shares["DECLINED"] <= 0.40
    assert 0.06 <= shares["REFERRED"] <= 0.18
    assert float(document["bad_rate_approved"]) < float(document["bad_rate_all"])


def test_a_second_run_changes_nothing(runs: tuple[dict[str, Any], ...]) -> None:
    first, second = runs
    measured = ("events_per_second", "decisions_per_second", "latency_ms", "duplicates_refused")

    assert second["fingerprint"] == first["fingerprint"]
    assert second["outcomes"] == first["outcomes"]
    assert {name: second[name] for name in measured} == {name: first[name] for name in measured}
