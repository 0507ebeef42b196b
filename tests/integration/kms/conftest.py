"""DynamoDB Local for the table, moto for KMS: no emulator has both."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from moto.server import ThreadedMotoServer

from adapters.security.dynamodb_key_table import PERSON
from tests.integration.kms.vaults import Aws
from tests.integration.shared.caches import Loop
from tests.services.provided import provided
from tests.services.proxy import FaultProxy, proxied
from tests.services.server import HOST, free_ports

_NAMES = count()


@pytest.fixture(scope="package")
def kms_url() -> Iterator[str]:
    (port,) = free_ports(1)
    server = ThreadedMotoServer(ip_address=HOST, port=port, verbose=False)
    server.start()
    yield f"http://{HOST}:{port}"
    server.stop()


@pytest.fixture(scope="package")
def dynamodb_url() -> Iterator[str]:
    with provided("dynamodb") as servers:
        yield servers["dynamodb"].settings["DYNAMODB_ENDPOINT"]


@pytest.fixture
def aws(kms_url: str, dynamodb_url: str, tmp_path: Path, loop: Loop) -> Aws:
    """A KMS key and an empty table of one test."""
    unready = Aws(kms_url, dynamodb_url, f"keys-{next(_NAMES)}", "", tmp_path, loop)
    unready.ask(
        "dynamodb",
        "DynamoDB_20120810.CreateTable",
        TableName=unready.table,
        KeySchema=[{"AttributeName": PERSON, "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": PERSON, "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    return Aws(kms_url, dynamodb_url, unready.table, unready.new_key(), tmp_path, loop)


@pytest.fixture
def before_dynamodb(dynamodb_url: str) -> Iterator[FaultProxy]:
    with proxied(urlsplit(dynamodb_url).port or 0) as proxy:
        yield proxy


@pytest.fixture
def before_kms(kms_url: str) -> Iterator[FaultProxy]:
    with proxied(urlsplit(kms_url).port or 0) as proxy:
        yield proxy
