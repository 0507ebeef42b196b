"""Unary tests: a cell about its column's field, read as a full condition."""

import re
from decimal import Decimal
from typing import Final

from decision_engine.policy.expression_parser import ADDING, Parser, compare, logic
from decision_engine.policy.lexer import tokens_of
from decision_engine.policy.limits import NUMBER_DIGITS
from decision_engine.policy.syntax import Expr, Literal, Not, Ref, Within

_OPERATORS: Final = frozenset({"==", "!=", "<", "<=", ">", ">="})
_RANGE: Final = re.compile(r"([\[(])([0-9]+(?:\.[0-9]+)?)\.\.([0-9]+(?:\.[0-9]+)?)([\])])")


def parse_unary(source: str, subject: Expr) -> Expr:
    """
    Read a unary test about the subject.

    Raises:
        ExpressionError: the text is not a test of FORMAT.md section 5.
    """
    return _plain_range(source, subject) or _UnaryParser(source, subject).whole()


def _plain_range(source: str, subject: Expr) -> Expr | None:
    """Return what the parser would: big tables are full of such cells, and this is much faster."""
    found = _RANGE.fullmatch(source)
    if found is None or not isinstance(subject, Ref):
        return None
    opened, low, high, closed = found.groups()
    if max(len(low), len(high)) > NUMBER_DIGITS:
        return None
    ends = Literal(Decimal(low)), Literal(Decimal(high))
    return Within(subject, *ends, low_closed=opened == "[", high_closed=closed == "]")


class _UnaryParser(Parser):
    def __init__(self, source: str, subject: Expr) -> None:
        super().__init__(tokens_of(source), None)
        self._subject = subject

    def whole(self) -> Expr:
        """Read everything as tests joined by `or` and commas."""
        test = self._all_of()
        while self.take("or") or self.take(","):
            test = logic("or", test, self._all_of())
        self.finish(test)
        return test

    def _all_of(self) -> Expr:
        test = self._test()
        while self.take("and"):
            test = logic("and", test, self._test())
        return test

    def _test(self) -> Expr:
        if self.token.text in _OPERATORS and self.token.kind == "symbol":
            return compare(self.advance().text, self._subject, self.operation(ADDING))
        if self.take("not"):
            self.expect("in")
            return Not(self.membership(self._subject))
        if self.take("in"):
            return self.membership(self._subject)
        if self.is_range():
            return self.range_of(self._subject)
        if self.token.text == "[":
            return self.membership(self._subject)
        return compare("==", self._subject, self.operation(ADDING))
