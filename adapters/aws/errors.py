"""
What a service of AWS answers when it does not do what was asked, by what the caller can do.

Only codes are told: the sentences of a service may quote keys and values. `body` holds the whole
answer for an adapter that has to look into it, and no `repr` shows it.
"""

from typing import Final

import msgspec

from domain.errors import (
    AmbiguousError,
    CreditError,
    PermanentError,
    ThrottledError,
    TransientError,
)

SERVER_ERROR: Final = 500
TOO_MANY: Final = 429
THROTTLES: Final = frozenset({
    "BandwidthLimitExceeded", "KMSThrottlingException", "LimitExceededException",
    "ProvisionedThroughputExceededException", "RequestLimitExceeded", "RequestThrottled",
    "RequestThrottledException", "Throttling", "ThrottlingException", "TooManyRequestsException",
})  # fmt: skip
#: Nothing was done, because something else is under way there.
BUSY: Final = frozenset({
    "ReplicatedWriteConflictException", "TransactionConflictException",
    "TransactionInProgressException",
})  # fmt: skip
EXPIRED: Final = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired"})
CREDENTIALS: Final = EXPIRED | {
    "IncompleteSignatureException", "InvalidAccessKeyId", "InvalidClientTokenId",
    "InvalidSignatureException", "MissingAuthenticationToken",
    "MissingAuthenticationTokenException", "UnrecognizedClientException",
}  # fmt: skip


class ServiceAnsweredError(CreditError):
    """Beside an error of the domain: the service's own code, the HTTP status, and all it said."""

    def __init__(self, service_code: str, status: int, body: bytes) -> None:
        super().__init__(f"the service answered {service_code or 'an error'} ({status})")
        self.service_code, self.status, self.body = service_code, status, body


class AwsThrottledError(ServiceAnsweredError, ThrottledError):
    """The service asks for less; nothing was done."""

    code = "throttled"


class AwsBusyError(ServiceAnsweredError, TransientError):
    """Another call is under way on the same thing; nothing was done."""

    code = "unavailable"


class AwsFailedError(ServiceAnsweredError, AmbiguousError):
    """The service failed (5xx): what was asked may have been done."""

    code = "outcome-unknown"


class AwsRefusedError(ServiceAnsweredError, PermanentError):
    """The service will not do it, and nothing was done."""

    code = "permanent"


class CredentialsRefusedError(AwsRefusedError):
    """The service does not accept who asks: expired or unknown credentials, or a wrong clock."""

    @property
    def expired(self) -> bool:
        """Whether new credentials from the same source are the remedy."""
        return self.service_code in EXPIRED


class NotSentError(TransientError):
    """No connection could be made, so nothing was asked."""


class ReplyLostError(AmbiguousError):
    """The request went out and no whole reply came back in time: it may have been done."""

    def __init__(self, detail: str, *, kept: bool = False) -> None:
        super().__init__(detail)
        #: The connection had served before, and ended before a byte of this reply came.
        self.kept = kept


class _Told(msgspec.Struct):
    kind: str = msgspec.field(default="", name="__type")


_TOLD: Final = msgspec.json.Decoder(_Told)


def service_error(status: int, body: bytes) -> ServiceAnsweredError:
    """Return the error that an answer other than 200 stands for."""
    try:
        code = _TOLD.decode(body).kind.rpartition("#")[2]
    except msgspec.DecodeError:
        code = ""
    return _kind(code, status)(code, status, body)


def _kind(code: str, status: int) -> type[ServiceAnsweredError]:
    if code in THROTTLES or status == TOO_MANY:
        return AwsThrottledError
    if code in BUSY:
        return AwsBusyError
    if code in CREDENTIALS:
        return CredentialsRefusedError
    return AwsFailedError if status >= SERVER_ERROR else AwsRefusedError
