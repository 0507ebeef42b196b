"""The README's commands for the profile services, typed as they stand there, on real servers."""

import os
import re
import sys
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from tests.integration.doctor.running import started
from tests.integration.doctor.site import Shell
from tests.integration.sql.database import ask
from tests.services.server import HOST, Running

ROOT: Final = Path(__file__).parents[3]
(BLOCK,) = re.findall(
    r"```sh\nmake services\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL
)
BIN: Final = Path(sys.executable).parent
#: What the README's addresses are those of.
PORTS: Final = {
    3306: "mariadb",
    6379: "redis",
    9042: "cassandra",
    8000: "dynamodb",
    4567: "kinesis",
}


def port_of(server: Running) -> int:
    address = next(iter(server.settings.values()))
    return urlsplit(address if "//" in address else f"//{address}").port or 0


def test_the_commands_of_the_readme_start_it_on_servers(
    servers: Mapping[str, Running], tmp_path: Path
) -> None:
    script = BLOCK.replace("3306/credit", "3306/readme").replace("3306/persons", "3306/persons2")
    for port, name in PORTS.items():
        script = script.replace(f"{HOST}:{port}", f"{HOST}:{port_of(servers[name])}")
    *before, last = script.replace(".venv/bin/", f"{BIN}/").strip().splitlines()
    lines = "\n".join((*before, f"exec {last} --port 0 --metrics-port 0"))
    admin = servers["mariadb"].settings["MYSQL_URL"]
    for database in ("readme", "persons2"):
        ask(admin, f"CREATE DATABASE {database} CHARACTER SET utf8mb4 COLLATE utf8mb4_bin")

    with started(["bash", "-euc", lines], {**os.environ, "HOME": str(tmp_path)}) as (url, _):
        keys = str(tmp_path / ".credit-platform-keys")
        token = Shell({})("token", "--data", keys).stdout.strip()
        asked = urllib.request.Request(
            f"{url}/v1/credit-decisions", headers={"Authorization": f"Bearer {token}"}
        )
        with urllib.request.urlopen(asked, timeout=30) as answer:
            assert answer.status == 200

    assert ask(admin, "SELECT version_num FROM readme.alembic_version") != []
    assert ask(admin, "SELECT COUNT(*) FROM persons2.person_keys") != [(0,)]
