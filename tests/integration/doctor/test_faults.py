"""Every fault: the doctor names cause and remedy, and a start ends with the same sentence."""

import re

import pytest

from tests.integration.doctor.faults import KEY_FILES, REACH, STATE, Changes
from tests.integration.doctor.site import Shell, Site

FAULTS = {**REACH, **STATE, **KEY_FILES}


def test_all_is_well(shell: Shell) -> None:
    # The default ports may be another program's.
    assert [each for each in shell.doctor(0) if each["name"] != "ports"] == []


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_named_and_stops_a_start(site: Site, name: str) -> None:
    wrong = FAULTS[name]
    with wrong.making(site) as changes:
        shell = shell_with(site, changes)
        found = shell.doctor(1)
        up = shell("up", "--profile", "services", "--port", "0", "--metrics-port", "0")

    named = [each for each in found if each["name"] == wrong.check and each["level"] == "fault"]
    assert named, found
    assert wrong.words in named[0]["detail"]
    assert wrong.remedy in named[0]["remedy"]
    said = f"{named[0]['detail']}: {named[0]['remedy']}."
    assert up.exit_code == wrong.code
    assert unmeasured(up.stderr) == unmeasured(f"Error: {said[:1].upper()}{said[1:]}\n")


def test_all_faults_were_taken_back(shell: Shell) -> None:
    test_all_is_well(shell)


def unmeasured(text: str) -> str:
    """Return a sentence without what was measured: each look measures anew."""
    return re.sub(r"\d+\.\d s", "N s", text)


def shell_with(site: Site, changes: Changes) -> Shell:
    settings: dict[str, str | None] = {**site.settings, **changes}
    return Shell({name: value for name, value in settings.items() if value is not None})
