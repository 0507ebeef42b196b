"""MariaDB, or MySQL where `mysqld` is on the PATH; a commit is on disk before its answer."""

import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from tests.services.downloads import MissingError, apt, libraries, run
from tests.services.server import HOST, Launch, exchange, free_ports

PACKAGES: Final = ("mariadb-server-core", "mariadb-client-core")
USER: Final = "app"
DATABASE: Final = "credit"
#: The protocol's number in the greeting, after the four bytes of the packet's head.
PROTOCOL: Final = 10
SHARED: Final = (
    "--innodb-flush-log-at-trx-commit=1",
    "--innodb-buffer-pool-size=256M",
    "--character-set-server=utf8mb4",
    "--skip-name-resolve",
    "--max-connections=400",
)


def mariadb(folder: Path) -> Launch:
    """Return how to start MariaDB, on the data that are in the folder if there are any."""
    prefix = apt(*PACKAGES)
    environment = libraries(prefix)
    base = prefix / "usr"
    if not (folder / "data").exists():
        run(
            (str(base / "bin" / "mariadb-install-db"), "--no-defaults", f"--basedir={base}",
             "--auth-root-authentication-method=normal", "--skip-test-db",
             f"--datadir={folder}/data", *_as_root()),
            folder,
            environment,
        )  # fmt: skip
    program = (str(base / "sbin" / "mariadbd"), "--no-defaults", f"--basedir={base}", *_as_root())
    return _launch(folder, program, environment)


def mysql(folder: Path) -> Launch:
    """Return how to start MySQL itself."""
    program = shutil.which("mysqld")
    if program is None:
        raise MissingError("mysqld is not on the PATH: install MySQL 8 for MYSQL=mysql")
    options = ("--no-defaults", "--mysqlx=OFF", "--secure-file-priv=")
    data = f"--datadir={folder}/data"
    run((program, *options, "--initialize-insecure", data, *_as_root()), folder)
    return _launch(folder, (program, *options, *_as_root()), {})


def _launch(folder: Path, program: Sequence[str], environment: Mapping[str, str]) -> Launch:
    (port,) = free_ports(1)
    # One statement a line: more on a line are passed over in silence. It is run at every start.
    first = folder / "init.sql"
    first.write_text(
        f"CREATE USER IF NOT EXISTS '{USER}'@'{HOST}' IDENTIFIED BY '{USER}';\n"
        f"CREATE DATABASE IF NOT EXISTS {DATABASE} CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;\n"
        f"GRANT ALL ON *.* TO '{USER}'@'{HOST}' WITH GRANT OPTION;\n"
    )
    files = (f"--datadir={folder}/data", "--socket=server.sock", f"--pid-file={folder}/pid")
    return Launch(
        command=(*program, *files, f"--port={port}", f"--bind-address={HOST}",
                 f"--init-file={first}", *SHARED),
        environment=environment,
        ready=lambda: version(port),
        settings={"MYSQL_URL": f"mysql://{USER}:{USER}@{HOST}:{port}/{DATABASE}"},
    )  # fmt: skip


def version(port: int) -> str | None:
    """Return the version in the server's greeting."""
    greeting = exchange(port, b"", 32)
    if greeting[4:5] != bytes([PROTOCOL]):
        return None
    return greeting[5:].split(b"\0", 1)[0].decode().removeprefix("5.5.5-")


def _as_root() -> Sequence[str]:
    """Return what a server wants to hear before it runs as root: in a container one often is."""
    return () if os.geteuid() else ("--user=root",)
