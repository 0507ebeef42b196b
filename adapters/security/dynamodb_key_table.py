"""
Wrapped person keys in a DynamoDB table of their own (`credit-person-keys`).

An item once written is never removed: a destroyed key leaves a tombstone, so that a put that comes
late finds the place taken. Backups of the table forget a key in their own time.
"""

import base64
from typing import Any, Final

import msgspec

from adapters.aws.errors import AwsRefusedError, CredentialsRefusedError
from adapters.security.kms_keys import Calls
from adapters.security.wrapped_keys import WrappedKey
from domain.errors import PermanentError, TransientError
from domain.ports.time import Deadline

TARGET: Final = "DynamoDB_20120810."
TABLE: Final = "credit-person-keys"
PERSON: Final = "personId"
CONDITION_FAILED: Final = "ConditionalCheckFailedException"
USABLE: Final = frozenset({"ACTIVE", "UPDATING"})


class DynamoDbKeyTable:
    """
    A table of wrapped keys; every method may be repeated without harm.

    All raise TransientError while DynamoDB is away, PermanentError when it refuses.
    """

    def __init__(self, calls: Calls, table: str = TABLE) -> None:
        self._calls, self._table = calls, table

    async def get(self, person_id: str, deadline: Deadline) -> WrappedKey | None:
        """Return the stored key, a tombstone, or None; never what was destroyed before."""
        fields = {"Key": _key(person_id), "ConsistentRead": True}
        reply = await self._ask("GetItem", fields, deadline)
        return _wrapped(reply["Item"]) if reply.get("Item") else None

    async def put_if_absent(
        self, person_id: str, key: WrappedKey, deadline: Deadline
    ) -> WrappedKey:
        """Keep the key unless there is one, or a tombstone; return what is stored."""
        fields = {
            "Item": {
                **_key(person_id),
                "kek": {"S": key.kek_version},
                "wrapped": {"B": key.wrapped},
            },
            "ConditionExpression": f"attribute_not_exists({PERSON})",
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
        try:
            await self._ask("PutItem", fields, deadline)
        except AwsRefusedError as error:
            if error.service_code != CONDITION_FAILED:
                raise
            item = _decoded(error.body).get("Item")
            stored = _wrapped(item) if item else await self.get(person_id, deadline)
            if stored is None:
                raise TransientError("the key vault lost a row") from None
            return stored
        return key

    async def destroy(self, person_id: str, deadline: Deadline) -> None:
        """Replace the key by a tombstone, which stays."""
        tombstone = {**_key(person_id), "destroyed": {"BOOL": True}}
        await self._ask("PutItem", {"Item": tombstone}, deadline)

    async def check(self, deadline: Deadline) -> None:
        """
        Ask whether the table is what it has to be.

        Raises:
            PermanentError: it is not there, has another key, or forgets items by a time to live.
        """
        found = (await self._ask("DescribeTable", {}, deadline))["Table"]
        if found["KeySchema"] != [{"AttributeName": PERSON, "KeyType": "HASH"}]:
            raise PermanentError(f"the table {self._table} has another key than {PERSON}")
        if found["TableStatus"] not in USABLE:
            raise TransientError(f"the table {self._table} is {found['TableStatus']}")
        lives = await self._ask("DescribeTimeToLive", {}, deadline)
        if lives["TimeToLiveDescription"]["TimeToLiveStatus"] != "DISABLED":
            raise PermanentError(f"the table {self._table} forgets tombstones: switch its TTL off")

    async def _ask(self, operation: str, fields: dict[str, Any], deadline: Deadline) -> Any:
        payload = msgspec.json.encode({"TableName": self._table, **fields})
        try:
            return _decoded(await self._calls.call(TARGET + operation, payload, deadline))
        except CredentialsRefusedError:
            raise
        except AwsRefusedError as error:
            if error.service_code == "ResourceNotFoundException":
                raise PermanentError(
                    f"there is no table {self._table} here: make it, or correct the region"
                ) from None
            raise


def _key(person_id: str) -> dict[str, Any]:
    return {PERSON: {"S": person_id}}


def _wrapped(item: dict[str, Any]) -> WrappedKey:
    if "wrapped" not in item:
        return WrappedKey("", None)
    try:
        return WrappedKey(item["kek"]["S"], base64.b64decode(item["wrapped"]["B"], validate=True))
    except (KeyError, TypeError, ValueError):
        raise PermanentError("a row of the key vault is none of ours") from None


def _decoded(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body)
    except msgspec.DecodeError:
        raise TransientError("what answered is not DynamoDB") from None
