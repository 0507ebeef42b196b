"""
What becomes of the service's errors.

All are transient for who reads and writes: no tier may take a decision down. `check` and `create`
raise the permanent ones below, which say what a person has to correct.
"""

from adapters.aws.errors import AwsRefusedError, CredentialsRefusedError
from domain.errors import (
    CreditError,
    DeadlineExceededError,
    PermanentError,
    ThrottledError,
    TransientError,
)

#: What the service says when the signature names another region than its own.
ELSEWHERE = b"scoped to a valid region"


class HotStoreRefusedError(TransientError):
    """DynamoDB answers, and will go on to refuse until somebody corrects the settings."""

    code = "hot-store-refused"


class ItemTooLargeError(PermanentError):
    """A row is larger than DynamoDB takes; the other rows of its call are written."""

    code = "hot-item-too-large"


class HotTableError(PermanentError):
    """The table is not as it has to be, or we may not see it; the sentence says what to do."""

    code = "hot-table"


class TableMissingError(HotTableError):
    """There is no such table in this account and region."""

    code = "hot-table-missing"


class KeySchemaError(HotTableError):
    """The table or an index has other keys."""

    code = "hot-table-keys"


class IndexMissingError(HotTableError):
    """An index is not there."""

    code = "hot-table-index-missing"


class ExpiryDisabledError(HotTableError):
    """Nothing expires, or by another attribute."""

    code = "hot-table-ttl-disabled"


class CapacityModeError(HotTableError):
    """The table has provisioned capacity."""

    code = "hot-table-capacity-mode"


class WrongRegionError(HotTableError):
    """The endpoint is in another region than the settings say."""

    code = "hot-table-region"


class CredentialsExpiredError(HotTableError):
    """The credentials were good once."""

    code = "hot-table-credentials-expired"


class AccessRefusedError(HotTableError):
    """The service does not know the credentials, or they may not do this."""

    code = "hot-table-access"


def permanent(error: PermanentError, region: str) -> HotTableError:
    """Return what a person has to correct."""
    if not isinstance(error, AwsRefusedError):
        return AccessRefusedError(str(error))
    if isinstance(error, CredentialsRefusedError):
        return _not_accepted(error, region)
    if error.service_code == "AccessDeniedException":
        return AccessRefusedError(
            "DynamoDB forbids it: allow GetItem, BatchGetItem, PutItem, Query, DescribeTable and"
            " DescribeTimeToLive on the table and its indices"
        )
    if error.service_code == "ResourceNotFoundException":
        return TableMissingError(
            f"there is no such table in {region}: run `creditctl stores prepare`, or correct"
            " DYNAMODB_TABLE or the region"
        )
    return HotTableError(f"DynamoDB refuses: {error.service_code} ({error.status})")


def _not_accepted(error: CredentialsRefusedError, region: str) -> HotTableError:
    if ELSEWHERE in error.body:
        return WrongRegionError(f"the endpoint is not in {region}: correct the region or the URL")
    if error.expired:
        return CredentialsExpiredError(
            "the AWS credentials have expired: sign in again, or see that the task's role renews"
        )
    return AccessRefusedError(
        f"DynamoDB does not accept the credentials ({error.service_code}): correct the keys, and"
        " see that the clock of this machine is right"
    )


def translated(error: CreditError, region: str) -> CreditError:
    """Return a fresh error of the port: nothing but transient ones, or a row that is too large."""
    if isinstance(error, ItemTooLargeError):
        return ItemTooLargeError(str(error))
    if isinstance(error, PermanentError):
        return HotStoreRefusedError(str(permanent(error, region)))
    if isinstance(error, DeadlineExceededError):
        return DeadlineExceededError(str(error))
    if isinstance(error, ThrottledError):
        return ThrottledError(str(error))
    # Whatever was done is guarded: after an unknown outcome doing it again is right.
    kind = type(error) if isinstance(error, HotStoreRefusedError) else TransientError
    return kind(str(error))
