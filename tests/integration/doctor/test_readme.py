"""The README's commands for the profile services, typed as they stand there, on real servers."""

import os
import re
import sys
import urllib.request
from pathlib import Path

from tests.integration.doctor.running import started
from tests.integration.doctor.site import Shell, Site
from tests.services.server import HOST

ROOT = Path(__file__).parents[3]
(BLOCK,) = re.findall(
    r"```sh\nmake services\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL
)
BIN = Path(sys.executable).parent


def test_the_commands_of_the_readme_start_it_on_servers(site: Site, tmp_path: Path) -> None:
    script = (
        BLOCK.replace(f"{HOST}:3306/credit", f"{HOST}:{site.mysql_port}/readme")
        .replace(f"{HOST}:3306/persons", f"{HOST}:{site.mysql_port}/readme_persons")
        .replace(f"{HOST}:6379", f"{HOST}:{site.redis_port}")
        .replace(".venv/bin/", f"{BIN}/")
    )
    *before, last = script.strip().splitlines()
    lines = "\n".join((*before, f"exec {last} --port 0 --metrics-port 0"))
    environment = {**os.environ, "HOME": str(tmp_path)}
    site.run("CREATE DATABASE readme CHARACTER SET utf8mb4 COLLATE utf8mb4_bin")

    with started(["bash", "-euc", lines], environment) as (url, _):
        keys = str(tmp_path / ".credit-platform-keys")
        token = Shell({})("token", "--data", keys).stdout.strip()
        asked = urllib.request.Request(
            f"{url}/v1/credit-decisions", headers={"Authorization": f"Bearer {token}"}
        )
        with urllib.request.urlopen(asked, timeout=30) as answer:
            assert answer.status == 200

    assert site.run("SELECT version_num FROM readme.alembic_version") != []
    assert site.run("SELECT COUNT(*) FROM readme_persons.person_keys") != [(0,)]
