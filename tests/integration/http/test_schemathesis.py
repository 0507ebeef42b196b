"""schemathesis over the whole OpenAPI document and real sockets: nothing is left unexplained."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Final

from decision_engine.pricing.tables import IofTable
from decision_engine.quote import Quote, quote_reply
from tests.integration.http.fakes import FakeUseCases
from tests.integration.http.live import live_server

HERE: Final = Path(__file__).parent
IOF_TABLE: Final = HERE.parents[2] / "policies" / "tables" / "iof.json"
SEED: Final = "20260610"
EXAMPLES: Final = "15"
LIMIT_SECONDS: Final = 120

#: A token for every case but those that are about tokens; no NUL, which JSON can spell and we
#: refuse; a warning fails the run, since "everything was 401" is one.
CONFIG: Final = f"""
hooks = {json.dumps(str(HERE / "schemathesis_hooks.py"))}
[auth.openapi.bearer]
bearer = "${{TOKEN}}"
[generation]
allow-x00 = false
database = "none"
[warnings]
fail-on = true
"""


def test_nothing_is_left_unexplained(tmp_path: Path) -> None:
    config = tmp_path / "schemathesis.toml"
    config.write_text(CONFIG)
    with live_server(tmp_path, price_really) as live:
        done = subprocess.run(
            [sys.executable, "-m", "schemathesis.cli", "--config-file", str(config), "run",
             f"{live.url}/openapi.json", "--seed", SEED, "--max-examples", EXAMPLES,
             "--phases", "examples,coverage,fuzzing,stateful", "--continue-on-failure",
             # Two threads that parse Python at once fail now and then on 3.11 (CPython gh-106905).
             "--workers", "1", "--no-color"],
            cwd=tmp_path,
            env={**os.environ, "TOKEN": live.authorization()["Authorization"].split()[1]},
            capture_output=True,
            text=True,
            check=False,
            timeout=LIMIT_SECONDS,
        )  # fmt: skip
        statuses = live.metrics.text()

    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-2_000:]
    assert "No issues found" in done.stdout
    assert 'route="/v1/quotes",method="POST",status="200"' in statuses
    assert 'status="500"' not in statuses


def price_really(fake: FakeUseCases) -> None:
    """Let quotes reach the real pricing, so that its own refusals are seen too."""
    quote = Quote(IofTable.parse(IOF_TABLE.read_bytes()))
    fake.quote = lambda body: quote_reply(quote(body))  # type: ignore[method-assign]
