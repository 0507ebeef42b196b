"""A server that may end and come back: the same folder, the same port, the same settings."""

import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.services.server import Launch, begin

#: What belongs to a process and not to its data.
OF_THE_PROCESS: Final = shutil.ignore_patterns("*.sock", "*.pid", "pid", "server.log")


class Lasting:
    """
    A server with its data; whoever uses it has to bear that it is away for a while.

    A power loss is not what `kill` is: what the server gave to the system stays.
    """

    def __init__(self, name: str, folder: Path, launch: Launch) -> None:
        self._name = name
        self._folder = folder
        self._launch = launch
        self._running = begin(name, folder, launch)

    @property
    def settings(self) -> Mapping[str, str]:
        """Where it is, whether it runs or not."""
        return self._launch.settings

    @property
    def version(self) -> str:
        """What it says that it is."""
        return self._running.version

    def kill(self) -> None:
        """End it at once."""
        self._running.kill()

    def revive(self) -> None:
        """Start it again, and return once it answers."""
        self._running = begin(self._name, self._folder, self._launch)

    def freeze(self) -> None:
        """Let it stand still."""
        self._running.freeze()

    def thaw(self) -> None:
        """Let it go on."""
        self._running.thaw()

    def successor(self, name: str, launch: Callable[[Path], Launch]) -> "Lasting":
        """
        Start another server on a copy of the data, on a port of its own.

        This one has ended, or stands still meanwhile. `launch` takes the data which it finds;
        whoever asks for a successor ends it.
        """
        folder = self._folder.with_name(name)
        shutil.copytree(self._folder, folder, ignore=OF_THE_PROCESS)
        return Lasting(name, folder, launch(folder))

    def stop(self) -> None:
        """End it, and remove its folder."""
        if self._running.alive():
            self._running.thaw()
        self._running.stop()


@contextmanager
def lasting(name: str, launch: Callable[[Path], Launch]) -> Iterator[Lasting]:
    """Have a server that may end and come back."""
    with tempfile.TemporaryDirectory(prefix="lasting-") as place:
        folder = Path(place) / name
        folder.mkdir()
        server = Lasting(name, folder, launch(folder))
        try:
            yield server
        finally:
            server.stop()
