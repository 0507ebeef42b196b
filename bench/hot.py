"""
What a call of the hot store costs its process, beside the bare thin client and aiobotocore.

Run: `.venv/bin/python -m bench hot`. CPU microseconds of this process a row (user + system), on
uvloop as the service runs, by one caller and 64 at once; the contenders take turns in rounds,
medians are shown, and the median of the rounds' ratios. "bare" is `adapters.aws.JsonClient` with
the same request, written and read as plain JSON: no retries, no coalescing, no capacity asked for,
no counters, no rows. A bar that is missed is printed as MISSED, and the bench fails. It starts a
DynamoDB Local of its own.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from statistics import median
from typing import Any, Final

import msgspec
import uvloop
from aiobotocore.config import AioConfig
from aiobotocore.session import get_session

from adapters.aws.credentials import Credentials, FixedCredentials
from adapters.aws.endpoint import Endpoint
from adapters.aws.json_client import JsonClient
from adapters.aws.pool import Limits
from adapters.stores.dynamodb.storage import DynamoStorage
from adapters.stores.dynamodb.table import NAME
from adapters.stores.dynamodb.writes import GUARD
from adapters.system import SystemChance, SystemClock
from domain.ports.storage import Applied, ProjectionRow
from domain.ports.time import Deadline
from tests.services.fleet import running

REGION: Final = "us-east-1"
KEY: Final = "bench"
CUSTOMERS: Final = 1_000
PAYLOAD: Final = b"p" * 617
PROFILE: Final = "CUSTOMER_PROFILE"
CHUNK: Final = 100
LANES: Final = 64
ROUNDS: Final = 9
DEADLINE_S: Final = 30.0
#: A server that has just begun is slow.
PATIENT: Final = Limits(attempt_s=DEADLINE_S, connect_s=DEADLINE_S)
API: Final = "DynamoDB_20120810."
COLUMNS: Final[Mapping[str, str | int]] = {
    "status": "ACTIVE",
    "lastUpdated": 1_765_375_391_000_000,
    "createdAt": 1,
}
CONDITION: Final = "attribute_not_exists(#v) OR #v < :v"

#: Reads or writes rows of these customers at a version.
Call = Callable[[list[int], int], Awaitable[object]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A kind of call: rows of each, callers at once, calls of a round, and the bar beside bare."""

    name: str
    rows: int
    callers: int
    calls: int
    bar: float


CASES: Final = (
    Case(name="read", rows=1, callers=1, calls=600, bar=1.2),
    Case(name="read", rows=1, callers=LANES, calls=3_000, bar=1.2),
    Case(name="write", rows=1, callers=1, calls=600, bar=1.2),
    Case(name="write", rows=1, callers=LANES, calls=1_500, bar=1.2),
    Case(name="write", rows=CHUNK, callers=1, calls=10, bar=1.2),
)


@dataclass(frozen=True, slots=True)
class Contender:
    """One way of calling; the kinds of call by name."""

    name: str
    calls: Mapping[str, Call]


def item_of(customer: int, version: int, payload: Any) -> dict[str, Any]:
    """Return what the store writes for a row, as plain JSON."""
    part = f"{customer % 16:02d}"
    return {
        "customerId": {"S": f"c-{customer:06d}"},
        "dataType": {"S": PROFILE},
        "version": {"N": str(version)},
        "payload": {"B": payload},
        "gsi1pk": {"S": f"{PROFILE}#{part}"},
        "gsi2pk": {"S": f"ACTIVE#{part}"},
        "lastUpdated": {"N": str(COLUMNS["lastUpdated"])},
        "createdAt": {"N": str(COLUMNS["createdAt"])},
        "status": {"S": "ACTIVE"},
    }


def key_of(customer: int) -> dict[str, Any]:
    """Return a key as plain JSON."""
    return {"customerId": {"S": f"c-{customer:06d}"}, "dataType": {"S": PROFILE}}


def put_of(customer: int, version: int, payload: Any) -> dict[str, Any]:
    """Return a guarded put as plain JSON."""
    return {
        "TableName": NAME,
        "Item": item_of(customer, version, payload),
        "ConditionExpression": CONDITION,
        "ExpressionAttributeNames": {"#v": "version"},
        "ExpressionAttributeValues": {":v": {"N": str(version)}},
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }


def ours(store: DynamoStorage, clock: SystemClock) -> Contender:
    """Return the adapter."""

    async def read(customers: list[int], _: int) -> None:
        (customer,) = customers
        deadline = Deadline.after(clock, DEADLINE_S)
        if await store.read_item(f"c-{customer:06d}", PROFILE, deadline) is None:
            raise RuntimeError("a row is not there: the figures are void")

    async def write(customers: list[int], version: int) -> None:
        rows = [
            ProjectionRow(f"c-{each:06d}", PROFILE, version, PAYLOAD, columns=COLUMNS)
            for each in customers
        ]
        results = await store.put_if_newer(rows, Deadline.after(clock, DEADLINE_S))
        if set(results) != {Applied.APPLIED}:
            raise RuntimeError(f"{set(results)}: the figures are void")

    return Contender("the adapter", {"read": read, "write": write})


