"""
The standard library's ways to print, led into the structured logs without their texts.

Messages, arguments and exception values of libraries can quote requests, so only the logger, the
level, types and places in the code are kept; uvicorn's own fixed texts are known by their place.
"""

import logging
import sys
import threading
from types import TracebackType
from typing import Final

from adapters.telemetry.logs import Logs

_LEVELS: Final = ((logging.ERROR, "error"), (logging.WARNING, "warning"), (logging.INFO, "info"))


class StructuredHandler(logging.Handler):
    """Turns a log record into an event without its message, arguments and values."""

    def __init__(self, logs: Logs) -> None:
        super().__init__()
        self._logs = logs

    def emit(self, record: logging.LogRecord) -> None:
        """Write the event `library.log`."""
        error = record.exc_info[1] if record.exc_info else None
        place = f"{record.module}.py:{record.lineno}:{record.funcName}"
        if error is not None:
            self._logs.fault("library.log", error, logger=record.name, place=place)
        else:
            fields = {"logger": record.name, "place": place}
            self._logs.event("library.log", _level(record.levelno), fields)


def capture(logs: Logs) -> None:
    """Lead every log record, warning and uncaught exception of this process into `logs`."""
    root = logging.getLogger()
    root.handlers[:] = [StructuredHandler(logs)]
    root.setLevel(logging.INFO)
    # uvicorn would log request lines here.
    logging.getLogger("uvicorn.access").disabled = True
    logging.captureWarnings(capture=True)
    _capture_hooks(logs)


def _capture_hooks(logs: Logs) -> None:
    def uncaught(
        _kind: type[BaseException], error: BaseException, _trace: TracebackType | None
    ) -> None:
        logs.fault("process.failed", error)

    def in_thread(arguments: threading.ExceptHookArgs) -> None:
        if arguments.exc_value is not None:
            logs.fault("thread.failed", arguments.exc_value)

    def unraisable(arguments: "sys.UnraisableHookArgs") -> None:
        if arguments.exc_value is not None:
            logs.fault("process.unraisable", arguments.exc_value)

    sys.excepthook = uncaught
    sys.unraisablehook = unraisable
    threading.excepthook = in_thread


def _level(number: int) -> str:
    return next((name for lowest, name in _LEVELS if number >= lowest), "debug")
