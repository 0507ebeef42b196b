"""`python -m tests.services up [NAME ...] | down | show`: the servers of `make services`."""

import sys
import time
from collections.abc import Sequence
from typing import TextIO

from tests.services import fleet
from tests.services.downloads import MissingError
from tests.services.server import NotReadyError, Running

USAGE = f"usage: python -m tests.services up [{' | '.join(fleet.SERVERS)} ...] | down | show"


def main(arguments: Sequence[str]) -> int:
    """Start, end or show; 0 when it was done, 1 when a server failed, 2 for another command."""
    match list(arguments):
        case ["up", *names] if set(names) <= set(fleet.SERVERS):
            return _up(names or fleet.USUAL)
        case ["down"]:
            _down()
        case ["show"]:
            _show(fleet.remembered())
        case _:
            _say(USAGE, sys.stderr)
            return 2
    return 0


def _up(names: Sequence[str]) -> int:
    began = time.monotonic()
    held = fleet.remembered()
    wanted = [name for name in names if name not in {server.name for server in held}]
    fleet.STATE.mkdir(exist_ok=True)
    try:
        held += fleet.start_all(wanted, fleet.STATE) if wanted else []
    except (MissingError, NotReadyError) as error:
        _say(f"services: {error}", sys.stderr)
        return 1
    finally:
        fleet.remember(held)
    _show(held)
    _say(
        f"# {len(wanted)} started in {time.monotonic() - began:.1f} s; make services-stop ends them"
    )
    return 0


def _down() -> None:
    held = fleet.remembered()
    fleet.stop_all(held)
    fleet.forget()
    _say(f"{len(held)} ended")


def _show(servers: Sequence[Running]) -> None:
    for server in servers:
        _say(f"# {server.name} {server.version} (process {server.pid})")
        for name, value in server.settings.items():
            _say(f"{name}={value}")


def _say(text: str, stream: TextIO | None = None) -> None:
    (stream or sys.stdout).write(f"{text}\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