def bare(client: JsonClient, clock: SystemClock) -> Contender:
    """Return the thin client with plain JSON."""

    async def call(action: str, body: Mapping[str, Any]) -> Any:
        deadline = Deadline.after(clock, DEADLINE_S)
        return msgspec.json.decode(
            await client.call(API + action, msgspec.json.encode(body), deadline)
        )

    async def read(customers: list[int], _: int) -> None:
        (customer,) = customers
        reply = await call("GetItem", {"TableName": NAME, "Key": key_of(customer)})
        if "Item" not in reply:
            raise RuntimeError("a row is not there: the figures are void")

    async def write(customers: list[int], version: int) -> None:
        puts = [put_of(each, version, PAYLOAD) for each in customers]
        if len(puts) == 1:
            await call("PutItem", puts[0])
        else:
            await call("TransactWriteItems", {"TransactItems": [{"Put": put} for put in puts]})

    return Contender("bare thin client", {"read": read, "write": write})


def botocore(client: Any) -> Contender:
    """Return aiobotocore's client."""

    async def read(customers: list[int], _: int) -> None:
        (customer,) = customers
        reply = await client.get_item(TableName=NAME, Key=key_of(customer))
        if "Item" not in reply:
            raise RuntimeError("a row is not there: the figures are void")

    async def write(customers: list[int], version: int) -> None:
        puts = [put_of(each, version, PAYLOAD) for each in customers]
        if len(puts) == 1:
            await client.put_item(**puts[0])
        else:
            await client.transact_write_items(TransactItems=[{"Put": put} for put in puts])

    return Contender("aiobotocore", {"read": read, "write": write})


async def cpu_us(case: Case, contender: Contender, version: int) -> float:
    """Return the CPU microseconds of a row."""
    call = contender.calls[case.name]
    numbers = iter(range(case.calls))

    async def caller() -> None:
        for number in numbers:
            # A stride that has no factor in common with the customers meets all of them.
            first = number * case.rows * 7 % CUSTOMERS
            customers = [(first + each) % CUSTOMERS for each in range(case.rows)]
            await call(customers, version + number)

    began = time.process_time()
    await asyncio.gather(*(caller() for _ in range(case.callers)))
    return (time.process_time() - began) / (case.calls * case.rows) * 1e6


@asynccontextmanager
async def contenders(url: str) -> AsyncIterator[list[Contender]]:
    """Have every contender, on a table that holds every customer."""
    clock = SystemClock()
    endpoint = Endpoint.of("dynamodb", REGION, url)
    keys = FixedCredentials(Credentials(KEY, KEY))
    store = DynamoStorage(
        JsonClient(endpoint, keys, clock=clock, limits=PATIENT), clock=clock, chance=SystemChance()
    )
    client = JsonClient(endpoint, keys, clock=clock, limits=PATIENT)
    config = AioConfig(max_pool_connections=LANES, parameter_validation=False)
    made = get_session().create_client(
        "dynamodb", region_name=REGION, endpoint_url=url, aws_access_key_id=KEY,
        aws_secret_access_key=KEY, config=config,
    )  # fmt: skip
    try:
        await store.create(Deadline.after(clock, DEADLINE_S))
        async with made as theirs:
            yield [botocore(theirs), bare(client, clock), ours(store, clock)]
    finally:
        await store.close()
        await client.close()


async def measure(url: str) -> dict[tuple[Case, str], list[float]]:
    """Return the cost of each round by case and contender."""
    spent: dict[tuple[Case, str], list[float]] = {}
    version = 1
    async with contenders(url) as found:
        for contender in found:
            await contender.calls["write"](list(range(CHUNK)), version)
            version += 1
        for first in range(0, CUSTOMERS, CHUNK):
            await found[0].calls["write"](list(range(first, first + CHUNK)), version)
        for round_ in range(ROUNDS):
            for case in CASES:
                # In turns, so that none always follows the same.
                for contender in found[::-1] if round_ % 2 else found:
                    # Every write is newer than all before.
                    version += 100_000
                    cost = await cpu_us(case, contender, version)
                    spent.setdefault((case, contender.name), []).append(cost)
    return spent


def main() -> None:
    """Print the table; raise SystemExit when a bar was missed."""
    if b"%d" not in GUARD or CONDITION.encode() not in GUARD:
        raise RuntimeError("the contenders write under another guard: the figures are void")
    with running("dynamodb") as servers:
        found = uvloop.run(measure(servers["dynamodb"].settings["DYNAMODB_ENDPOINT"]))
    names = list(dict.fromkeys(name for _, name in found))
    print(f"{'CPU µs a row':<34}" + "".join(f"{name:>18}" for name in names) + f"{'/ bare':>9}")
    missed = False
    for case in CASES:
        costs = [median(found[case, name]) for name in names]
        # Beside one another in time: a loaded machine slows both of a round.
        rounds = zip(found[case, names[2]], found[case, names[1]], strict=True)
        ratio = median(ours_us / bare_us for ours_us, bare_us in rounds)
        told = f"{case.name}, {case.rows} row(s), {case.callers} at once"
        verdict = "ok" if ratio <= case.bar else "MISSED"
        missed = missed or verdict == "MISSED"
        print(
            f"{told:<34}" + "".join(f"{cost:>18.1f}" for cost in costs) +
            f"{ratio:>9.2f}  at most {case.bar}: {verdict}"
        )  # fmt: skip
    if missed:
        raise SystemExit("MISSED: the cost of a call")


if __name__ == "__main__":
    main()
