"""The bootstrap finds the index that the machine is set up for, and never sends its secret on."""

from pathlib import Path

import pytest

from tools import package_index
from tools.package_index import (
    PUBLIC_INDEX,
    BootstrapError,
    configured_index,
    find_link,
    links_of,
    with_secret_of,
    without_secret,
)

VARIABLES = ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL", "PIP_CONFIG_FILE")


@pytest.fixture(autouse=True)
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without any configuration; returns its pip.conf, which is not there yet."""
    for variable in VARIABLES:
        monkeypatch.delenv(variable, raising=False)
    file = tmp_path / "pip.conf"
    monkeypatch.setattr(package_index, "system_files", lambda: [file])
    return file


def test_without_configuration_it_is_the_public_index() -> None:
    assert configured_index() == PUBLIC_INDEX


def test_pip_conf_names_it(machine: Path) -> None:
    machine.write_text("[global]\nindex-url = https://mirror.example/p%40/simple/\n")

    assert configured_index() == "https://mirror.example/p%40/simple"


def test_a_named_file_wins_over_the_others(
    machine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.write_text("[global]\nindex-url = https://other.example/simple\n")
    named = tmp_path / "named.conf"
    named.write_text("[install]\nindex-url = https://named.example/simple\n")
    monkeypatch.setenv("PIP_CONFIG_FILE", str(named))

    assert configured_index() == "https://named.example/simple"


def test_a_variable_wins_over_files_and_uv_over_pip(
    machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.write_text("[global]\nindex-url = https://file.example/simple\n")
    monkeypatch.setenv("PIP_INDEX_URL", "https://pip.example/simple/")
    assert configured_index() == "https://pip.example/simple"

    monkeypatch.setenv("UV_DEFAULT_INDEX", "company=https://uv.example/simple")
    assert configured_index() == "https://uv.example/simple"


@pytest.mark.parametrize(
    "page",
    [
        b'{"files": [{"url": "a.whl"}, {"url": "b.whl"}]}',
        b'<html><a name="x">?</a><a href="a.whl">a</a><a href="b.whl">b</a></html>',
    ],
)
def test_both_forms_of_a_page_are_read(page: bytes) -> None:
    assert links_of(page) == ["a.whl", "b.whl"]


def test_a_link_is_found_relative_and_with_the_secret_of_its_own_host(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    page = b'<a href="../../f/x-1+c.whl.metadata">m</a><a href="../../f/x-1%2Bc.whl#sha256=0">x</a>'
    monkeypatch.setattr(package_index, "download", lambda _url, **_: page)

    link = find_link("https://me:pw@mirror.example/simple", "x", "x-1+c.whl")

    assert link == "https://me:pw@mirror.example/f/x-1%2Bc.whl#sha256=0"


def test_a_missing_wheel_is_said_without_the_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(package_index, "download", lambda _url, **_: b"<html></html>")

    with pytest.raises(BootstrapError) as raised:
        find_link("https://me:pw@mirror.example/simple", "x", "x-1.whl")

    assert str(raised.value) == "https://mirror.example/simple/x/ does not list x-1.whl"


def test_a_secret_stays_with_its_host() -> None:
    page = "https://me:pw@mirror.example/simple/x/"

    assert with_secret_of(page, "https://cdn.example/x.whl") == "https://cdn.example/x.whl"
    assert with_secret_of(page, "https://mirror.example/x") == "https://me:pw@mirror.example/x"
    assert without_secret(page) == "https://mirror.example/simple/x/"
