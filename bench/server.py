"""The process that is measured: the shipped platform, or the yardstick, on a free port."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Final

from adapters.bootstrap.serving import DEMO_BEGIN, served, stop_signal
from adapters.bootstrap.shipped import personal_loan
from adapters.inbound.http.server import new_event_loop, start_server
from adapters.settings import EmbeddedSettings, ServicesSettings, ServingSettings
from bench.hello import hello_app
from domain.ports.time import Deadline

OPENING_S: Final = 60.0


def settings_of(data: Path, profile: str) -> ServingSettings:
    """Return the shipped settings of a profile, on free ports."""
    if profile == ServicesSettings.profile:
        return ServicesSettings.from_environment(data, {"port": 0, "metrics_port": 0})
    return EmbeddedSettings(data=data, port=0, metrics_port=0)


async def run(data: Path, profile: str = EmbeddedSettings.profile) -> None:
    """Serve platform and yardstick in one process, say where, and stay until a signal."""
    async with served(settings_of(data, profile), DEMO_BEGIN) as platform:
        stores = platform.core.stores
        deadline = Deadline.after(stores.clock, OPENING_S)
        await platform.core.policies.publish(personal_loan(), deadline)
        hello = await start_server(hello_app(stores.tokens.verifier()), "127.0.0.1", 0)
        where = {
            "platform": platform.url,
            "hello": f"http://127.0.0.1:{hello.port}",
            "token": platform.token(),
        }
        sys.stdout.write(json.dumps(where) + "\n")
        sys.stdout.flush()
        await stop_signal()
        await hello.stop()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(run(Path(sys.argv[1]), *sys.argv[2:3]))
