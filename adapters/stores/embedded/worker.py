"""A thread that serves jobs in order of arrival, behind a queue that says no when it is full."""

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from queue import SimpleQueue
from threading import Lock, Thread
from typing import Any, Final, Generic, TypeVar

import apsw

from domain.errors import ThrottledError, TransientError
from domain.ports.time import Deadline

T = TypeVar("T")
Work = Callable[[apsw.Connection], T]

#: Jobs that may wait for a thread, and how many of them it takes at once.
QUEUE_MAX: Final = 4096
TAKE_MAX: Final = 256


@dataclass(frozen=True, slots=True, eq=False)
class Job(Generic[T]):
    """Work for a connection; `grouped` work shares a transaction with its neighbours."""

    work: Work[T]
    deadline: Deadline | None = None
    grouped: bool = False
    future: Future[T] = field(default_factory=Future)


AnyJob = Job[Any]


class Worker:
    """
    One thread that hands over everything waiting at once, oldest first.

    `serve` settles the future of each job and never raises.
    """

    def __init__(self, name: str, serve: Callable[[list[AnyJob]], None]) -> None:
        self._name = name
        self._serve = serve
        self._queue: SimpleQueue[AnyJob | None] = SimpleQueue()
        # A job put behind the end mark would wait for ever, so both take the same lock.
        self._gate = Lock()
        self._closed = False
        self._thread = Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def submit(self, job: AnyJob) -> None:
        """
        Queue a job; callable from any thread.

        Raises:
            ThrottledError: too many wait already.
            TransientError: the worker is closed.
        """
        with self._gate:
            if self._closed:
                raise TransientError(f"{self._name} is closed")
            if self._queue.qsize() >= QUEUE_MAX:
                raise ThrottledError(f"{self._name} has too much to do")
            self._queue.put(job)

    def close(self) -> None:
        """Serve what waits, then end the thread; doing it again changes nothing."""
        with self._gate:
            if not self._closed:
                self._closed = True
                self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        going = True
        while going:
            taken = self._take()
            going = None not in taken
            jobs = [job for job in taken if job is not None]
            if jobs:
                self._serve(jobs)

    def _take(self) -> list[AnyJob | None]:
        taken = [self._queue.get()]
        while len(taken) < TAKE_MAX and not self._queue.empty():
            taken.append(self._queue.get())
        return taken
