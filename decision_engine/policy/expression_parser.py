"""Tokens to a syntax tree: precedence climbing, bounded in depth."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from decision_engine.policy.functions.refused import sentence_of, why_refused
from decision_engine.policy.functions.registry import FUNCTIONS
from decision_engine.policy.lexer import ExpressionError, Token, tokens_of
from decision_engine.policy.limits import EXPRESSION_DEPTH, EXPRESSION_PARTS, SCALE
from decision_engine.policy.syntax import (
    Arithmetic,
    Call,
    Choice,
    Closing,
    Compare,
    Each,
    Expr,
    FieldOf,
    Index,
    Item,
    Items,
    Literal,
    Logic,
    Member,
    Not,
    NullTest,
    Quotient,
    Ref,
    Rounded,
    Slice,
    Within,
    walk,
)

_COMPARISONS: Final = frozenset({"==", "!=", "<", "<=", ">", ">="})
_STRENGTH: Final = {
    "or": 1,
    "and": 2,
    **dict.fromkeys((*_COMPARISONS, "in", "not"), 3),
    "+": 4,
    "-": 4,
    **dict.fromkeys("*/%", 5),
    "^": 6,
}
#: What a power is made of is read from right to left: 2 ^ 3 ^ 2 is 2 ^ 9.
_RIGHT: Final = "^"
COMPARING: Final = 3
ADDING: Final = 4
_CLOSING: Final[Mapping[str, Closing]] = {
    "map": "map",
    "flatMap": "flatMap",
    "filter": "filter",
    "some": "some",
    "all": "all",
    "none": "none",
    "one": "one",
    "count": "count",
}


def parse_expression(source: str, local_prefix: str | None = None) -> Expr:
    """
    Read one expression; `local_prefix` is what `$.` stands for, None where it is not allowed.

    Raises:
        ExpressionError: the text is not an expression of FORMAT.md section 3.
    """
    return Parser(tokens_of(source), local_prefix).whole()


class Parser:
    """One pass over the tokens of one expression."""

    def __init__(self, tokens: list[Token], local_prefix: str | None) -> None:
        self._tokens = tokens
        self._next = 0
        self._depth = 0
        self._closures = 0
        self._local_prefix = local_prefix

    @property
    def token(self) -> Token:
        """The token that comes next."""
        return self._tokens[self._next]

    def whole(self) -> Expr:
        """Read everything as one expression."""
        expr = self.expression()
        self.finish(expr)
        return expr

    def finish(self, expr: Expr) -> None:
        """Refuse what is left over and what stands where it may not."""
        if self.token.kind != "end":
            raise ExpressionError(f'unexpected "{self.token.text}" at {self.token.position}')
        for count, (node, depth) in enumerate(walk(expr), 1):
            if count > EXPRESSION_PARTS:
                raise ExpressionError(f"the expression has more than {EXPRESSION_PARTS} parts")
            if depth > EXPRESSION_DEPTH:
                raise ExpressionError(f"the expression is nested deeper than {EXPRESSION_DEPTH}")
            if isinstance(node, NullTest) and not node.name:
                raise ExpressionError("null can only be compared: x == null, x != null")

    def expression(self) -> Expr:
        """Read a ternary or anything tighter."""
        self._depth += 1
        if self._depth > EXPRESSION_DEPTH:
            raise ExpressionError(f"the expression is nested deeper than {EXPRESSION_DEPTH}")
        expr = self.operation(1)
        if self.take("?"):
            yes = self.expression()
            self.expect(":")
            expr = Choice(expr, yes, self.expression())
        self._depth -= 1
        return expr

    def operation(self, strength: int) -> Expr:
        """Read operators that bind at least this tightly."""
        left = self._unary()
        while (found := _STRENGTH.get(self.token.text, 0)) >= strength and self._is_operator():
            token = self.advance()
            if found == COMPARING:
                left = self._comparison(token, left)
            else:
                step = token.text != _RIGHT
                left = _join(token.text, left, self.operation(found + step))
        return left

    def advance(self) -> Token:
        """Return the next token and step over it."""
        token = self.token
        self._next += token.kind != "end"
        return token

    def take(self, text: str) -> bool:
        """Step over the next token when it is this symbol or word."""
        found = self.token.text == text and self.token.kind in ("symbol", "word")
        self._next += found
        return found

    def expect(self, text: str) -> None:
        """Step over this symbol or refuse."""
        if not self.take(text):
            raise ExpressionError(f'"{text}" is missing at {self.token.position}')

    def membership(self, subject: Expr) -> Expr:
        """Read what follows `in`: a range, or a list, written out or any expression."""
        if self.is_range():
            return self.range_of(subject)
        if self.take("["):
            return Member(subject, self._items("]"))
        return Call("contains", (self.operation(ADDING), subject))

    def is_range(self) -> bool:
        """Tell whether the bracket that comes next opens a range `a..b`."""
        level = 0
        for token in self._tokens[self._next :]:
            if token.kind == "symbol":
                level += (token.text in "[(") - (token.text in "])")
                if token.text == ".." and level == 1:
                    return True
            if level == 0:
                return False
        return False

    def range_of(self, subject: Expr) -> Expr:
        """Read a range about the subject."""
        low_closed = self.advance().text == "["
        low = self.operation(ADDING)
        self.expect("..")
        high = self.operation(ADDING)
        high_closed = self.take("]")
        if not high_closed and not self.take(")"):
            raise ExpressionError(f"the range has no end, ] or ), at {self.token.position}")
        return Within(subject, low, high, low_closed, high_closed)

    def _is_operator(self) -> bool:
        if self.token.text == "not":
            return self._tokens[self._next + 1].text == "in"
        return self.token.kind in ("symbol", "word")

    def _comparison(self, token: Token, left: Expr) -> Expr:
        if isinstance(left, Compare | Member | Within | NullTest) and not _is_null(left):
            raise ExpressionError(f"comparisons do not chain (at {token.position}): use and")
        if token.text == "in":
            return self.membership(left)
        if token.text == "not":
            self.expect("in")
            return Not(self.membership(left))
        return compare(token.text, left, self.operation(ADDING))

    def _unary(self) -> Expr:
        self._depth += 1
        if self._depth > EXPRESSION_DEPTH:
            raise ExpressionError(f"the expression is nested deeper than {EXPRESSION_DEPTH}")
        expr = self._signed()
        self._depth -= 1
        return expr

    def _signed(self) -> Expr:
        if self.take("not"):
            return Not(self._unary())
        if not self.take("-"):
            return self._postfix(self._primary())
        operand = self._unary()
        if isinstance(operand, Literal) and type(operand.value) is Decimal:
            return Literal(operand.value.copy_negate() if operand.value else operand.value)
        return Arithmetic("-", Literal(Decimal(0)), operand)

    def _postfix(self, expr: Expr) -> Expr:
        """Read the indices, slices and fields of a value; a literal has none."""
        while not isinstance(expr, Literal):
            if self.token.kind == "field" and not isinstance(expr, Ref):
                expr = FieldOf(expr, self.advance().text.removeprefix("."))
            elif self.take("["):
                expr = self._element(expr)
            else:
                break
        return expr

    def _element(self, subject: Expr) -> Expr:
        if self.take(":"):
            return Slice(subject, None, self._last())
        first = self.expression()
        if self.take(":"):
            return Slice(subject, first, self._last())
        self.expect("]")
        if isinstance(first, Literal) and isinstance(first.value, str):
            return FieldOf(subject, first.value)
        return Index(subject, first)

    def _last(self) -> Expr | None:
        last = None if self.token.text == "]" else self.expression()
        self.expect("]")
        return last

    def _primary(self) -> Expr:
        token = self.advance()
        if token.kind == "number":
            return Literal(Decimal(token.text))
        if token.kind == "text":
            return Literal(token.text[1:-1])
        if token.kind == "local":
            return self._local(token)
        if token.kind == "name":
            return self._call(token) if self.take("(") else Ref(token.text)
        return self._bracket_or_word(token)

    def _bracket_or_word(self, token: Token) -> Expr:
        if token.text == "(":
            expr = self.expression()
            self.expect(")")
            return expr
        if token.text == "[":
            return Items(self._items("]"))
        if token.text == "#":
            return self._item(token)
        if token.text in ("true", "false"):
            return Literal(token.text == "true")
        if token.text == "null":
            return NullTest("", negated=False)
        if token.kind == "end":
            raise ExpressionError("the expression ends too early")
        raise ExpressionError(f'unexpected "{token.text}" at {token.position}')

    def _local(self, token: Token) -> Expr:
        if self._local_prefix is None:
            raise ExpressionError("$. is for expression nodes only")
        return Ref(self._local_prefix + token.text.removeprefix("$."), local=True)

    def _item(self, token: Token) -> Expr:
        if not self._closures:
            raise ExpressionError(
                f"# at {token.position} stands outside a closure: map(list, # * 2)"
            )
        return Item()

    def _call(self, token: Token) -> Expr:
        name = token.text
        if name == "round":
            return self._round()
        if name in _CLOSING:
            return self._each(_CLOSING[name])
        if name not in FUNCTIONS:
            raise ExpressionError(sentence_of(name))
        arguments = () if self.take(")") else self._items(")")
        if reason := why_refused(name, arguments):
            raise ExpressionError(reason)
        return Call(name, arguments)

    def _each(self, function: Closing) -> Expr:
        subject = self.expression()
        if self.token.text == "as":
            raise ExpressionError("a name for the element (as) is not supported: write #")
        self.expect(",")
        self._closures += 1
        body = self.expression()
        self._closures -= 1
        self.expect(")")
        return Each(function, subject, body)

    def _round(self) -> Expr:
        value = self.expression()
        digits = self._digits() if self.take(",") else 0
        self.expect(")")
        if isinstance(value, Quotient) and value.digits is None:
            return Quotient(value.dividend, value.divisor, digits)
        return Rounded(value, digits)

    def _digits(self) -> int:
        token = self.advance()
        if token.kind != "number" or not token.text.isdigit() or int(token.text) > SCALE:
            raise ExpressionError(f"round takes a literal number of decimals, 0 to {SCALE}")
        return int(token.text)

    def _items(self, end: str) -> tuple[Expr, ...]:
        items = [self.expression()]
        while self.take(","):
            items.append(self.expression())
        self.expect(end)
        return tuple(items)


def compare(operator: Any, left: Expr, right: Expr) -> Expr:
    """Return a comparison, or the null test that it stands for."""
    if _is_null(left):
        left, right = right, left
    if not _is_null(right):
        return Compare(operator, left, right)
    if operator not in ("==", "!=") or not isinstance(left, Ref):
        raise ExpressionError("null can only be compared with an input: x == null, x != null")
    return NullTest(left.name, negated=operator == "!=")


def _is_null(expr: Expr) -> bool:
    return isinstance(expr, NullTest) and not expr.name


def _join(operator: Any, left: Expr, right: Expr) -> Expr:
    if operator == "/":
        return Quotient(left, right, None)
    if operator in ("and", "or"):
        return logic(operator, left, right)
    return Arithmetic(operator, left, right)


def logic(operator: Any, left: Expr, right: Expr) -> Expr:
    """Join two conditions; a run of one operator stays flat, so that it is not deep."""
    before = left.conditions if isinstance(left, Logic) and left.operator == operator else (left,)
    return Logic(operator, (*before, right))
