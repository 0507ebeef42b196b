"""The operators of arithmetic and the helpers of generated code, each exact or an error."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final

from decision_engine.policy.functions.numbers import power, remainder
from decision_engine.policy.functions.texts import joined
from decision_engine.policy.values import EXACT


def plus(left: Any, right: Any) -> Decimal | str:
    """Return the sum of two numbers, or two texts joined: for operands not known to be numbers."""
    return joined(left, right) if type(left) is str else EXACT.add(left, right)


ARITHMETIC: Final[Mapping[str, Callable[[Any, Any], Any]]] = {
    "+": plus,
    "-": EXACT.subtract,
    "*": EXACT.multiply,
    "%": remainder,
    "^": power,
}
