"""The core imports itself and pure standard modules: an allow-list, because a deny-list forgets."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.unit.repo.files import CORE, ROOT, place, python_files, tree_of

PURE: Final = frozenset({
    "abc", "base64", "bisect", "collections", "collections.abc", "contextlib", "dataclasses",
    "datetime", "decimal", "enum", "fractions", "functools", "hashlib", "heapq", "hmac",
    "itertools", "json", "math", "operator", "re", "string", "struct", "textwrap", "types",
    "typing", "weakref", "zoneinfo",
})  # fmt: skip

#: Who may wait for whom: the files that ask several ports at once or let requests share a batch.
ASYNCIO_FILES: Final = frozenset({
    "consistency/waiting.py",
    "decision_engine/flights.py",
    "decision_engine/gather.py",
    "decision_engine/record/lookup.py",
    "decision_engine/turns.py",
    "domain/group_writer.py",
    "ingestion/project.py",
})  # fmt: skip


def imported(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.lineno, "." * node.level + (node.module or "")


def allowed(path: Path, module: str) -> bool:
    if module == "asyncio":
        return path.relative_to(ROOT).as_posix() in ASYNCIO_FILES
    return module in PURE or module.split(".", maxsplit=1)[0] in CORE


@pytest.mark.parametrize("package", CORE)
def test_the_core_imports_only_itself_and_pure_modules(package: str) -> None:
    foreign = [
        f"{place(path, line)} imports {module}"
        for path in python_files(package)
        for line, module in imported(tree_of(path))
        if not allowed(path, module)
    ]

    assert not foreign, "\n".join(foreign)


@pytest.mark.parametrize(
    "line",
    [
        "import os",
        "import asyncio",
        "import json.tool",
        "from random import choice",
        "from adapters import settings",
        "from . import money",
        "def f():\n    import time",
    ],
)
def test_the_check_bites(line: str) -> None:
    ((_, module),) = imported(ast.parse(line))

    assert not allowed(ROOT / "domain" / "money.py", module)
