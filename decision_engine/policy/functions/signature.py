"""What every function of the language declares."""

from collections.abc import Callable
from typing import Any, NamedTuple

from decision_engine.policy.kinds import Kind, ListOf

#: The kind of the result for these kinds of arguments; None when they do not fit.
Rule = Callable[[tuple[Kind, ...]], Kind | None]

NUMBERS = ListOf("number")
TEXTS = ListOf("string")


class NoResultError(ArithmeticError):
    """A function has no value for its arguments: the expression is missing."""


class Function(NamedTuple):
    """
    One function of the language.

    `takes` names its arguments for a person, `gives` is its typing rule, and `run` computes it from
    values of those kinds: exactly, or it raises `ArithmeticError`.
    """

    name: str
    takes: str
    gives: Rule
    run: Callable[..., Any]


def form(*parameters: Kind, gives: Kind) -> Rule:
    """Return the rule of one list of parameters."""
    return lambda kinds: gives if kinds == parameters else None


def either(*rules: Rule) -> Rule:
    """Return the rule that takes what one of several rules takes."""

    def rule(kinds: tuple[Kind, ...]) -> Kind | None:
        return next((found for one in rules if (found := one(kinds)) is not None), None)

    return rule
