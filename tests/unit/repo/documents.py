"""Reads the tables of docs/brief.md and docs/names.md, and resolves the places they name."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.unit.repo.files import ROOT, own_files, tree_of

#: The issues that work may be planned for; "foundation" is what is there.
ISSUES: Final = frozenset({
    "policy engine", "book", "ledger on MySQL", "hot and wide stores", "ingestion", "sagas",
    "reconciliation", "infrastructure", "operations",
})  # fmt: skip

REASON_LENGTH_MIN: Final = 15
NOTE: Final = r"(?: \([^()]+\))?"
LATER: Final = re.compile(rf"later: ([\w ]+?){NOTE}")
NOT_TAKEN: Final = re.compile(r"not taken: (.+)", re.DOTALL)
PLACE: Final = re.compile(rf"`([^`]+)`{NOTE}")


@dataclass(frozen=True, slots=True)
class Line:
    """One row of a table: its first cell, and the clauses of its last cell."""

    key: str
    clauses: tuple[str, ...]


def lines_of(document: Path) -> Iterator[Line]:
    """Yield the rows of every table with three columns, without the heads."""
    for text in document.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in text.strip().strip("|").split(" | ")]
        if not text.startswith("| ") or len(cells) != 3 or cells[0] in {"ids", "name in the brief"}:
            continue
        # A reason may hold a semicolon, so only one before a known beginning separates clauses.
        clauses = re.split(r";\s+(?=`|later:|not taken:)", cells[2])
        yield Line(cells[0], tuple(clauses))


def fault_of(clause: str) -> str:
    """Return what is wrong with one clause; nothing when it is true."""
    if later := LATER.fullmatch(clause):
        return "" if later[1] in ISSUES else f"unknown issue: {later[1]}"
    if reason := NOT_TAKEN.fullmatch(clause):
        return "" if len(reason[1]) >= REASON_LENGTH_MIN else f"no reason: {clause}"
    if place := PLACE.fullmatch(clause):
        return "" if resolves(place[1]) else f"not there: {place[1]}"
    return f"neither a place nor later nor not taken: {clause}"


def resolves(place: str) -> bool:
    """
    Tell whether `path`, `path:Name`, `path:Name.attribute` or `path:"text"` is there.

    A folder counts when it holds more than the files that make it a package.
    """
    name, _, inside = place.partition(":")
    path = ROOT / name
    if path.is_dir():
        return any(f.is_relative_to(path) and f.name != "__init__.py" for f in own_files())
    if not inside or not path.exists():
        return path.exists()
    if inside.startswith('"'):
        return inside.strip('"') in texts_in(path)
    return defines(tree_of(path), inside.split("."))


def texts_in(path: Path) -> set[str]:
    """Return every string constant of a Python file."""
    constants = (node for node in ast.walk(tree_of(path)) if isinstance(node, ast.Constant))
    return {node.value for node in constants if isinstance(node.value, str)}


def defines(scope: ast.AST, names: list[str]) -> bool:
    """Tell whether a module or class defines the first name, and that one the next."""
    for node in getattr(scope, "body", []):
        if names[0] in names_of(node):
            return len(names) == 1 or defines(node, names[1:])
    return False


def names_of(node: ast.stmt) -> set[str]:
    """Return the names that one statement binds."""
    if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        return {node.name}
    if isinstance(node, ast.Assign):
        return {target.id for target in node.targets if isinstance(target, ast.Name)}
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        return {node.target.id}
    return set()
