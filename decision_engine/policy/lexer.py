"""Text to tokens. Every character is understood or refused; nothing is skipped but blanks."""

import re
from typing import Final, Literal, NamedTuple

from decision_engine.policy.findings import short
from decision_engine.policy.limits import EXPRESSION_CHARACTERS, NUMBER_DIGITS
from domain.errors import InvalidInputError

_NAME = r"[A-Za-z_][A-Za-z0-9_]*"
NAME: Final = re.compile(_NAME, re.ASCII)
_TOKEN: Final = re.compile(
    rf"""(?P<blank>[ \t\r\n]+)
    |(?P<number>[0-9]+(?:\.[0-9]+)?)
    |(?P<text>"[^"\\\n]*"|'[^'\\\n]*')
    |(?P<local>\$\.{_NAME}(?:\.{_NAME})*)
    |(?P<name>{_NAME}(?:\.{_NAME})*)
    |(?P<field>\.{_NAME})
    |(?P<symbol>\.\.|==|!=|<=|>=|&&|\|\||\?\?|=>|\*\*|[<>+\-*/()\[\],?:%^!=`#&|;{{}}@$])""",
    re.ASCII | re.VERBOSE,
)
_WORDS: Final = frozenset({"and", "or", "not", "in", "true", "false", "null"})
_REFUSED: Final = {
    "**": "the operator ** (write: ^)",
    "??": "the operator ?? (a default would hide missing data)",
    "&&": "&& (write: and)",
    "||": "|| (write: or)",
    "!": "! (write: not)",
    "=": "= (write: ==)",
    "=>": "a lambda (=>)",
    "`": "a template text (`; join texts with +, numbers with string())",
    "&": "the operator &",
    "|": "the operator |",
    ";": "a second statement (;)",
    "{": "an object ({; objects come from inputs only)",
    "}": "an object (}; objects come from inputs only)",
    "@": "the operator @",
    "$": "$ alone (write $.key, in an expression node)",
}

TokenKind = Literal["number", "text", "local", "name", "field", "word", "symbol", "end"]
_KINDS: Final[dict[str, TokenKind]] = {
    "number": "number",
    "text": "text",
    "local": "local",
    "name": "name",
    "field": "field",
    "symbol": "symbol",
}


class ExpressionError(InvalidInputError):
    """An expression or a cell that cannot be read; the message names the place."""

    code = "expression"

    def __init__(self, detail: str) -> None:
        super().__init__(short(detail))


class Token(NamedTuple):
    """One token and where it begins (1 is the first character)."""

    kind: TokenKind
    text: str
    position: int


def tokens_of(source: str) -> list[Token]:
    """
    Return the tokens, ended by one of kind `end`.

    Raises:
        ExpressionError: too long, an unknown character, an operator that is not of this language.
    """
    if len(source) > EXPRESSION_CHARACTERS:
        raise ExpressionError(f"the text has more than {EXPRESSION_CHARACTERS} characters")
    tokens: list[Token] = []
    position = 0
    while position < len(source):
        match = _TOKEN.match(source, position)
        if match is None:
            raise ExpressionError(_unreadable(source, position))
        if match.lastgroup != "blank":
            tokens.append(_token(match, tokens))
        position = match.end()
    tokens.append(Token("end", "", len(source) + 1))
    return tokens


def _token(match: re.Match[str], before: list[Token]) -> Token:
    kind, text, position = _KINDS[str(match.lastgroup)], match.group(), match.start() + 1
    if text in _REFUSED:
        raise ExpressionError(f"{_REFUSED[text]} at {position} is not supported")
    if kind == "number" and len(text) > NUMBER_DIGITS:
        raise ExpressionError(f"the number at {position} has more than {NUMBER_DIGITS} digits")
    if kind in ("name", "number", "field") and before and _touches(before[-1], position):
        raise ExpressionError(f"a number is digits with a point, like 1250.75 (at {position})")
    return Token("word" if text in _WORDS else kind, text, position)


def _touches(token: Token, position: int) -> bool:
    """`1e3` and `1_000` would otherwise be a number and a name side by side."""
    return token.kind == "number" and token.position + len(token.text) == position


def _unreadable(source: str, position: int) -> str:
    character = source[position]
    if character in "\"'":
        return f"the text that begins at {position + 1} has no end, or holds a \\ or a line break"
    if character == ".":
        return f"the point at {position + 1} stands alone (write 0.5, not .5)"
    return f"the character U+{ord(character):04X} at {position + 1} is not of this language"
