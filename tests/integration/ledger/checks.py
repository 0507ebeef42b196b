"""Every fault is found and named, and a ledger that nobody touched is whole."""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from adapters.bootstrap.evidence import verify_ledger
from tests.integration.ledger.build import build_ledger, live_on
from tests.integration.ledger.faults import FAULTS, ONLY_BY_ANCHORS, OUTSIDE
from tests.integration.ledger.site import Fault, tampered


def check_fault(data: Path, fault: Fault, seed: int) -> None:
    """Do it, and have it named; raises AssertionError when it goes unnoticed."""
    with tampered(data, fault, seed) as expected:
        found = verify_ledger(data, None)
    problems: Any = found["problems"]
    assert found["valid"] is False, "it went unnoticed"
    for code, place in expected:
        wanted = f"{code} at {place}"
        assert any(each.startswith(wanted) for each in problems), (wanted, problems[:5])


def check_outside(data: Path, fault: Fault, seed: int) -> None:
    """Do what no proof covers: a verifier that found it would say what it cannot know."""
    with tampered(data, fault, seed):
        found = verify_ledger(data, None)
    assert found["valid"] is True, found["problems"]


def check_whole(data: Path, decisions: int, erased: int) -> Mapping[str, Any]:
    """Verify an untouched ledger: whole, and all of it gone through."""
    found = verify_ledger(data, None)
    assert found["valid"] is True, found["problems"]
    assert (found["decisions"], found["erased"]) == (decisions, erased)
    assert found["void_batches"], "a ledger without void batches proves less"
    assert found["lanes"] == 3
    assert found["anchored_heads"]
    return found


def check_tamper_evidence(decisions: int, seed: int) -> Mapping[str, Any]:
    """Build a ledger, do every fault to it, each at a place of its own, and verify each time."""
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        build_ledger(data, decisions, seed)
        erased = live_on(data, seed)
        whole = check_whole(data, decisions, erased)
        for number, (name, fault) in enumerate(FAULTS.items()):
            try:
                check_fault(data, fault, seed + number)
            except AssertionError as error:
                raise AssertionError(f"{name}: {error}") from error
        for outside in OUTSIDE.values():
            check_outside(data, outside, seed)
        check_whole(data, decisions, erased)
    return {
        "decisions": decisions,
        "batches": whole["batches"],
        "faults_named": len(FAULTS),
        "only_by_anchors": len(ONLY_BY_ANCHORS),
        "verify_seconds": whole["seconds"],
    }
