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


class Evaluation:
    """
    The result of one evaluation; equal inputs give equal evaluations.

    `values` has every derived name; None is missing, and then `missing` has the inputs behind it
    (empty when no input is to blame). None without an entry in `missing` was never made: its branch
    was not taken, and nothing that may have been reached asked for it. `results` are in rule order
    and `bits` holds two bits for each (see `unpack`). `uncovered` names the nodes that gave no
    answer: fail closed on it. `asks` are the results that ask for something (see
    `RuleResult.consequence`), in rule order.

    Parts are worked out when they are first asked for: most evaluations are asked for few.
    """

    __slots__ = ("_asks", "_found", "_part", "_parts", "_values")

    def __init__(
        self, asks: tuple[RuleResult, ...], part: Callable[[Any, str], Any], found: Any
    ) -> None:
        """`part` makes each part of what was `found`, by its name."""
        self._asks = asks
        self._part = part
        self._found = found
        self._values: Mapping[str, Value | None] | None = None
        self._parts: dict[str, Any] | None = None

    @classmethod
    def of(
        cls,
        *,
        values: Mapping[str, Value | None],
        results: tuple[RuleResult, ...],
        bits: bytes,
        losses: tuple[Loss, ...],
        uncovered: tuple[str, ...],
        missing: Mapping[str, tuple[str, ...]],
    ) -> "Evaluation":
        """Return an evaluation whose parts are there."""
        asks = tuple(result for result in results if result.consequence)
        parts: dict[str, Any] = {"values": values, "results": results, "bits": bits}
        parts["losses"] = losses
        return cls(asks, _from_parts, parts | {"uncovered": uncovered, "missing": missing})

    @property
    def asks(self) -> tuple[RuleResult, ...]:
        """The results that ask for something, in rule order."""
        return self._asks

    @property
    def values(self) -> Mapping[str, Value | None]:
        """Every derived value by name; None is missing."""
        values = self._values
        if values is None:
            values = self._values = self._part(self._found, "values")
        return values

    @property
    def results(self) -> tuple[RuleResult, ...]:
        """The result of every rule, in rule order."""
        results: tuple[RuleResult, ...] = self._lazily("results")
        return results

    @property
    def bits(self) -> bytes:
        """Two bits for each result."""
        bits: bytes = self._lazily("bits")
        return bits

    @property
    def losses(self) -> tuple[Loss, ...]:
        """The points that each attribute of a scorecard lost."""
        losses: tuple[Loss, ...] = self._lazily("losses")
        return losses

    @property
    def uncovered(self) -> tuple[str, ...]:
        """The nodes that gave no answer."""
        uncovered: tuple[str, ...] = self._lazily("uncovered")
        return uncovered

    @property
    def missing(self) -> Mapping[str, tuple[str, ...]]:
        """The inputs behind each missing value."""
        missing: Mapping[str, tuple[str, ...]] = self._lazily("missing")
        return missing

    def made_by(self, part: Callable[[Any, str], Any]) -> Any:
        """Return what `part` makes the parts of, or None when another makes them."""
        return self._found if self._part is part else None

    def _lazily(self, name: str) -> Any:
        parts = self._parts
        if parts is None:
            parts = self._parts = {}
        if name not in parts:
            parts[name] = self._part(self._found, name)
        return parts[name]

    def __eq__(self, other: object) -> bool:
        if type(other) is not Evaluation:
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in _PARTS)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Evaluation({', '.join(f'{name}={getattr(self, name)!r}' for name in _PARTS)})"


def _from_parts(parts: Mapping[str, Any], name: str) -> Any:
    return parts[name]


_PARTS: Final = ("values", "results", "bits", "losses", "uncovered", "missing")


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
