"""Two servers of Kinesis: kinesalite for throughput, kinesis-local for what changes shards."""

import json
from pathlib import Path
from typing import Final

from tests.services.downloads import node, npm
from tests.services.server import HOST, Launch, answers_http, free_ports

KINESALITE: Final = "3.3.3"
KINESIS_LOCAL: Final = "0.6.2"
HEAP: Final = "--max-old-space-size=512"
QUICK: Final = ("CREATE_STREAM", "SPLIT_SHARD", "MERGE_SHARDS", "UPDATE_SHARD_COUNT")
CERTIFICATE: Final = "server.json"
#: Neither server has an option for the address that it binds to.
LOOPBACK: Final = Path(__file__).with_name("loopback.js")
#: Both would end themselves when a client leaves in the middle of a request.
STEADFAST: Final = Path(__file__).with_name("steadfast.js")
PRELOADED: Final = ("-r", str(LOOPBACK), "-r", str(STEADFAST))


def kinesis(_: Path) -> Launch:
    """Return how to start kinesalite: the main path; it keeps nothing in its folder."""
    program = npm("kinesalite", KINESALITE)
    (port,) = free_ports(1)
    times = ("--createStreamMs", "10", "--updateStreamMs", "10", "--deleteStreamMs", "10")
    return Launch(
        command=(node(), HEAP, *PRELOADED, str(program / "cli.js"), "--port", str(port),
                 "--shardLimit", "100", *times),
        ready=lambda: _version(port, program),
        settings={"KINESIS_ENDPOINT": f"http://{HOST}:{port}"},
    )  # fmt: skip


def resharding(folder: Path) -> Launch:
    """Return how to start kinesis-local: for UpdateShardCount and child shards."""
    program = npm("kinesis-local", KINESIS_LOCAL)
    plain, tls = free_ports(2)
    durations = {f"{name}_DURATION": "10ms" for name in (*QUICK, "REGISTER_STREAM_CONSUMER")}
    (folder / CERTIFICATE).symlink_to(program / CERTIFICATE)  # looked for where it runs
    ports = {"KINESIS_MOCK_PLAIN_PORT": str(plain), "KINESIS_MOCK_TLS_PORT": str(tls)}
    return Launch(
        command=(node(), HEAP, *PRELOADED, str(program / "main.js")),
        environment={**durations, **ports, "LOG_LEVEL": "WARN"},
        ready=lambda: _version(plain, program),
        settings={"KINESIS_RESHARDING_ENDPOINT": f"http://{HOST}:{plain}"},
    )


def _version(port: int, program: Path) -> str | None:
    if not answers_http(port):
        return None
    described = json.loads((program / "package.json").read_text())
    return f"{described['name']} {described['version']}"
