"""What the fast variant found, as an evaluation: its results are made when they are asked for."""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from decision_engine.policy.evaluation import (
    HIT,
    NO_HIT,
    NOT_REACHED,
    Evaluation,
    RuleResult,
    pack,
)
from decision_engine.policy.run import Run
from decision_engine.policy.values import Value


class Answers:
    """The results that the rules of a policy can have, by rule and code, made once."""

    def __init__(self, results: tuple[tuple[RuleResult, ...], ...]) -> None:
        self._results = results
        self._no_hits = tuple(each[NO_HIT] for each in results)

    def known(self, values: Mapping[str, Value | None], run: Run) -> Evaluation:
        """Return the evaluation of a run that found everything: no rule is not evaluable."""
        return Evaluation.later(values, self._asks(run.codes), partial(self._part, run))

    def _part(self, run: Run, name: str) -> Any:
        match name:
            case "results":
                return self._all(run.codes)
            case "bits":
                return pack(bytes(run.codes))
            case "losses":
                return tuple(run.losses)
            case _:
                return {} if name == "missing" else ()

    def _asks(self, codes: bytearray) -> tuple[RuleResult, ...]:
        if HIT not in codes:
            return ()
        return tuple([self._results[index][HIT] for index in _marked(codes, HIT)])

    def _all(self, codes: bytearray) -> tuple[RuleResult, ...]:
        results = list(self._no_hits)
        for code in (HIT, NOT_REACHED):
            for index in _marked(codes, code):
                results[index] = self._results[index][code]
        return tuple(results)


def _marked(codes: bytearray, code: int) -> Iterator[int]:
    index = codes.find(code)
    while index >= 0:
        yield index
        index = codes.find(code, index + 1)
