"""What an evaluation says: plain values that a decision keeps as evidence."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from decision_engine.policy.document import Effect, OnMissing
from decision_engine.policy.scorecard import Loss
from decision_engine.policy.values import Value

Result = Literal["no_hit", "hit", "not_evaluable", "not_reached"]
#: The two bits of each result, in the bitmap of a decision.
RESULTS: Final[tuple[Result, ...]] = ("no_hit", "hit", "not_evaluable", "not_reached")
NO_HIT: Final = 0
HIT: Final = 1
NOT_EVALUABLE: Final = 2
NOT_REACHED: Final = 3


@dataclass(frozen=True, slots=True)
class RuleResult:
    """
    One rule's result; `not_reached` is that of a rule in a branch that was not taken.

    `missing` names the inputs that made it not evaluable (or, under `no_hit_if_missing`, that made
    it no hit); `on_missing` is what the rule says about that.
    """

    rule_id: str
    code: str
    effect: Effect
    result: Result
    missing: tuple[str, ...] = ()
    on_missing: OnMissing = "refer"

    @property
    def consequence(self) -> Literal["decline", "refer", "reduce"] | None:
        """What this result asks for; None asks for nothing. Never an approval."""
        if self.result == "hit":
            return self.effect
        if self.result != "not_evaluable":
            return None
        return "decline" if self.on_missing == "decline" else "refer"


class _Later:
    """Parts of an evaluation that are worked out when they are first asked for."""

    __slots__ = ("_make", "asks")

    #: The results that ask for something (see `RuleResult.consequence`), in rule order.
    asks: tuple[RuleResult, ...]
    _make: Callable[[str], Any]

    def __getattr__(self, name: str) -> Any:
        if name == "asks":
            value: Any = tuple(result for result in self.results if result.consequence)
        elif name in _PARTS:
            value = self._make(name)
        else:
            raise AttributeError(name)
        object.__setattr__(self, name, value)
        return value


_PARTS: Final = frozenset({"results", "bits", "losses", "uncovered", "missing"})


@dataclass(frozen=True, slots=True)
class Evaluation(_Later):
    """
    The result of one evaluation; equal inputs give equal evaluations.

    `values` has every derived name; None is missing, and then `missing` has the inputs behind it
    (empty when no input is to blame). None without an entry in `missing` was never made: its branch
    was not taken, and nothing that may have been reached asked for it. `results` are in rule order
    and `bits` holds two bits for each (see `unpack`). `uncovered` names the nodes that gave no
    answer: fail closed on it.
    """

    values: Mapping[str, Value | None]
    results: tuple[RuleResult, ...]
    bits: bytes
    losses: tuple[Loss, ...]
    uncovered: tuple[str, ...]
    missing: Mapping[str, tuple[str, ...]]

    @classmethod
    def later(
        cls,
        values: Mapping[str, Value | None],
        asks: tuple[RuleResult, ...],
        make: Callable[[str], Any],
    ) -> "Evaluation":
        """Return an evaluation whose other parts `make` gives, each by its name and once."""
        evaluation = cls.__new__(cls)
        _set_values(evaluation, values)
        _set_asks(evaluation, asks)
        _set_make(evaluation, make)
        return evaluation


_set_values: Final = Evaluation.__dict__["values"].__set__
_set_asks: Final = _Later.__dict__["asks"].__set__
_set_make: Final = _Later.__dict__["_make"].__set__


def pack(codes: bytes) -> bytes:
    """Return two bits per result, four results to a byte, the first in the highest bits."""
    padded = codes + bytes(-len(codes) % 4)
    digits = padded.translate(_DIGITS)
    return int(digits, 4).to_bytes(len(padded) // 4, "big") if digits else b""


def unpack(bits: bytes, count: int) -> tuple[Result, ...]:
    """Return the results that `pack` packed."""
    shifts = (6, 4, 2, 0)
    found = [RESULTS[byte >> shift & 3] for byte in bits for shift in shifts]
    return tuple(found[:count])


_DIGITS: Final = bytes(48 + (code & 3) for code in range(256))
