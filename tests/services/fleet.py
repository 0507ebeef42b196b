"""All servers, started beside one another; what runs is written down, so that it can be ended."""

import json
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Final

from tests.services.cassandra import cassandra
from tests.services.dynamodb import dynamodb
from tests.services.kinesis import kinesis, resharding
from tests.services.mariadb import mariadb, mysql
from tests.services.redis import redis
from tests.services.server import Launch, Running, start

#: The repository's own, out of git's sight.
STATE: Final = Path(__file__).parents[2] / ".services"
SERVERS: Final[Mapping[str, Callable[[Path], Launch]]] = {
    "mariadb": mariadb,
    "mysql": mysql,
    "redis": redis,
    "cassandra": cassandra,
    "dynamodb": dynamodb,
    "kinesis": kinesis,
    "kinesis-resharding": resharding,
}
#: MySQL stands in for MariaDB where somebody asks for it.
USUAL: Final = tuple(name for name in SERVERS if name != "mysql")


def start_all(names: Sequence[str], folder: Path) -> list[Running]:
    """
    Start servers beside one another.

    Raises:
        NotReadyError, MissingError: of the first that failed; the others are ended again.
    """
    with ThreadPoolExecutor(len(names)) as pool:
        waiting = [pool.submit(start, name, folder / name, SERVERS[name]) for name in names]
    failed = [error for each in waiting if (error := each.exception()) is not None]
    started = [each.result() for each in waiting if each.exception() is None]
    if failed:
        stop_all(started)
        raise failed[0]
    return started


def stop_all(servers: Sequence[Running]) -> None:
    """End servers beside one another."""
    with ThreadPoolExecutor(max(len(servers), 1)) as pool:
        list(pool.map(Running.stop, servers))


@contextmanager
def running(*names: str) -> Iterator[dict[str, Running]]:
    """Have servers by name, and end them; a suite's own, whatever else runs on the machine."""
    with tempfile.TemporaryDirectory(prefix="services-") as folder:
        servers = start_all(names, Path(folder))
        try:
            yield {server.name: server for server in servers}
        finally:
            stop_all(servers)


def remember(servers: Sequence[Running]) -> None:
    """Write down what runs."""
    (STATE / "running.json").write_text(json.dumps([asdict(server) for server in servers]))


def remembered() -> list[Running]:
    """Return what was written down and still runs."""
    try:
        held = json.loads((STATE / "running.json").read_text())
    except FileNotFoundError:
        return []
    return [server for each in held if (server := Running(**each)).alive()]


def forget() -> None:
    """Remove everything that the servers left."""
    shutil.rmtree(STATE, ignore_errors=True)
