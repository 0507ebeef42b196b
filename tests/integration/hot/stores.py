"""What tests of the hot store are made of: a server, tables of their own, and stores on them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from adapters.aws.credentials import Credentials, CredentialSource, FixedCredentials
from adapters.aws.endpoint import Endpoint
from adapters.aws.json_client import JsonClient
from adapters.aws.pool import Limits
from adapters.aws.retrying import RetryPolicy
from adapters.stores.dynamodb.storage import DynamoStorage
from adapters.stores.dynamodb.writes import WriteLimits
from adapters.system import SystemClock
from domain.ports.time import Clock, Deadline
from tests.contracts.opened import FixedChance
from tests.integration.shared.caches import Loop
from tests.services.server import HOST

#: Long enough for a loaded machine: only a call that never ends meets it.
PATIENCE_S: Final = 20.0
PATIENT: Final = Limits(connect_s=PATIENCE_S, attempt_s=PATIENCE_S)
#: Retries follow at once: chance is nought.
POLICY: Final = RetryPolicy()
KEYS: Final = FixedCredentials(Credentials("tests", "tests"))


def at_port(port: int) -> str:
    return f"http://{HOST}:{port}"


def soon(seconds: float = PATIENCE_S) -> Deadline:
    return Deadline.after(SystemClock(), seconds)


@contextmanager
def client_of(
    url: str,
    loop: Loop,
    *,
    clock: Clock | None = None,
    limits: Limits = PATIENT,
    keys: CredentialSource = KEYS,
) -> Iterator[JsonClient]:
    endpoint = Endpoint.of("dynamodb", "us-east-1", url)
    client = JsonClient(endpoint, keys, clock=clock or SystemClock(), limits=limits)
    try:
        yield client
    finally:
        loop(client.close())


@contextmanager
def store_on(
    client: JsonClient,
    loop: Loop,
    table: str = "credit-hot-data",
    *,
    clock: Clock | None = None,
    writes: WriteLimits | None = None,
    policy: RetryPolicy = POLICY,
) -> Iterator[DynamoStorage]:
    """A store that is closed afterwards, whose retries follow at once."""
    store = DynamoStorage(
        client, clock=clock or SystemClock(), chance=FixedChance(0.0), table=table,
        limits=writes or WriteLimits(), policy=policy,
    )  # fmt: skip
    try:
        yield store
    finally:
        loop(store.close())
