"""What generated source may consist of: a list of everything allowed, and nothing else."""

import ast
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pytest

from decision_engine.policy import codegen
from decision_engine.policy.evaluation import RuleResult
from decision_engine.policy.run import NoAnswerError

#: No attribute, no text, no import, no lambda, no keyword argument.
ALLOWED = (
    *(ast.Module, ast.FunctionDef, ast.arguments, ast.arg, ast.Return, ast.Assign, ast.Pass),
    *(ast.Name, ast.Load, ast.Store, ast.Subscript, ast.Constant, ast.Call, ast.Tuple, ast.IfExp),
    *(ast.Compare, ast.BoolOp, ast.And, ast.Or, ast.UnaryOp, ast.Not, ast.In, ast.NotIn),
    *(ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Is),
    *(ast.ListComp, ast.GeneratorExp, ast.comprehension),
    # Of whole nodes and of all inputs at once: tests, operators of numbers, the way out.
    *(ast.If, ast.Raise, ast.BinOp, ast.Add, ast.Sub, ast.Mult, ast.BitOr, ast.List, ast.Dict),
)
ITEM = re.compile(r"item_[0-9]+")
#: A value between the steps of one function: a local variable.
LOCAL = re.compile(r"[rv][0-9]+|asks")
ARGUMENTS = frozenset({"facts", "codes", "made"})
CONSTANT = re.compile(r"constant_[0-9]+")
DANGEROUS = frozenset(
    {"eval", "exec", "open", "compile", "getattr", "setattr", "vars", "globals", "type", "print"}
    | {"__import__", "input", "breakpoint", "locals", "dir", "object", "delattr", "super"}
)


@dataclass
class Seen:
    """Every source that was compiled, with the names that it could use."""

    sources: list[str] = field(default_factory=list)

    def compile(self, source: str, file: str, mode: str) -> Any:
        self.sources.append(source)
        return compile(source, file, mode)

    def execute(self, code: Any, namespace: dict[str, Any]) -> None:
        check_namespace(namespace)
        check_source(self.sources[-1], namespace)
        exec(code, namespace)  # noqa: S102 - only after the source was checked


@contextmanager
def checked_sources(monkeypatch: pytest.MonkeyPatch) -> Iterator[Seen]:
    """Check all source that is generated inside."""
    seen = Seen()
    with monkeypatch.context() as patch:
        patch.setattr(codegen, "compile", seen.compile, raising=False)
        patch.setattr(codegen, "exec", seen.execute, raising=False)
        yield seen


def check_source(source: str, names: Mapping[str, Any]) -> None:
    """Parse a source and refuse every kind of node and every name that is not expected."""
    tree = ast.parse(source)
    (function,) = tree.body
    assert isinstance(function, ast.FunctionDef)
    assert function.name == "run"
    for node in ast.walk(tree):
        assert type(node) in ALLOWED, f"{type(node).__name__} in {source}"
        _check_node(node, names)


def _check_node(node: ast.AST, names: Mapping[str, Any]) -> None:
    match node:
        case ast.arg():
            assert node.arg in ARGUMENTS
        case ast.Name():
            ours = node.id in ARGUMENTS or ITEM.fullmatch(node.id) or LOCAL.fullmatch(node.id)
            assert ours or node.id in names
            assert node.id not in DANGEROUS
            assert not node.id.startswith("__")
        case ast.Constant():
            assert type(node.value) in (int, bool, type(None))
        case ast.FunctionDef():
            assert not node.decorator_list
        case _:
            _check_whole(node, names)


def _check_whole(node: ast.AST, names: Mapping[str, Any]) -> None:
    """Check what is made of other nodes."""
    match node:
        case ast.Subscript():
            assert isinstance(node.value, ast.Name)
            assert node.value.id in ARGUMENTS
            assert isinstance(node.slice, ast.Constant)
        case ast.Call():
            assert isinstance(node.func, ast.Name)
            assert callable(names[node.func.id])
            assert not node.keywords
        case ast.Assign(targets=targets):
            assert all(map(_is_place, targets))
        case ast.comprehension():
            assert isinstance(node.target, ast.Name)
            assert ITEM.fullmatch(node.target.id)
            assert not node.is_async
        case ast.Raise():
            assert isinstance(node.exc, ast.Name)
            assert names[node.exc.id] is NoAnswerError
            assert node.cause is None


def _is_place(target: ast.expr) -> bool:
    """Tell whether this is a place among the facts or codes, a local variable, or some of those."""
    if isinstance(target, ast.Tuple):
        return all(map(_is_place, target.elts))
    if isinstance(target, ast.Name):
        return LOCAL.fullmatch(target.id) is not None
    return isinstance(target, ast.Subscript)


def check_namespace(namespace: Mapping[str, Any]) -> None:
    """Names are helpers or numbered constants; there are no builtins."""
    assert namespace["__builtins__"] == {}
    for name, value in namespace.items():
        if CONSTANT.fullmatch(name):
            _check_constant(value)
        elif name != "__builtins__":
            assert callable(value), name
            assert getattr(value, "__name__", "") not in DANGEROUS


def _check_constant(value: Any) -> None:
    if isinstance(value, frozenset | tuple):
        for item in value:
            _check_constant(item)
    else:
        assert type(value) in (Decimal, int, str, bool, RuleResult)
