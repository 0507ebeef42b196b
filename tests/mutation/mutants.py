"""
Small faults, one at a time: what a careless edit of a module could have changed.

A mutant has a name that survives edits elsewhere: file, function, and the code before and after.
"""

import ast
import copy
import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

Alternatives = Iterator[tuple[ast.AST, ast.AST]]

_COMPARED: Final[dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]]] = {
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
_CALCULATED: Final[dict[type[ast.operator], type[ast.operator]]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.Pow: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Add,
    ast.BitAnd: ast.BitOr,
    ast.RShift: ast.LShift,
}
_FUNCTIONS: Final = (ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(frozen=True, slots=True)
class Mutant:
    """One fault of one function."""

    file: str
    function: str
    change: str
    line: int
    tree: ast.Module
    old: ast.AST
    new: ast.AST

    @property
    def code(self) -> str:
        """The whole module with the fault; the tree itself stays as it is."""
        changed = copy.deepcopy(self.tree, {id(self.old): self.new})
        return ast.unparse(ast.fix_missing_locations(changed))

    @property
    def name(self) -> str:
        """What the list of survivors calls it."""
        return f"{self.file} {self.function}: {self.change}"


def file_of(path: Path) -> str:
    """Return a module's name inside the package: `run.py`, `functions/dates.py`."""
    return f"functions/{path.name}" if path.parent.name == "functions" else path.name


def mutants_of(path: Path) -> list[Mutant]:
    """Return every mutant of a module, in the order of its lines."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found: list[Mutant] = []
    names: Counter[tuple[str, str]] = Counter()
    for function, node in list(_places(tree, "")):
        for old, new in _alternatives(node):
            change = f"{_short(old)} -> {_short(new)}"
            names[function, change] += 1
            if names[function, change] > 1:
                change += f" (number {names[function, change]})"
            line = getattr(old, "lineno", 0)
            found.append(Mutant(file_of(path), function, change, line, tree, old, new))
    return found


def functions_of(path: Path) -> dict[str, str]:
    """Return a hash of each function's code, without its place and its docstring."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    texts: dict[str, list[str]] = {}
    for function, node in _places(tree, ""):
        texts.setdefault(function, []).append(ast.dump(node))
    return {
        name: hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
        for name, parts in texts.items()
    }


def _places(tree: ast.AST, prefix: str) -> Iterator[tuple[str, ast.AST]]:
    """Yield the statements that run, each with the function, class or module it belongs to."""
    body: list[ast.stmt] = getattr(tree, "body", [])
    for statement in body:
        if isinstance(statement, ast.ClassDef):
            yield from _places(statement, f"{prefix}{statement.name}.")
        elif isinstance(statement, _FUNCTIONS):
            for inner in statement.body[_has_docstring(statement) :]:
                yield f"{prefix}{statement.name}", inner
        elif isinstance(statement, ast.AnnAssign) and statement.value is not None:
            yield prefix.rstrip(".") or "(module)", statement


def _has_docstring(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return ast.get_docstring(function, clean=False) is not None


def _alternatives(node: ast.AST) -> Alternatives:
    yield from _statements(node)
    yield from _operators(node)
    yield from _values(node)
    for child in _running_children(node):
        yield from _alternatives(child)


def _running_children(node: ast.AST) -> Iterator[ast.AST]:
    """What is evaluated: annotations, patterns and the types of `isinstance` are not mutated."""
    if isinstance(node, ast.AnnAssign):
        children: list[ast.AST | None] = [node.value]
    elif isinstance(node, _FUNCTIONS):
        children = list(node.body)
    elif isinstance(node, ast.match_case):
        children = [node.guard, *node.body]
    elif isinstance(node, ast.JoinedStr):
        children = [part for part in node.values if isinstance(part, ast.FormattedValue)]
    elif isinstance(node, ast.Call) and getattr(node.func, "id", "") == "isinstance":
        children = [node.args[0]]
    else:
        children = list(ast.iter_child_nodes(node))
    yield from (child for child in children if child is not None)


def _statements(node: ast.AST) -> Alternatives:
    match node:
        case ast.Return(value=ast.expr()) if not _is_none(node.value):
            yield node, ast.Return(ast.Constant(None))
        case ast.Expr() | ast.Assign() | ast.AugAssign() | ast.Raise():
            yield node, ast.Pass()
        case ast.If() | ast.While():
            changed = copy.copy(node)
            changed.test = ast.UnaryOp(ast.Not(), node.test)
            yield node, changed
        case ast.Break():
            yield node, ast.Continue()
        case ast.Continue():
            yield node, ast.Break()


def _operators(node: ast.AST) -> Alternatives:
    match node:
        case ast.Compare():
            for index, operator in enumerate(node.ops):
                for other in _COMPARED[type(operator)]:
                    ops = [*node.ops[:index], other(), *node.ops[index + 1 :]]
                    yield node, ast.Compare(node.left, ops, node.comparators)
        case ast.BoolOp():
            yield (
                node,
                ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values),
            )
        case ast.BinOp() if type(node.op) in _CALCULATED:
            yield node, ast.BinOp(node.left, _CALCULATED[type(node.op)](), node.right)
        case ast.UnaryOp():
            yield node, node.operand
        case ast.IfExp():
            yield node, ast.IfExp(node.test, node.orelse, node.body)


def _values(node: ast.AST) -> Alternatives:
    match node:
        case ast.Constant(value=bool() as value):
            yield node, ast.Constant(not value)
        case ast.Constant(value=int() as value):
            yield node, ast.Constant(value + 1)
            yield node, ast.Constant(value - 1)
        case ast.Constant(value=str() as value):
            yield node, ast.Constant(value + "?")
        case ast.Call(args=[first, second, *rest]) if _can_swap(first, second):
            yield node, ast.Call(node.func, [second, first, *rest], node.keywords)


def _can_swap(first: ast.expr, second: ast.expr) -> bool:
    starred = any(isinstance(node, ast.Starred) for node in (first, second))
    return not starred and ast.dump(first) != ast.dump(second)


def _is_none(node: ast.AST | None) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _short(node: ast.AST) -> str:
    """The first line of a node's code: enough to know it by."""
    if isinstance(node, ast.If | ast.While):
        return f"if {ast.unparse(node.test)}"
    return ast.unparse(node).partition("\n")[0]
