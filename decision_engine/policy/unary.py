"""Unary tests: a cell about its column's field, read as a full condition."""

from typing import Final

from decision_engine.policy.expression_parser import ADDING, Parser, compare, logic
from decision_engine.policy.lexer import tokens_of
from decision_engine.policy.syntax import Expr, Not

_OPERATORS: Final = frozenset({"==", "!=", "<", "<=", ">", ">="})


def parse_unary(source: str, subject: Expr) -> Expr:
    """
    Read a unary test about the subject.

    Raises:
        ExpressionError: the text is not a test of FORMAT.md section 5.
    """
    return _UnaryParser(source, subject).whole()


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
