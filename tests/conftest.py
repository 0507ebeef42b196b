"""What every test gets: hypothesis profiles, and no network below tests/unit."""

import os
import socket
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

UNIT = Path(__file__).parent / "unit"

# No deadline: no test asserts wall time on a shared machine. The blob repeats a failure.
settings.register_profile("check", max_examples=50, deadline=None, print_blob=True)
settings.register_profile("prove", max_examples=5000, deadline=None, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "check"))


@pytest.fixture(autouse=True)
def _no_network(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.path.is_relative_to(UNIT):
        monkeypatch.setattr(socket.socket, "connect", _refuse)


def _refuse(opened: socket.socket, address: Any) -> None:
    opened.close()
    raise AssertionError(f"a unit test reached for the network: {address}")
