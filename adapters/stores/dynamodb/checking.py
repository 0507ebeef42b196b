"""Whether the table is as it has to be, and how it is made."""

import asyncio
from typing import Any, Final

import msgspec

from adapters.aws.errors import AwsRefusedError
from adapters.stores.dynamodb import table as hot
from adapters.stores.dynamodb.calls import Calls
from adapters.stores.dynamodb.errors import (
    CapacityModeError,
    ExpiryDisabledError,
    IndexMissingError,
    KeySchemaError,
    WrongRegionError,
    permanent,
    translated,
)
from domain.errors import CreditError, PermanentError, TransientError
from domain.ports.time import Deadline

#: Where DynamoDB Local says that its tables are.
LOCAL: Final = "ddblocal"
POLL_S: Final = 0.2
USABLE: Final = frozenset({"ACTIVE", "UPDATING"})


async def check_table(calls: Calls, deadline: Deadline, form: hot.Form = hot.FORM) -> None:
    """Look at the table; raises as `DynamoStorage.check`."""
    table = await _described(calls, deadline)
    _check_place(calls, table)
    _check_keys(calls.table, "table", table, form.key)
    if table.get("BillingModeSummary", {}).get("BillingMode") != hot.BILLING:
        raise CapacityModeError(
            f"{calls.table} has provisioned capacity: set its capacity mode to on-demand"
        )
    _check_indices(calls.table, table, form)
    asked = {"TableName": calls.table}
    told = await _asked(calls, "DescribeTimeToLive", asked, deadline)
    expiry = told.get("TimeToLiveDescription", {})
    named = expiry.get("AttributeName") == hot.TTL
    if not named or expiry.get("TimeToLiveStatus") not in ("ENABLED", "ENABLING"):
        raise ExpiryDisabledError(
            f"nothing expires in {calls.table}: enable time to live by the attribute {hot.TTL}"
        )


async def create_table(calls: Calls, deadline: Deadline, form: hot.Form = hot.FORM) -> None:
    """Make the table unless it is there; raises as `DynamoStorage.check`."""
    try:
        await _asked(calls, "CreateTable", form.definition(calls.table), deadline)
    except CreditError as error:
        if not _is_there(error):
            raise
    while True:
        table = await _described(calls, deadline)
        indices = table.get("GlobalSecondaryIndexes", [])
        if all(each.get("IndexStatus") == "ACTIVE" for each in indices) and _usable(table):
            break
        deadline.check(calls.client.clock)
        await asyncio.sleep(POLL_S)
    told = await _asked(calls, "DescribeTimeToLive", {"TableName": calls.table}, deadline)
    if told.get("TimeToLiveDescription", {}).get("TimeToLiveStatus") == "DISABLED":
        await _asked(calls, "UpdateTimeToLive", hot.expiry(calls.table), deadline)
    await check_table(calls, deadline, form)


def _check_place(calls: Calls, table: dict[str, Any]) -> None:
    arn = str(table.get("TableArn", "")).split(":")
    place = arn[3] if len(arn) > 3 else ""  # noqa: PLR2004  arn:aws:dynamodb:<region>:…
    if place not in (calls.region, LOCAL):
        raise WrongRegionError(
            f"{calls.table} is in {place or 'no region'}, the settings say {calls.region}:"
            " correct the region or the endpoint"
        )
    if not _usable(table):
        raise TransientError(f"{calls.table} is not of use yet: {table.get('TableStatus')}")


def _check_indices(name: str, table: dict[str, Any], form: hot.Form) -> None:
    held = {each.get("IndexName"): each for each in table.get("GlobalSecondaryIndexes", [])}
    for index, pair in form.indexes.items():
        if index not in held:
            raise IndexMissingError(
                f"{name} has no index {index}: create it on {pair[0]} and {pair[1]}"
            )
        _check_keys(name, f"index {index}", held[index], pair)
        if held[index].get("IndexStatus") not in USABLE:
            raise TransientError(f"the index {index} of {name} is still being made")


def _check_keys(name: str, what: str, held: dict[str, Any], names: tuple[str, ...]) -> None:
    if held.get("KeySchema") != hot.key_schema(names):
        raise KeySchemaError(
            f"the {what} of {name} has other keys than {' and '.join(names)}: keys cannot be"
            " changed, so make it anew"
        )


def _usable(table: dict[str, Any]) -> bool:
    return table.get("TableStatus") in USABLE


def _is_there(error: CreditError) -> bool:
    cause = error.__cause__
    return isinstance(cause, AwsRefusedError) and cause.service_code == "ResourceInUseException"


async def _described(calls: Calls, deadline: Deadline) -> dict[str, Any]:
    told = await _asked(calls, "DescribeTable", {"TableName": calls.table}, deadline)
    table: dict[str, Any] = told.get("Table", {})
    return table


async def _asked(
    calls: Calls, action: str, body: dict[str, Any], deadline: Deadline
) -> dict[str, Any]:
    try:
        told: dict[str, Any] = msgspec.json.decode(await calls.ask(action, body, deadline))
    except PermanentError as error:
        raise permanent(error, calls.region) from error
    except CreditError as error:
        raise translated(error, calls.region) from error
    return told
