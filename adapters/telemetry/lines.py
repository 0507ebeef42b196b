"""Where log lines go: a bounded queue before a thread, so that a slow reader blocks nobody."""

import atexit
import queue
import threading
from typing import Final, TextIO

QUEUE_MAX: Final = 10_000
CLOSE_SECONDS: Final = 2.0


class LineWriter:
    """
    Writes lines to a stream from a thread of its own.

    `put` never blocks and never raises; a line that does not fit is dropped and counted.
    """

    def __init__(self, stream: TextIO, size: int = QUEUE_MAX) -> None:
        self._stream = stream
        self._queue: queue.Queue[str | None] = queue.Queue(size)
        self.dropped = 0
        self._thread = threading.Thread(target=self._write, name="log-writer", daemon=True)
        self._thread.start()
        # The last lines before the process ends are the ones that tell why.
        atexit.register(self.close)

    def put(self, line: str) -> None:
        """Hand over one line, without its end."""
        try:
            self._queue.put_nowait(line)
        except queue.Full:
            self.dropped += 1

    def close(self) -> None:
        """Write what is waiting, for a bounded time, and stop; again does nothing."""
        atexit.unregister(self.close)
        if not self._thread.is_alive():
            return
        try:
            self._queue.put(None, timeout=CLOSE_SECONDS)
        except queue.Full:
            return
        self._thread.join(CLOSE_SECONDS)

    def _write(self) -> None:
        while (line := self._queue.get()) is not None:
            try:
                self._stream.write(line + "\n")
                if self._queue.empty():
                    self._stream.flush()
            except (OSError, ValueError):
                # The reader has gone; there is no other place to say so.
                self.dropped += 1
