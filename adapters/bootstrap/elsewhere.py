"""
Runs pure work in a process of its own, which ends with it.

Checking or simulating a large policy takes seconds of one core: under the lock that all threads of
a Python process share, that would hold up every decision. The process is stopped at the deadline.
"""

import asyncio
import pickle
import resource
import sys
from collections.abc import Callable
from typing import Any, Final

from domain.errors import DeadlineExceededError, InvalidInputError, PermanentError
from domain.ports.time import Deadline

Document = dict[str, Any]

#: One core is for decisions.
AT_ONCE: Final = 1
#: Ends a process whose parent is gone.
CPU_SECONDS: Final = 30
DONE: Final = "done"
REFUSED: Final = "refused"


class Elsewhere:
    """Implements `decision_engine.policy_desk.Elsewhere`."""

    def __init__(self, at_once: int = AT_ONCE) -> None:
        self._turn = asyncio.Semaphore(at_once)

    async def __call__(
        self, work: Callable[..., Document], *arguments: Any, deadline: Deadline
    ) -> Document:
        """
        Return what the work returns.

        Raises:
            InvalidInputError: raised by the work.
            DeadlineExceededError: its time was over; the process is stopped.
            PermanentError: the work failed, or used up its memory or time.
        """
        sent = pickle.dumps((work, arguments))
        try:
            # The deadline counts on the loop's own clock (see `Clock.monotonic`).
            async with asyncio.timeout_at(deadline.at), self._turn:
                reply = await _reply(sent)
        except TimeoutError:
            raise DeadlineExceededError("the work did not end in time") from None
        if not reply:
            raise PermanentError("work beside the requests failed")
        kind, value = pickle.loads(reply)  # noqa: S301 - written by our own child, see `main`
        if kind == REFUSED:
            detail, problems, code = value
            raise InvalidInputError(detail, problems, code=code)
        done: Document = value
        return done


async def _reply(sent: bytes) -> bytes:
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "adapters.bootstrap.elsewhere", stdin=pipe, stdout=pipe
    )
    try:
        reply, _ = await process.communicate(sent)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return reply if process.returncode == 0 else b""


def main() -> None:
    """Do the work on standard input and write what it gives."""
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    work, arguments = pickle.loads(sys.stdin.buffer.read())  # noqa: S301 - written by our parent
    try:
        reply = DONE, work(*arguments)
    except InvalidInputError as error:
        reply = REFUSED, (error.detail, error.problems, error.code)
    sys.stdout.buffer.write(pickle.dumps(reply))


if __name__ == "__main__":
    main()
