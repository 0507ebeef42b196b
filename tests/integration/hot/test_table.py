"""Whether the table is as it has to be: each fault by its own error, with the remedy."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from adapters.aws.credentials import Credentials
from adapters.stores.dynamodb import table as hot
from adapters.stores.dynamodb.errors import (
    AccessRefusedError,
    CapacityModeError,
    CredentialsExpiredError,
    ExpiryDisabledError,
    HotStoreRefusedError,
    HotTableError,
    IndexMissingError,
    KeySchemaError,
    TableMissingError,
    WrongRegionError,
)
from adapters.stores.dynamodb.storage import DynamoStorage
from adapters.stores.embedded.projection import DYNAMODB
from domain.errors import PermanentError, TransientError
from domain.ports.storage import ProjectionRow
from domain.ports.time import Deadline
from tests.integration.hot.answering import Answer, answering, fails
from tests.integration.hot.stores import at_port, client_of, soon, store_on
from tests.integration.shared.caches import Loop
from tests.services.server import free_ports

Change = Callable[[dict[str, Any]], None]


def make(url: str, loop: Loop, definition: dict[str, Any], *, expiry: bool = True) -> None:
    with client_of(url, loop) as client:
        steps = [("CreateTable", definition)]
        if expiry:
            steps.append(("UpdateTimeToLive", hot.expiry(definition["TableName"])))
        for action, body in steps:
            payload = json.dumps(body).encode()
            loop(client.call(f"DynamoDB_20120810.{action}", payload, soon()))


def provisioned(definition: dict[str, Any]) -> None:
    units = {"ReadCapacityUnits": 5, "WriteCapacityUnits": 5}
    definition["BillingMode"] = "PROVISIONED"
    for each in (definition, *definition["GlobalSecondaryIndexes"]):
        each["ProvisionedThroughput"] = units


def without_index(definition: dict[str, Any]) -> None:
    del definition["GlobalSecondaryIndexes"][1]
    unused = ("gsi2pk", "createdAt")
    definition["AttributeDefinitions"] = [
        each for each in definition["AttributeDefinitions"] if each["AttributeName"] not in unused
    ]


def index_by_others(definition: dict[str, Any]) -> None:
    definition["GlobalSecondaryIndexes"][0]["KeySchema"] = hot.key_schema(("gsi2pk", "createdAt"))


def other_keys(definition: dict[str, Any]) -> None:
    definition["KeySchema"] = hot.key_schema(("dataType", "customerId"))


FAULTS: list[tuple[str, Change, type[HotTableError], str]] = [
    ("mode", provisioned, CapacityModeError, "on-demand"),
    ("index", without_index, IndexMissingError, "GSI2"),
    ("index-keys", index_by_others, KeySchemaError, "GSI1.*gsi1pk"),
    ("keys", other_keys, KeySchemaError, "customerId and dataType"),
]


def check(url: str, loop: Loop, table: str) -> None:
    with client_of(url, loop) as client, store_on(client, loop, table) as store:
        loop(store.check(soon()))


@pytest.mark.parametrize("fault", FAULTS, ids=[fault[0] for fault in FAULTS])
def test_a_table_of_another_form_is_named(
    url: str, loop: Loop, fault: tuple[str, Change, type[HotTableError], str]
) -> None:
    name, change, kind, words = fault
    definition = hot.definition(f"fault-{name}")
    if change is index_by_others:
        without_gsi1 = ("gsi1pk", "lastUpdated")
        definition["AttributeDefinitions"] = [
            each
            for each in definition["AttributeDefinitions"]
            if each["AttributeName"] not in without_gsi1
        ]
    change(definition)
    make(url, loop, definition)

    with pytest.raises(kind, match=words) as caught:
        check(url, loop, f"fault-{name}")
    assert type(caught.value) is kind


def test_a_table_where_nothing_expires_is_named(url: str, loop: Loop) -> None:
    make(url, loop, hot.definition("fault-ttl"), expiry=False)

    with pytest.raises(ExpiryDisabledError, match="attribute ttl"):
        check(url, loop, "fault-ttl")


def test_a_table_that_is_not_there_is_named_and_takes_no_read_down(url: str, loop: Loop) -> None:
    with client_of(url, loop) as client, store_on(client, loop, "nowhere") as store:
        with pytest.raises(TableMissingError, match="no such table in us-east-1"):
            loop(store.check(soon()))
        with pytest.raises(HotStoreRefusedError, match="no such table"):
            loop(store.read_item("c-1", "CUSTOMER_PROFILE", soon()))
        with pytest.raises(HotStoreRefusedError, match="no such table"):
            loop(store.put_if_newer([ProjectionRow("c-1", "T", 1, b"")], soon()))


def test_a_table_that_was_made_passes_and_making_it_again_changes_nothing(
    store: DynamoStorage, loop: Loop
) -> None:
    row = ProjectionRow("c-1", "CUSTOMER_PROFILE", 1, b"kept")
    loop(store.put_if_newer([row], soon()))
    loop(store.create(soon()))
    loop(store.check(soon()))
    assert loop(store.read_item(*row.key, soon())) == row


def described(**changes: Any) -> Answer:
    table = {
        **hot.definition(),
        "TableStatus": "ACTIVE",
        "TableArn": "arn:aws:dynamodb:us-east-1:1:table/credit-hot-data",
        "BillingModeSummary": {"BillingMode": "PAY_PER_REQUEST"},
        **changes,
    }
    for index in table["GlobalSecondaryIndexes"]:
        index.setdefault("IndexStatus", "ACTIVE")
    return Answer(200, {"Table": table})


ELSEWHERE = "Credential should be scoped to a valid region, not 'us-east-1'."
ANSWERS: list[tuple[Answer, type[Exception], str]] = [
    (described(TableArn="arn:aws:dynamodb:eu-west-1:1:table/t"), WrongRegionError, "eu-west-1"),
    (
        Answer(400, {"__type": "x#InvalidSignatureException", "message": ELSEWHERE}),
        WrongRegionError, "not in us-east-1",
    ),
    (fails("InvalidSignatureException"), AccessRefusedError, "clock"),
    (fails("ExpiredTokenException"), CredentialsExpiredError, "sign in again"),
    (fails("UnrecognizedClientException"), AccessRefusedError, "correct the keys"),
    (fails("AccessDeniedException"), AccessRefusedError, "allow GetItem"),
    (fails("ValidationException"), HotTableError, "ValidationException"),
    (described(TableStatus="CREATING"), TransientError, "CREATING"),
    (
        described(GlobalSecondaryIndexes=[
            {**each, "IndexStatus": "CREATING"}
            for each in hot.definition()["GlobalSecondaryIndexes"]
        ]), TransientError, "still being made",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("answer", "kind", "words"), ANSWERS, ids=[w for _, _, w in ANSWERS])
def test_what_the_service_answers_is_named(
    loop: Loop, answer: Answer, kind: type[Exception], words: str
) -> None:
    with answering(lambda *_: answer) as server:
        with pytest.raises(kind, match=words) as caught:
            check(at_port(server.port), loop, hot.NAME)
        assert type(caught.value) is kind
        assert "honey" not in repr(caught.value)
        assert isinstance(caught.value, TransientError | PermanentError)


def test_a_service_that_is_away_is_no_fault_of_the_table(loop: Loop) -> None:
    (nobody,) = free_ports(1)
    with pytest.raises(TransientError, match="away"):
        check(at_port(nobody), loop, hot.NAME)


class NoKeys:
    async def get(self, deadline: Deadline) -> Credentials:
        raise PermanentError("there are no AWS credentials: give the task a role, or keys")

    def forget(self, refused: Credentials) -> None:
        pass


def test_without_credentials_a_check_says_so_and_a_read_is_transient(url: str, loop: Loop) -> None:
    with client_of(url, loop, keys=NoKeys()) as client, store_on(client, loop) as store:
        with pytest.raises(AccessRefusedError, match="give the task a role"):
            loop(store.check(soon()))
        with pytest.raises(HotStoreRefusedError, match="give the task a role"):
            loop(store.read_item("c-1", "CUSTOMER_PROFILE", soon()))


def test_the_embedded_table_cuts_its_indices_into_the_same_parts() -> None:
    assert DYNAMODB.computed is not None
    for number in range(200):
        row = ProjectionRow(f"c-ç{number}", "DECISION#x#y", 1, b"", columns={"status": "ACTIVE"})
        part = hot.part_of(row.customer_id)
        assert DYNAMODB.computed["gsi1pk"](row) == f"DECISION#{part}"
        assert DYNAMODB.computed["gsi2pk"](row) == f"ACTIVE#{part}"
        assert f"DECISION#{part}" in hot.parts_of(hot.family_of(row.data_type))
    assert tuple(DYNAMODB.key) == hot.KEY
