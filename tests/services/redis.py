"""Redis without a disk; a memory that is full drops keys that have a time to live."""

from pathlib import Path
from typing import Final

from tests.services.downloads import apt, libraries
from tests.services.server import HOST, Launch, exchange, free_ports

#: The server is the same program as the checker in the tools, under another name.
PROGRAM: Final = "redis-check-rdb"
MEMORY: Final = "256mb"


def redis(folder: Path) -> Launch:
    """Return how to start Redis."""
    prefix = apt("redis-tools")
    program = folder / "redis-server"
    program.symlink_to(prefix / "usr" / "bin" / PROGRAM)
    (port,) = free_ports(1)
    memory = ("--maxmemory", MEMORY, "--maxmemory-policy", "volatile-lru")
    return Launch(
        command=(str(program), "--bind", HOST, "--port", str(port), "--save", "",
                 "--appendonly", "no", "--dir", str(folder), *memory),
        environment=libraries(prefix),
        ready=lambda: version(port),
        settings={"REDIS_URL": f"redis://{HOST}:{port}/0"},
    )  # fmt: skip


def version(port: int) -> str | None:
    """Return the version that the server tells."""
    answer = exchange(port, b"INFO server\r\n", 64).decode(errors="replace")
    lines = [line for line in answer.splitlines() if line.startswith("redis_version:")]
    return lines[0].partition(":")[2] if lines else None
