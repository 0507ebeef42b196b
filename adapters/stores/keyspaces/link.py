"""
The way to the sessions: opened by whoever needs them first, again after a failure or a long rest.

Opening blocks for a second or so, so it happens in a thread, once for all who wait. After a failure
nobody tries again for a while: callers fail at once instead of all waiting for a dead host.
"""

import asyncio
import threading
from concurrent.futures import Future, ThreadPoolExecutor

from adapters.stores.keyspaces.address import Address
from adapters.stores.keyspaces.errors import SettingsError, refused_by
from adapters.stores.keyspaces.session import Limits, Sessions, opened
from domain.errors import DeadlineExceededError, TransientError
from domain.ports.time import Clock, Deadline


class Link:
    """Holds the open sessions, for the event loops of all threads."""

    def __init__(self, address: Address, limits: Limits, clock: Clock) -> None:
        self._address, self._limits, self._clock = address, limits, clock
        self._pool = ThreadPoolExecutor(1, "keyspaces")
        self._lock = threading.Lock()
        self._sessions: Sessions | None = None
        self._opening: Future[Sessions] | None = None
        self._failure: tuple[float, TransientError] | None = None
        self._used_at = 0.0
        self._silent = 0
        self._silent_since = 0.0
        self._closed = False
        self.openings = 0
        self.failures = 0

    def ready(self) -> Sessions | None:
        """Return the sessions when they are open and fit for use."""
        sessions = self._sessions
        if sessions is None:
            return None
        now = self._clock.monotonic()
        if now - self._used_at > self._limits.idle_s:
            # Something on the way may have forgotten the connections meanwhile.
            self._retire(sessions)
            return None
        self._used_at = now
        return sessions

    async def opened(self, deadline: Deadline) -> Sessions:
        """
        Return open sessions.

        Raises:
            TransientError: they cannot be had now; `StoreRefusedError` says what to correct.
            DeadlineExceededError: not in time; opening goes on for those who come later.
        """
        sessions = self.ready()
        if sessions is not None:
            return sessions
        waiting = asyncio.wrap_future(self._begun())
        # Nobody may be left to hear of a failure.
        waiting.add_done_callback(lambda done: done.cancelled() or done.exception())
        left = deadline.remaining(self._clock)
        done, _ = await asyncio.wait({waiting}, timeout=None if left == float("inf") else left)
        if not done:
            raise DeadlineExceededError("the wide store did not let us in, in time")
        return waiting.result()

    def answered(self) -> None:
        """Note an answer."""
        self._silent = 0

    def said_nothing(self, sessions: Sessions) -> None:
        """
        Note an attempt without an answer; many in a row, over some time, end these sessions.

        Callers in a hurry prove nothing: their attempts end before a server in health answers.
        """
        now = self._clock.monotonic()
        if self._silent == 0:
            self._silent_since = now
        self._silent += 1
        limits = self._limits
        if self._silent >= limits.timeouts_max and now - self._silent_since >= limits.request_s:
            self._silent = 0
            self._retire(sessions)

    async def aclose(self) -> None:
        """End every connection, also one that is being made."""
        with self._lock:
            was, self._closed = self._closed, True
        if was:
            return
        await asyncio.wrap_future(self._pool.submit(self._close))
        self._pool.shutdown(wait=False)

    def _begun(self) -> "Future[Sessions]":
        with self._lock:
            if self._closed:
                raise TransientError("the wide store is closed")
            if self._failure is not None:
                at, error = self._failure
                if self._clock.monotonic() - at < self._limits.reconnect_s:
                    raise _again(error)
            if self._opening is None:
                self._opening = self._pool.submit(self._open)
            return self._opening

    def _retire(self, sessions: Sessions) -> None:
        with self._lock:
            if self._sessions is sessions and not self._closed:
                self._sessions = None
                self._pool.submit(sessions.close)

    # --- in the thread -------------------------------------------------------------------------

    def _open(self) -> Sessions:
        try:
            sessions = opened(self._address, self._limits, self._clock)
        except (SettingsError, TransientError) as error:
            told = refused_by(error) if isinstance(error, SettingsError) else error
            with self._lock:
                self._failure = (self._clock.monotonic(), told)
                self._opening = None
                self.failures += 1
            raise told from None
        with self._lock:
            self._sessions, self._used_at = sessions, self._clock.monotonic()
            self._failure = self._opening = None
            self.openings += 1
        return sessions

    def _close(self) -> None:
        sessions, self._sessions = self._sessions, None
        if sessions is not None:
            sessions.close()


def _again(error: TransientError) -> TransientError:
    """Return an error of its own for each caller."""
    found = getattr(error, "found", None)
    return refused_by(found) if found is not None else type(error)(str(error))
