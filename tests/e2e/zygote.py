"""
A process that has imported the platform and forks one child for each connection.

Importing takes seconds, and these tests start dozens of processes only to kill them. Each child is
a process of its own that opens its own files. Run: `python -m tests.e2e.zygote SOCKET`; it ends
when its standard input is closed, and its children when their connection is.
"""

import gc
import os
import select
import signal
import socket
import sys
from pathlib import Path

from tests.e2e.process import live


def main(path: str) -> None:
    """Fork until there is nobody left to fork for."""
    # Children vanish when they end: that their number is gone means that they are.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()
        gc.freeze()
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        while not _ended(listener):
            connection, _ = listener.accept()
            if os.fork() == 0:
                listener.close()
                _child(connection)
            connection.close()
    Path(path).unlink()


def _ended(listener: socket.socket) -> bool:
    readable, _, _ = select.select([sys.stdin.fileno(), listener], [], [])
    return sys.stdin.fileno() in readable


def _child(connection: socket.socket) -> None:
    code = 1
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        nothing = os.open(os.devnull, os.O_RDWR)
        os.dup2(nothing, 0)
        os.dup2(nothing, 1)
        live(connection)
        code = 0
    except BaseException as error:  # noqa: BLE001 - as the interpreter would have shown it
        sys.excepthook(type(error), error, error.__traceback__)
    finally:
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    main(sys.argv[1])
