"""Limits of size and marks of unfinished work: what nobody reads, nobody keeps true."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tests.unit.repo.files import PACKAGES, ROOT, own_files, place, python_files, tree_of

FILE_LINES_MAX: Final = 400
FUNCTION_LINES_MAX: Final = 60
#: Spelled in two halves, so that this file does not name what it bans.
UNFINISHED: Final = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X)\b")
#: Foreign texts kept as they came.
FOREIGN: Final = frozenset({"LICENSE", "uv.lock"})


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def test_files_of_the_packages_are_short() -> None:
    long = [
        f"{place(path)}: {length} lines"
        for path in python_files(*PACKAGES)
        if (length := len(path.read_text(encoding="utf-8").splitlines())) > FILE_LINES_MAX
    ]

    assert not long, "\n".join(long)


def test_functions_of_the_packages_are_short() -> None:
    long = [
        f"{place(path, node.lineno)} {node.name}: {length} lines"
        for path in python_files(*PACKAGES)
        for node in functions(path)
        if (length := (node.end_lineno or node.lineno) - node.lineno + 1) > FUNCTION_LINES_MAX
    ]

    assert not long, "\n".join(long)


def test_nothing_is_marked_as_unfinished() -> None:
    marked = [
        place(path, number)
        for path in own_files()
        if path.suffix in {".py", ".md", ".toml", ".json", ".sql", ".jdm"}
        or path.name in {"Makefile", "run"}
        if place(path) not in FOREIGN
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if UNFINISHED.search(line)
    ]

    assert not marked, "\n".join(marked)


def test_every_folder_of_the_packages_is_a_package() -> None:
    """import-linter does not see a folder without __init__.py, so it would go unchecked."""
    folders = {path.parent for path in python_files(*PACKAGES)}
    parents = {parent for folder in folders for parent in (folder, *folder.parents)}
    inside = {each for each in parents if each != ROOT and each.is_relative_to(ROOT)}

    bare = sorted(place(each) for each in inside if not (each / "__init__.py").exists())

    assert not bare, "\n".join(bare)
