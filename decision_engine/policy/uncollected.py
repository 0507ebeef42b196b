"""
Building without the garbage collector.

A policy of many rows is hundreds of thousands of objects that all stay. While they are made the
collector would look through all of them again and again, and find nothing.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock


class _Pause:
    """Builds under way in all threads; the last one to end leaves the collector as it was."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._builds = 0
        self._was_on = False

    def begin(self) -> None:
        with self._lock:
            if not self._builds:
                self._was_on = gc.isenabled()
                gc.disable()
            self._builds += 1

    def end(self) -> None:
        with self._lock:
            self._builds -= 1
            if not self._builds and self._was_on:
                gc.enable()


_PAUSE = _Pause()


@contextmanager
def uncollected() -> Iterator[None]:
    """Keep the garbage collector of the process off until this build, and any other, has ended."""
    _PAUSE.begin()
    try:
        yield
    finally:
        _PAUSE.end()
