"""The repository stands alone: no file points at one machine, its neighbours or its mirrors."""

import re
from typing import Final

import pytest

from tests.unit.repo.files import ROOT, own_files, place

#: Each is spelled so that this file does not contain what it looks for.
FOREIGN: Final = {
    "a folder beside the repository": re.compile(r"\.\./+sha" + r"red\b"),
    "a path of one machine": re.compile(
        r"(?<![\w.$}])/(?:wo" + r"rk|ro" + r"ot|ho" + r"me/\w+|Us" + r"ers/\w+)/\w"
    ),
}
#: The only hosts that the lock may name.
LOCK_HOSTS: Final = {"pypi.org", "files.pythonhosted.org"}


def texts() -> dict[str, str]:
    found = {}
    for path in own_files():
        try:
            found[place(path)] = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
    return found


@pytest.mark.parametrize("what", sorted(FOREIGN))
def test_no_file_names(what: str) -> None:
    lines = [
        f"{name}:{number}: {line.strip()[:120]}"
        for name, text in texts().items()
        for number, line in enumerate(text.splitlines(), start=1)
        if FOREIGN[what].search(line)
    ]

    assert not lines, "\n".join(lines)


def test_the_lock_names_the_public_index_only() -> None:
    hosts = set(re.findall(r"https?://([^/\"]+)", (ROOT / "uv.lock").read_text()))

    assert hosts == LOCK_HOSTS


def test_every_ignored_lint_rule_has_its_reason() -> None:
    text = (ROOT / "pyproject.toml").read_text()
    ignored = text.partition("\nignore = [\n")[2].partition("\n]")[0].splitlines()

    assert ignored
    assert [line for line in ignored if not re.search(r",\s+# \w.{10,}", line)] == []
