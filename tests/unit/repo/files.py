"""The files of the repository, as the tests about it see them."""

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[3]
CORE: Final = ("domain", "decision_engine", "ingestion", "consistency")
PACKAGES: Final = (*CORE, "adapters")


@cache
def own_files() -> tuple[Path, ...]:
    """Return every file that is committed or would be: git's list, without what it ignores."""
    command = ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others"]
    listed = subprocess.run(
        [*command, "--exclude-standard"], capture_output=True, text=True, check=True
    )
    names = sorted({name for name in listed.stdout.split("\0") if name})
    return tuple(path for name in names if (path := ROOT / name).is_file())


def python_files(*folders: str) -> Iterator[Path]:
    """Yield the Python files below some folders of the repository."""
    for path in own_files():
        if path.suffix == ".py" and path.relative_to(ROOT).parts[0] in folders:
            yield path


@cache
def tree_of(path: Path) -> ast.Module:
    """Return the parsed source of a file."""
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def place(path: Path, line: int | None = None) -> str:
    """Return how a message names a place: path within the repository and line."""
    name = path.relative_to(ROOT).as_posix()
    return name if line is None else f"{name}:{line}"
