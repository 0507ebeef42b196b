"""Closures over the elements of a list, in three values."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final

from decision_engine.policy.functions.lists import flatten
from decision_engine.policy.syntax import Closing
from decision_engine.policy.values import NOTHING, Fact, Missing, missing_of

#: What the closure gave for each element, and the elements.
Settle = Callable[[list[Any], tuple[Any, ...]], Fact]


def each(
    function: Closing,
    items: Callable[[list[Fact]], Fact],
    body: Callable[[list[Fact]], Fact],
    blame: frozenset[str],
    reads: tuple[int, ...],
) -> Callable[[list[Fact]], Fact]:
    """
    Return a function that applies `body` to every element; `#` is the last of the facts.

    Missing when the list is; otherwise what the elements leave open, in Kleene's logic. What has no
    value and names no input is blamed on the list, unless `body` reads, at one of the places
    `reads`, what no branch made: no input explains that.
    """
    settle = _SETTLE[function]

    def run(facts: list[Fact]) -> Fact:
        listed: Any = items(facts)
        if type(listed) is Missing:
            return listed
        try:
            found = settle(_results(listed, body, facts), listed)
        except ArithmeticError:
            return Missing(blame)
        if type(found) is not Missing or found.names:
            return found
        return NOTHING if any(facts[place] == NOTHING for place in reads) else Missing(blame)

    return run


def _results(
    listed: tuple[Any, ...], body: Callable[[list[Fact]], Fact], facts: list[Fact]
) -> list[Fact]:
    results = []
    for item in listed:
        facts.append(item)
        results.append(body(facts))
        facts.pop()
    return results


def _some(results: list[Any], _: tuple[Any, ...]) -> Fact:
    return True if True in results else missing_of(results) or False


def _all(results: list[Any], _: tuple[Any, ...]) -> Fact:
    return False if False in results else missing_of(results) or True


def _none(results: list[Any], listed: tuple[Any, ...]) -> Fact:
    found = _some(results, listed)
    return found if type(found) is Missing else not found


def _one(results: list[Any], _: tuple[Any, ...]) -> Fact:
    return missing_of(results) or results.count(True) == 1


def _count(results: list[Any], _: tuple[Any, ...]) -> Fact:
    return missing_of(results) or Decimal(results.count(True))


def _map(results: list[Any], _: tuple[Any, ...]) -> Fact:
    return missing_of(results) or tuple(results)


def _flat_map(results: list[Any], _: tuple[Any, ...]) -> Fact:
    return missing_of(results) or flatten(tuple(results))


def _filter(results: list[Any], listed: tuple[Any, ...]) -> Fact:
    return missing_of(results) or tuple(
        item for item, kept in zip(listed, results, strict=True) if kept
    )


_SETTLE: Final[Mapping[Closing, Settle]] = {
    "map": _map,
    "flatMap": _flat_map,
    "filter": _filter,
    "some": _some,
    "all": _all,
    "none": _none,
    "one": _one,
    "count": _count,
}
