"""Entry points that serve: `creditctl up` and `creditctl demo`."""

import asyncio
import errno
import json
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Final

from rich.console import Console

from adapters.bootstrap.demo_platform import EmbeddedDemoPlatform, Handled
from adapters.bootstrap.platform import Core, running_core
from adapters.bootstrap.rate_limits import rate_limits
from adapters.bootstrap.shipped import DemoData, personal_loan
from adapters.bootstrap.stores import At
from adapters.bootstrap.token_checks import token_verifier
from adapters.inbound.cli.demo.run import Demo
from adapters.inbound.cli.demo.show import show_how_to_go_on, show_summary
from adapters.inbound.cli.wiring import DemoOptions
from adapters.inbound.http.app import HttpPorts, build_app
from adapters.inbound.http.edge import Instruments
from adapters.inbound.http.problem_pages import load_pages
from adapters.inbound.http.server import RunningServer, start_server
from adapters.security.tokens import SCOPES
from adapters.settings import DEFAULT_PORT, EmbeddedSettings, ServingSettings
from adapters.system import SystemClock
from adapters.telemetry.lines import LineWriter
from adapters.telemetry.logs import Logs, at_least
from adapters.telemetry.metrics import Metrics
from adapters.telemetry.metrics_server import MetricsServer, serve_metrics
from adapters.telemetry.monitoring import Telemetry
from adapters.telemetry.standard_logging import capture
from domain.errors import InvalidInputError
from domain.ports.time import Deadline

#: Where the clock of the demo's folder begins: the data ends in May 2026.
DEMO_BEGIN: Final = datetime(2026, 6, 10, 12, tzinfo=UTC)
SUBJECT: Final = "operator"
PUBLISHING_SECONDS: Final = 30.0
DONE: Final = 0
FOUND_WRONG: Final = 1


@dataclass(frozen=True, slots=True)
class Served:
    """A platform that answers over HTTP."""

    core: Core
    http: RunningServer
    metrics: MetricsServer

    @property
    def url(self) -> str:
        """The address of the API."""
        return f"http://{self.http.host}:{self.http.port}"

    @property
    def metrics_url(self) -> str:
        """The address of the metrics."""
        return f"http://{self.http.host}:{self.metrics.port}/metrics"

    def token(self) -> str:
        """Return a token with every scope."""
        return self.core.stores.tokens.issue(SUBJECT, SCOPES)


@asynccontextmanager
async def served(
    settings: ServingSettings,
    begin: datetime | None = None,
    progress: Callable[[str, int], None] = lambda _shard, _records: None,
    at: At | None = None,
) -> AsyncIterator[Served]:
    """Open the folder and answer on the port; everything is closed at the end."""
    lines = LineWriter(sys.stderr)
    telemetry = Telemetry(Metrics(), Logs(lines, SystemClock(), sampler=at_least("warning")))
    capture(telemetry.logs)
    try:
        async with running_core(settings, telemetry, begin, progress, at) as core:
            http = await _serve(core, settings, telemetry)
            metrics = await serve_metrics(
                settings.host, settings.metrics_port, telemetry.metrics.text
            )
            try:
                yield Served(core, http, metrics)
            finally:
                await http.stop()
                await metrics.close()
    finally:
        lines.close()


async def run_platform(settings: ServingSettings) -> int:
    """Serve until SIGINT or SIGTERM."""
    async with served(settings) as platform:
        await _publish_first(platform.core)
        show_how_to_go_on(Console(stderr=True), platform.url, platform.metrics_url, None)
        await stop_signal()
    return DONE


async def run_demo(options: DemoOptions) -> int:
    """Run the demo and stay up until a signal, unless it is to run once."""
    console = Console(stderr=True)
    handled = Handled()
    settings = EmbeddedSettings(data=options.data, port=options.port)
    async with served(settings, DEMO_BEGIN, handled.add) as platform:
        demo_platform = EmbeddedDemoPlatform(platform.core, platform.url, handled)
        document = await Demo(demo_platform, DemoData(), options.customers).run()
        if options.as_json:
            sys.stdout.write(json.dumps(document, ensure_ascii=False) + "\n")
        else:
            show_summary(Console(), document)
        if not options.once:
            token = platform.token()
            show_how_to_go_on(console, platform.url, platform.metrics_url, token)
            await stop_signal()
    return DONE if document["replays"]["tried"] == document["replays"]["equal"] else FOUND_WRONG


async def _publish_first(core: Core) -> None:
    """Give an empty platform the shipped policy, so that it can decide; never replace one."""
    if not core.rulebooks.active:
        deadline = Deadline.after(core.stores.clock, PUBLISHING_SECONDS)
        await core.policies.publish(personal_loan(), deadline)


async def stop_signal() -> None:
    """Wait for SIGINT or SIGTERM."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    await stop.wait()


async def _serve(core: Core, settings: ServingSettings, telemetry: Telemetry) -> RunningServer:
    stores = core.stores
    ports = HttpPorts(
        verifier=await token_verifier(stores, settings, telemetry),
        limits=rate_limits(stores, settings, telemetry),
        keys=stores.request_keys,
        instruments=Instruments(stores.clock, stores.ids, telemetry),
        pages=load_pages(),
        version=version("credit-platform"),
    )
    app = build_app(core.use_cases, ports)
    try:
        port = DEFAULT_PORT if settings.port is None else settings.port
        return await start_server(app, settings.host, port)
    except OSError as error:
        if settings.port is None:
            return await start_server(app, settings.host, 0)
        if error.errno != errno.EADDRINUSE:
            raise
        raise InvalidInputError(
            f"something listens on port {settings.port} already: name another one by --port"
        ) from error
