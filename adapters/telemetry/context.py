"""Which request the running task works for; every log line carries it."""

from contextvars import ContextVar
from typing import Final

correlation_id: Final[ContextVar[str]] = ContextVar("correlation_id", default="")
trace_id: Final[ContextVar[str]] = ContextVar("trace_id", default="")
