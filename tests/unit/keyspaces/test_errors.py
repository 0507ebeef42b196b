"""What a caller hears of the driver's errors: a type, and never what the server quoted."""

from uuid import UUID

import cassandra
import pytest
from cassandra.cluster import NoHostAvailable
from cassandra.connection import ConnectionBusy, ConnectionException, ConnectionShutdown
from cassandra.protocol import BadCredentials, OverloadedErrorMessage, ServerError

from adapters.stores.keyspaces.errors import (
    CertificateRefusedError,
    LoginRefusedError,
    SettingsError,
    StoreRefusedError,
    settled,
    translated,
)
from domain.errors import DeadlineExceededError, PermanentError, ThrottledError, TransientError

QUOTED = "529.982.247-25"


def none_of(*errors: object) -> NoHostAvailable:
    return NoHostAvailable("none", {f"10.0.0.{at}": each for at, each in enumerate(errors)})


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (cassandra.OperationTimedOut({}, None), TransientError),
        (cassandra.ReadTimeout(QUOTED), ThrottledError),
        (cassandra.WriteTimeout(QUOTED, write_type=0), ThrottledError),
        (cassandra.Unavailable(QUOTED), TransientError),
        (cassandra.ReadFailure(QUOTED), TransientError),
        (OverloadedErrorMessage(0x1001, QUOTED, None), ThrottledError),
        (ServerError(0, QUOTED, None), TransientError),
        (ConnectionBusy(QUOTED), ThrottledError),
        (ConnectionShutdown(QUOTED), TransientError),
        (ConnectionException(QUOTED), TransientError),
        (none_of(), TransientError),
        (none_of(ConnectionRefusedError(QUOTED)), TransientError),
        (none_of(ConnectionBusy(QUOTED)), ThrottledError),
        (NoHostAvailable("none", None), TransientError),
        (cassandra.InvalidRequest(QUOTED), StoreRefusedError),
        (cassandra.Unauthorized(QUOTED), StoreRefusedError),
        (none_of(cassandra.AuthenticationFailed(QUOTED)), StoreRefusedError),
        (none_of(BadCredentials(0x100, QUOTED, None)), StoreRefusedError),
        (OSError(QUOTED), TransientError),
        (cassandra.UnresolvableContactPoints({}), TransientError),
    ],
)
def test_each_error_has_its_kind_and_quotes_nothing(
    error: Exception, kind: type[TransientError]
) -> None:
    told = translated(error)
    assert type(told) is kind
    assert QUOTED not in str(told)


def test_the_callers_own_limit_is_told_apart() -> None:
    error = cassandra.OperationTimedOut({}, None)
    assert type(translated(error, out_of_time=True)) is DeadlineExceededError


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (none_of(cassandra.AuthenticationFailed("x")), LoginRefusedError),
        (cassandra.Unauthorized("x"), LoginRefusedError),
        (none_of(PermissionError(1, "[SSL: CERTIFICATE_VERIFY_FAILED]")), CertificateRefusedError),
        (cassandra.InvalidRequest("x"), SettingsError),
    ],
)
def test_for_a_look_what_a_person_corrects_is_permanent(
    error: Exception, kind: type[PermanentError]
) -> None:
    told = settled(translated(error))
    assert type(told) is kind


def test_what_passes_stays_transient_for_a_look() -> None:
    assert type(settled(translated(none_of(ConnectionResetError())))) is TransientError


def test_our_own_errors_pass_as_they_are() -> None:
    error = ThrottledError(str(UUID(int=0)))
    assert translated(error) is error
