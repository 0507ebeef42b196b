"""
What becomes of the driver's errors: none but the class is told, for a text may quote a key.

A store that projects must not take the API down, so whatever a call meets is transient;
`StoreRefusedError` tells apart what a person must correct, and `check` makes it permanent. A write
that timed out may have happened: rows guard themselves, so `put_if_newer` may be called again.
"""

from collections.abc import Iterator, Sequence
from typing import Final

import cassandra
from cassandra import connection, protocol
from cassandra.cluster import NoHostAvailable

from domain.errors import (
    CreditError,
    DeadlineExceededError,
    PermanentError,
    ThrottledError,
    TransientError,
)

#: A server that has no room answers so; Keyspaces also says its throttles by time-outs.
BUSY: Final = (
    cassandra.ReadTimeout,
    cassandra.WriteTimeout,
    protocol.OverloadedErrorMessage,
    connection.ConnectionBusy,
)
LOGIN: Final = (cassandra.AuthenticationFailed, protocol.BadCredentials)
RIGHTS: Final = (cassandra.Unauthorized, protocol.UnauthorizedErrorMessage)
#: The driver makes another error of what TLS says, and keeps the words.
CERTIFICATE: Final = "CERTIFICATE_VERIFY_FAILED"
REFUSED: Final = (
    cassandra.RequestValidationException,
    protocol.RequestValidationException,
    protocol.ProtocolException,
)
#: Whatever the driver raises by itself.
DRIVER_ERRORS: Final = (
    cassandra.DriverException,
    NoHostAvailable,
    connection.ConnectionException,
    connection.ConnectionBusy,
    connection.ProtocolError,
    protocol.ErrorMessage,
    OSError,
)


class SettingsError(PermanentError):
    """The settings and what the server has do not fit; the sentence says what to correct."""

    code = "keyspaces-settings"


class LoginRefusedError(SettingsError):
    """The server does not know this login, or its rights are too small."""


class CertificateRefusedError(SettingsError):
    """The server's certificate is not one that we may trust for this name."""


class WrongDatacenterError(SettingsError):
    """No node is in the datacentre or region that the settings name."""


class MissingKeyspaceError(SettingsError):
    """The keyspace is not there."""


class MissingTableError(SettingsError):
    """The keyspace is there, and the table is not."""


class ForeignTableError(SettingsError):
    """The table has other columns: an older version, or not ours."""


class TtlDisabledError(SettingsError):
    """The table cannot let rows expire."""


class StoreRefusedError(TransientError):
    """The store answers, and will go on to refuse until somebody corrects the settings."""

    code = "store-refused"

    def __init__(self, detail: str, found: SettingsError | None = None) -> None:
        super().__init__(detail)
        self.found = found


def refused_by(found: SettingsError) -> StoreRefusedError:
    """Return the transient form of what a person has to correct."""
    return StoreRefusedError(str(found), found)


def settled(error: TransientError) -> CreditError:
    """Return what a person has to correct, where the error is that, for a look at the settings."""
    if isinstance(error, StoreRefusedError):
        return error.found or SettingsError(str(error))
    return error


def translated(error: BaseException, *, out_of_time: bool = False) -> TransientError:
    """Return a fresh error of the port; `out_of_time` when the caller's deadline was the limit."""
    if isinstance(error, TransientError):
        return error
    if isinstance(error, cassandra.OperationTimedOut):
        if out_of_time:
            return DeadlineExceededError("the wide store did not answer in time")
        return TransientError("the wide store did not answer in time")
    causes = list(_causes(error))
    name = type(causes[-1]).__name__
    refused = _refusal(causes)
    if refused is not None:
        return refused
    if any(isinstance(cause, BUSY) for cause in causes):
        return ThrottledError(f"the wide store has no room ({name})")
    return TransientError(f"the wide store is away ({name})")


def _refusal(causes: Sequence[BaseException]) -> StoreRefusedError | None:
    for cause in causes:
        if isinstance(cause, LOGIN):
            return refused_by(login_refused())
        if isinstance(cause, RIGHTS):
            return refused_by(rights_refused())
        if isinstance(cause, OSError) and CERTIFICATE in str(cause):
            return refused_by(certificate_refused())
        if isinstance(cause, REFUSED):
            return StoreRefusedError(f"the wide store refuses ({type(cause).__name__})")
    return None


def login_refused() -> LoginRefusedError:
    """Return what to say when the login is refused."""
    return LoginRefusedError(
        "the wide store refuses the login: correct user and password, or the role and region that"
        " sign for it"
    )


def certificate_refused() -> CertificateRefusedError:
    """Return what to say when the certificate is refused."""
    return CertificateRefusedError(
        "the wide store's certificate is not for its name, or of an unknown authority: correct the"
        " address, or name the file of the authority"
    )


def rights_refused() -> LoginRefusedError:
    """Return what to say when the login has too few rights."""
    return LoginRefusedError(
        "the wide store forbids it: the login needs SELECT and MODIFY on the table, and SELECT on"
        " the system's tables"
    )


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield the error, and what each node said when none could be asked."""
    yield error
    if isinstance(error, NoHostAvailable):
        held = error.errors or {}
        for cause in list(held.values() if isinstance(held, dict) else held):
            if isinstance(cause, BaseException):
                yield cause
