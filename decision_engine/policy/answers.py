"""What the fast variant found, as an evaluation: its results are made when they are asked for."""

from collections.abc import Callable, Mapping
from typing import Any

from decision_engine.policy.evaluation import (
    HIT,
    NO_HIT,
    NOT_REACHED,
    Evaluation,
    RuleResult,
    pack,
)
from decision_engine.policy.scorecard import Loss
from decision_engine.policy.values import Value

Values = tuple[Any, ...]
Named = Callable[[Values], Mapping[str, Value | None]]
#: What a run made, what names it, the codes of the rules, and the points that were lost.
Found = tuple[Values, Named, bytearray, tuple[Loss, ...]]


class Answers:
    """The results that the rules of a policy can have, by rule and code, made once."""

    def __init__(self, results: tuple[tuple[RuleResult, ...], ...]) -> None:
        self._results = results
        self._no_hits = tuple(each[NO_HIT] for each in results)

    @property
    def hits(self) -> tuple[RuleResult, ...]:
        """The result of each rule when it hits."""
        return tuple(each[HIT] for each in self._results)

    def blank(self) -> bytearray:
        """Return codes that say `no_hit` for every rule."""
        return bytearray(len(self._no_hits))

    def known(
        self, made: Values, named: Named, codes: bytearray, losses: tuple[Loss, ...]
    ) -> Evaluation:
        """
        Return the evaluation of a run that found everything: no rule is not evaluable.

        `named` gives the derived values of what was made, by name.
        """
        asks = self._asks(codes) if HIT in codes else ()
        return Evaluation(asks, self.part, (made, named, codes, losses))

    def part(self, found: Found, name: str) -> Any:
        """Return one part of the evaluation of what was found."""
        made, named, codes, losses = found
        match name:
            case "values":
                return named(made)
            case "results":
                return self._all(codes)
            case "bits":
                return pack(bytes(codes))
            case "losses":
                return losses
            case _:
                return {} if name == "missing" else ()

    def _asks(self, codes: bytearray) -> tuple[RuleResult, ...]:
        return tuple([self._results[index][HIT] for index in _marked(codes, HIT)])

    def _all(self, codes: bytearray) -> tuple[RuleResult, ...]:
        results = list(self._no_hits)
        for code in (HIT, NOT_REACHED):
            for index in _marked(codes, code):
                results[index] = self._results[index][code]
        return tuple(results)


def _marked(codes: bytearray, code: int) -> list[int]:
    found: list[int] = []
    index = codes.find(code)
    while index >= 0:
        found.append(index)
        index = codes.find(code, index + 1)
    return found
