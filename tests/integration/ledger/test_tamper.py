import shutil
from pathlib import Path
from typing import Any

import pytest

from adapters.bootstrap.command_line import EmbeddedWiring
from adapters.bootstrap.evidence import verify_ledger
from adapters.inbound.cli.wiring import Check
from adapters.settings import CommandLineSettings
from adapters.stores.embedded.directory import TRUTH
from domain.errors import PermanentError
from tests.integration.ledger.build import build_ledger, live_on
from tests.integration.ledger.checks import check_fault, check_outside, check_whole
from tests.integration.ledger.faults import (
    FAULTS,
    ONLY_BY_ANCHORS,
    OUTSIDE,
)
from tests.integration.ledger.site import hide_a_decision, tampered

DECISIONS = 3_000
SEED = 20261210
HIDDEN = "rows-unseen at credit_decisions, ledger_batches"


def as_list(value: Any) -> list[str]:
    return list(value)


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int]:
    data = tmp_path_factory.mktemp("ledger") / "data"
    build_ledger(data, DECISIONS, SEED)
    return data, live_on(data, SEED)


def test_an_untouched_ledger_is_whole(ledger: tuple[Path, int]) -> None:
    check_whole(ledger[0], DECISIONS, ledger[1])


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_found_and_named(ledger: tuple[Path, int], name: str) -> None:
    check_fault(ledger[0], FAULTS[name], SEED)


@pytest.mark.parametrize("name", OUTSIDE)
def test_what_is_outside_the_proof_is_not_guessed_at(ledger: tuple[Path, int], name: str) -> None:
    check_outside(ledger[0], OUTSIDE[name], SEED)


@pytest.mark.parametrize("name", ONLY_BY_ANCHORS)
def test_without_anchors_these_would_go_unnoticed(
    ledger: tuple[Path, int], name: str, tmp_path: Path
) -> None:
    nothing = tmp_path / "no-anchors"
    nothing.touch()

    with tampered(ledger[0], FAULTS[name], SEED):
        found = verify_ledger(ledger[0], nothing)

    assert found["valid"] is True


def test_a_row_that_the_index_hides_is_seen(ledger: tuple[Path, int], tmp_path: Path) -> None:
    data = shutil.copytree(ledger[0], tmp_path / "data")
    hide_a_decision(data)

    found = verify_ledger(data, None)

    assert {"store-damaged at credit_decisions", HIDDEN} <= set(as_list(found["problems"]))


def test_a_file_that_cannot_be_read_is_no_crash(ledger: tuple[Path, int], tmp_path: Path) -> None:
    data = shutil.copytree(ledger[0], tmp_path / "data")
    truth = data / TRUTH
    truth.write_bytes(truth.read_bytes()[:16] + bytes(4096))

    with pytest.raises(PermanentError, match="cannot be read"):
        verify_ledger(data, None)
    assert not ledger_check(data).ok


def test_the_doctor_tells_a_touched_ledger_from_none(
    ledger: tuple[Path, int], tmp_path: Path
) -> None:
    with tampered(ledger[0], FAULTS["byte in reply"], SEED):
        touched = ledger_check(ledger[0])

    assert (touched.ok, bool(touched.remedy)) == (False, True)
    assert ledger_check(ledger[0]).ok
    assert ledger_check(tmp_path).ok


def ledger_check(data: Path) -> Check:
    checks = EmbeddedWiring(CommandLineSettings()).doctor(data, "embedded")
    return next(check for check in checks if check.name == "ledger")


def test_every_fault_was_taken_back(ledger: tuple[Path, int]) -> None:
    check_whole(ledger[0], DECISIONS, ledger[1])
