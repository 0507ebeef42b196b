"""Reading JSON objects strictly: each fault is noted, and reading goes on with a harmless value."""

import re
from collections.abc import Iterable
from typing import Any, Final

from decision_engine.policy.expression_parser import parse_expression
from decision_engine.policy.findings import Notes
from decision_engine.policy.lexer import ExpressionError
from decision_engine.policy.limits import NAME_CHARACTERS, NAME_PARTS, ROWS
from decision_engine.policy.syntax import Expr

LATER: Final = "is not supported by this version"
NAME: Final = re.compile(rf"[A-Za-z_][A-Za-z0-9_]{{0,{NAME_CHARACTERS - 1}}}", re.ASCII)
DOTTED: Final = re.compile(rf"{NAME.pattern}(?:\.{NAME.pattern}){{0,{NAME_PARTS - 1}}}", re.ASCII)
ROW_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)


def object_of(value: Any, what: str, notes: Notes) -> dict[str, Any]:
    """Return the object, or an empty one and a finding."""
    if isinstance(value, dict):
        return value
    notes.error(f"{what} must be an object")
    return {}


def objects_of(value: Any, what: str, notes: Notes) -> list[dict[str, Any]]:
    """Return the objects of a list; what is not an object is noted and left out."""
    if not isinstance(value, list):
        notes.error(f"{what} must be a list")
        return []
    if len(value) > ROWS:
        notes.error(f"{what} must be a list of at most {ROWS}")
        return []
    return [object_of(item, f"each of {what}", notes) for item in value]


def only(record: dict[str, Any], allowed: Iterable[str], what: str, notes: Notes) -> None:
    """Note every field that is not allowed, by its name."""
    for name in sorted(set(record) - set(allowed)):
        notes.error(f'{what} has the unknown field "{name}"')


def text_of(record: dict[str, Any], name: str, what: str, notes: Notes) -> str:
    """Return a text that must be there and not be blank."""
    value = record.get(name)
    if isinstance(value, str) and value.strip():
        return value
    notes.error(f'{what} needs "{name}", a text')
    return ""


def whole_of(value: Any, what: str, low: int, high: int, notes: Notes) -> int:
    """Return a whole number inside the limits, else `low` and a finding."""
    if type(value) is int and low <= value <= high:
        return value
    notes.error(f"{what} must be a whole number from {low} to {high}")
    return low


def words_of(value: Any, what: str, notes: Notes) -> tuple[str, str]:
    """Return a text in pt-BR and en: one text for both, or an object with both."""
    if isinstance(value, str) and value.strip():
        return value, value
    if isinstance(value, dict) and set(value) == {"pt-BR", "en"}:
        texts = (value["pt-BR"], value["en"])
        if all(isinstance(text, str) and text.strip() for text in texts):
            return texts
    notes.error(f'{what} must be a text, or an object with "pt-BR" and "en"')
    return "", ""


def expression_of(source: Any, notes: Notes, local_prefix: str | None = None) -> Expr | None:
    """Return the parsed expression, or None and a finding."""
    if not isinstance(source, str) or not source.strip():
        notes.error("an expression must be a text that is not empty")
        return None
    try:
        return parse_expression(source, local_prefix)
    except ExpressionError as error:
        notes.error(f"syntax: {error.detail}")
        return None


def dotted(value: Any, what: str, notes: Notes) -> str:
    """Return a dotted name; anything else is noted."""
    if isinstance(value, str) and DOTTED.fullmatch(value) is not None:
        return value
    notes.error(f"{what} must be a dotted name: letters, digits and _")
    return ""
