"""
The simulated adapters, opened empty on a virtual loop of their own.

Threads take turns on that loop: what interleaves here are tasks, not threads.
"""

import itertools
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any, Final, TypeVar

from adapters.stores.model.cache import ModelCache
from adapters.stores.model.database import Database
from adapters.stores.model.event_stream import ModelEventStream
from adapters.stores.model.schema import TABLES
from adapters.stores.model.storage import ModelStorage
from adapters.stores.model.stream import Stream
from adapters.stores.model.truth import ModelTruth
from adapters.stores.model.versioned import VersionedStore
from tests.contracts.opened import START, HandClock, Opened
from tests.simulation.kernel.loop import new_loop

T = TypeVar("T")

SHARDS: Final = 4


class Turns:
    """Runs coroutines on one virtual loop, one after the other."""

    def __init__(self) -> None:
        self._loop: Final = new_loop(0, order="fifo")
        self._turn: Final = Lock()

    def __call__(self, coroutine: Coroutine[Any, Any, T], /) -> T:
        with self._turn:
            result: T = self._loop.run_until_complete(coroutine)
            return result

    def close(self) -> None:
        self._loop.close()


@contextmanager
def _turns() -> Iterator[Turns]:
    turns = Turns()
    try:
        yield turns
    finally:
        turns.close()


@contextmanager
def model_truth(_: Path) -> Iterator[Opened[ModelTruth]]:
    clock = HandClock()
    with _turns() as turns:
        truth = ModelTruth(Database(TABLES), "contract", itertools.count(1), clock)
        yield Opened(truth, clock, turns)
        turns(truth.close())


@contextmanager
def model_storage(_: Path) -> Iterator[Opened[ModelStorage]]:
    clock = HandClock()
    with _turns() as turns:
        yield Opened(ModelStorage(VersionedStore("model"), clock), clock, turns)


@contextmanager
def model_cache(_: Path) -> Iterator[Opened[ModelCache]]:
    clock = HandClock()
    with _turns() as turns:
        yield Opened(ModelCache(clock), clock, turns)


@contextmanager
def model_stream(_: Path) -> Iterator[Opened[ModelEventStream]]:
    clock = HandClock()
    with _turns() as turns:
        yield Opened(ModelEventStream(Stream("events", SHARDS), clock, START), clock, turns)
