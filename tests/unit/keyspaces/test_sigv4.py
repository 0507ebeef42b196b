"""The login of Amazon Keyspaces, held to the values that AWS published with its plugin."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from adapters.aws.credentials import Credentials
from adapters.stores.keyspaces.sigv4 import (
    SigV4Provider,
    answer,
    canonical_request,
    nonce_of,
    signature,
    timestamp,
)
from domain.errors import PermanentError
from tests.contracts.opened import HandClock

NONCE = b"91703fdc2ef562e19fbdab0f58e42fe5"
INSTANT = datetime(2020, 6, 9, 22, 41, 51, tzinfo=UTC)
KEY = Credentials("UserID-1", "UserSecretKey-1")
#: Of the plugin's own tests (test_auth.py, and the same in its Java and Go forms).
SIGNATURE = "7f3691c18a81b8ce7457699effbfae5b09b4e0714ab38c1292dbdf082c9ddd87"
REQUEST = (
    "PUT\n/authenticate\n"
    "X-Amz-Algorithm=AWS4-HMAC-SHA256"
    "&X-Amz-Credential=UserID-1%2F20200609%2Fus-west-2%2Fcassandra%2Faws4_request"
    "&X-Amz-Date=2020-06-09T22%3A41%3A51.000Z&X-Amz-Expires=900\n"
    "host:cassandra\n\nhost\n"
    "ddf250111597b3f35e51e649f59e3f8b30ff5b247166d709dc1b1e60bd927070"
)


def test_the_published_request_and_signature() -> None:
    scope = "20200609/us-west-2/cassandra/aws4_request"
    assert canonical_request(NONCE, "UserID-1", scope, timestamp(INSTANT)) == REQUEST
    assert signature(NONCE, "us-west-2", KEY, INSTANT) == SIGNATURE


def test_the_published_exchange() -> None:
    clock = HandClock(INSTANT)
    login = SigV4Provider("us-west-2", lambda: KEY, clock).new_authenticator(None)

    assert login.initial_response() == b"SigV4\0\0"
    assert login.evaluate_challenge(b"garbage nonce=" + NONCE + b" garbage") == (
        f"signature={SIGNATURE},access_key=UserID-1,amzdate=2020-06-09T22:41:51.000Z".encode()
    )


def test_a_session_has_its_token_in_the_answer_and_not_in_the_signature() -> None:
    with_token = Credentials("UserID-1", "UserSecretKey-1", "token/+=")

    told = answer(NONCE, "us-west-2", with_token, INSTANT)

    assert told == answer(NONCE, "us-west-2", KEY, INSTANT) + ",session_token=token/+="


def test_credentials_are_asked_once_a_login_and_again_at_the_next() -> None:
    renewed = iter([KEY, Credentials("UserID-2", "other", "t")])
    provider = SigV4Provider("us-west-2", lambda: next(renewed), HandClock(INSTANT))
    challenge = b"nonce=" + NONCE

    first = provider.new_authenticator(None).evaluate_challenge(challenge)
    second = provider.new_authenticator(None).evaluate_challenge(challenge)

    assert b"access_key=UserID-1," in first
    assert b"access_key=UserID-2," in second
    assert second.endswith(b",session_token=t")


@pytest.mark.parametrize(
    ("micros", "text"),
    [
        (0, "000"), (499, "000"), (999, "000"), (1_000, "001"),
        (999_000, "999"), (999_499, "999"), (999_500, "999"), (999_999, "999"),
    ],
)  # fmt: skip
def test_milliseconds_have_three_digits_always(micros: int, text: str) -> None:
    instant = INSTANT + timedelta(microseconds=micros)
    assert timestamp(instant) == f"2020-06-09T22:41:51.{text}Z"


def test_another_time_zone_signs_the_same() -> None:
    there = INSTANT.astimezone(timezone(timedelta(hours=-3)))
    assert answer(NONCE, "us-west-2", KEY, there) == answer(NONCE, "us-west-2", KEY, INSTANT)


@pytest.mark.parametrize("challenge", [b"", b"nonce=", b"nonce=" + NONCE[:-1], b"once=" + NONCE])
def test_a_challenge_without_a_nonce_is_no_keyspaces(challenge: bytes) -> None:
    with pytest.raises(PermanentError, match="nonce"):
        nonce_of(challenge)


def test_secrets_are_never_shown() -> None:
    shown = repr(Credentials("UserID-1", "S3cret", "T0ken"))
    assert "S3cret" not in shown
    assert "T0ken" not in shown
