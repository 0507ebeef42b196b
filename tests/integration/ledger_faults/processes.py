"""`creditctl up --profile services` as processes of their own, and clients that ask over HTTP."""

import asyncio
import json
import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import aiohttp

from adapters.mysql_address import MysqlAddress
from adapters.security.tokens import SCOPES, TokenKey
from adapters.stores.sql.migrations.server import Server as Schema
from tests.contracts.mysql import Server
from tests.e2e.people import MONTHS, Customer, Envelope
from tests.e2e.platform import Answer
from tests.integration.ledger_faults.bank import Bank
from tests.integration.sql.database import ask

BIN: Final = Path(sys.executable).parent
#: Far beyond what anything takes: what hangs ends here instead.
PATIENCE_S: Final = 60.0
POLL_S: Final = 0.05
CREATED: Final = 201
SAYS: Final = re.compile(r"API\s+(http://\S+)")
TRUTH: Final = "shared"
KEYS: Final = "shared_keys"


@dataclass(frozen=True, slots=True)
class Site:
    """What all processes share; `folder` holds the keys, and the data of each."""

    folder: Path
    bank: Bank
    environment: Mapping[str, str]

    @classmethod
    def made(cls, folder: Path, mysql_url: str, redis_url: str) -> "Site":
        """Make the databases, with the schema in one."""
        for name in (TRUTH, KEYS):
            ask(mysql_url, f"DROP DATABASE IF EXISTS {name}")
            ask(mysql_url, f"CREATE DATABASE {name} CHARACTER SET utf8mb4 COLLATE utf8mb4_bin")
        place = mysql_url.rpartition("/")[0]
        Schema.at(f"{place}/{TRUTH}").upgrade()
        address = replace(MysqlAddress.parse(mysql_url, "MYSQL_URL"), database=TRUTH)
        environment = {
            "MYSQL_URL": f"{place}/{TRUTH}",
            "KEYS_MYSQL_URL": f"{place}/{KEYS}",
            "REDIS_URL": redis_url,
            "KEYS_DIR": str(folder / "keys"),
            "PROJECTIONS": "files",
        }
        return cls(folder, Bank(Server(address), address), environment)

    def token(self) -> str:
        """Return a token for everything."""
        return TokenKey.load_or_create(self.folder / "keys" / "token.key").issue("lender", SCOPES)

    async def known(self, customer: Customer, events: int) -> None:
        """Wait until truth has everything about a customer."""
        text = f"SELECT profile_version FROM customers WHERE customer_id = '{customer.customer_id}'"  # noqa: S608
        async with asyncio.timeout(PATIENCE_S):
            while self.bank.server.run(text) != [(events,)]:  # noqa: ASYNC110
                await asyncio.sleep(POLL_S)


@dataclass(frozen=True, slots=True)
class Api:
    """A process, asked over HTTP."""

    http: aiohttp.ClientSession

    async def request(
        self, method: str, path: str, body: object = None, deadline_s: float = 10.0, **headers: str
    ) -> Answer:
        """Send one request."""
        payload = None if body is None else BytesIO(json.dumps(body).encode())
        sent = {"Deadline-Ms": str(int(deadline_s * 1000))}
        sent |= {"Content-Type": "application/json"} if body is not None else {}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        async with self.http.request(method, path, data=payload, headers=sent) as response:
            found = {name.lower(): value for name, value in response.headers.items()}
            return Answer(response.status, found, await response.read())

    async def decide(self, key: str, body: object, deadline_s: float = 10.0) -> Answer:
        """Ask for a decision under an idempotency key, once."""
        path = "/v1/credit-decisions"
        return await self.request("POST", path, body, deadline_s, Idempotency_Key=key)

    async def tell(self, events: list[Envelope]) -> None:
        """Send events, all of which must be accepted."""
        answer = await self.request("POST", "/v1/events", {"events": events})
        assert {each["status"] for each in answer.document["results"]} == {"accepted"}, answer.body


@asynccontextmanager
async def up(site: Site, name: str) -> AsyncIterator[Api]:
    """Have a process that answers; it must end well."""
    log = site.folder / f"{name}.log"
    command = (
        str(BIN / "creditctl"), "up", "--profile", "services", "--data", str(site.folder / name),
        "--port", "0", "--metrics-port", "0",
    )  # fmt: skip
    process = await asyncio.to_thread(_launched, command, site.environment, log)
    try:
        async with asyncio.timeout(PATIENCE_S):
            while (found := SAYS.search(log.read_text())) is None:
                assert process.poll() is None, log.read_text()
                await asyncio.sleep(POLL_S)
        async with aiohttp.ClientSession(
            found[1],
            headers={"Authorization": f"Bearer {site.token()}"},
            connector=aiohttp.TCPConnector(limit=0),
            timeout=aiohttp.ClientTimeout(total=PATIENCE_S),
        ) as http:
            yield Api(http)
        process.terminate()
        assert await asyncio.to_thread(process.wait, PATIENCE_S) == 0, log.read_text()
    finally:
        process.kill()
        process.wait()


def _launched(
    command: Sequence[str], environment: Mapping[str, str], log: Path
) -> "subprocess.Popen[bytes]":
    with log.open("wb") as output:
        return subprocess.Popen(
            command, env={**os.environ, **environment}, stderr=output, stdout=output
        )


def recent(customer: Customer) -> list[Envelope]:
    """Return what is known about a customer today: these processes live in the present."""
    return list(_recent(customer))


def _recent(customer: Customer) -> Iterator[Envelope]:
    now = datetime.now(UTC)
    assert customer.income is not None
    income: dict[str, Any] = {
        "income": {"monthly": f"{customer.income // 100}.{customer.income % 100:02d}",
                   "basis": "verified"}
    }  # fmt: skip
    yield customer.event("payroll", 1, "customer.profile_updated", income, now - timedelta(days=1))
    newest = now.year * 12 + now.month - 2
    for back in range(MONTHS):
        yield from customer.month_events(newest - back, 2 * (MONTHS - back) - 1)
