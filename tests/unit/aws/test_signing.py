"""Signature Version 4, with botocore's signer as the oracle."""

from datetime import UTC, datetime
from itertools import pairwise

import pytest
from botocore import auth
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotoCredentials
from hypothesis import given
from hypothesis import strategies as st

from adapters.aws.credentials import Credentials
from adapters.aws.endpoint import Endpoint
from adapters.aws.signing import Signer
from domain.errors import PermanentError

INSTANTS = st.datetimes(datetime(2000, 1, 1), datetime(2199, 1, 1), timezones=st.just(UTC))
KEY = st.from_regex(r"[A-Za-z0-9+/=]{1,60}", fullmatch=True)
NAMES = st.from_regex(r"[A-Za-z0-9_]{1,20}\.[A-Za-z]{1,20}", fullmatch=True)
ENDPOINTS = st.sampled_from([
    Endpoint.of("dynamodb", "us-east-1"),
    Endpoint.of("kms", "sa-east-1"),
    Endpoint.of("kinesis", "us-west-2", "http://127.0.0.1:4567"),
    Endpoint.of("dynamodb", "cn-north-1", "https://[::1]:8443/"),
])  # fmt: skip


def parsed(request: bytes) -> tuple[dict[str, str], bytes]:
    head, _, body = request.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert lines[0] == "POST / HTTP/1.1"
    return dict(line.split(": ", 1) for line in lines[1:]), body


def expected(
    endpoint: Endpoint, headers: dict[str, str], keys: Credentials, payload: bytes, at: datetime
) -> dict[str, str]:
    """Return what botocore adds to these headers."""
    scheme = "https" if endpoint.tls else "http"
    request = AWSRequest("POST", f"{scheme}://{endpoint.authority}/", headers, payload)
    theirs = BotoCredentials(keys.access_key, keys.secret_key, keys.token or None)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(auth, "get_current_datetime", lambda: at.replace(tzinfo=None))
        SigV4Auth(theirs, endpoint.service, endpoint.region).add_auth(request)
    return {name.lower(): value for name, value in request.headers.items()}


@given(
    endpoint=ENDPOINTS, version=st.sampled_from(["1.0", "1.1"]), target=NAMES, access=KEY,
    secret=KEY, token=st.one_of(st.just(""), KEY), payload=st.binary(max_size=200), at=INSTANTS,
)  # fmt: skip
def test_a_request_is_signed_as_botocore_signs_it(  # noqa: PLR0917
    endpoint: Endpoint, version: str, target: str, access: str, secret: str, token: str,
    payload: bytes, at: datetime,
) -> None:  # fmt: skip
    keys = Credentials(access, secret, token)

    headers, body = parsed(Signer(endpoint, version).request(keys, target, payload, at))

    assert body == payload
    assert int(headers.pop("content-length")) == len(payload)
    assert headers.pop("host") == endpoint.authority
    ours = {"x-amz-target": target, "content-type": f"application/x-amz-json-{version}"}
    assert headers == expected(endpoint, ours, keys, payload, at)


@given(instants=st.lists(INSTANTS, min_size=2, max_size=6), turns=st.lists(st.booleans()))
def test_what_is_kept_never_signs_for_another_day_or_other_keys(
    instants: list[datetime], turns: list[bool]
) -> None:
    endpoint = Endpoint.of("dynamodb", "us-east-1")
    both = (Credentials("one", "1"), Credentials("two", "2", "token"))
    kept = Signer(endpoint, "1.0")
    for at, turn in zip(instants * 3, [*turns, True, False, True], strict=False):
        keys = both[turn]
        fresh = Signer(endpoint, "1.0").request(keys, "a.B", b"{}", at)
        assert kept.request(keys, "a.B", b"{}", at) == fresh


def test_each_part_changes_the_signature() -> None:
    at, keys = datetime(2026, 12, 10, tzinfo=UTC), Credentials("a", "s")
    signer = Signer(Endpoint.of("dynamodb", "us-east-1"), "1.0")
    made = [
        signer.request(keys, "a.B", b"{}", at),
        signer.request(keys, "a.B", b"{ }", at),
        signer.request(keys, "a.C", b"{}", at),
        signer.request(Credentials("a", "t"), "a.B", b"{}", at),
        signer.request(keys, "a.B", b"{}", at.replace(second=1)),
        Signer(Endpoint.of("kms", "us-east-1"), "1.0").request(keys, "a.B", b"{}", at),
    ]
    signatures = sorted(parsed(each)[0]["authorization"] for each in made)

    assert all(one != other for one, other in pairwise(signatures))


@pytest.mark.parametrize("key", ["", "a\r\nhost: b", "a\nb", "chave\u00e7", "a ", "a\0"])
def test_what_cannot_stand_in_a_header_is_no_key(key: str) -> None:
    with pytest.raises(PermanentError, match="not keys") as caught:
        Credentials(key, "s")
    assert len(key) < 3 or key not in str(caught.value)


def test_no_repr_shows_a_key() -> None:
    assert "honey" not in repr(Credentials("honey1", "honey2", "honey3"))


@pytest.mark.parametrize("region", ["", "us east", "us-east-1.evil", "\u00fcs-east-1"])
def test_a_region_has_the_form_of_one(region: str) -> None:
    with pytest.raises(PermanentError, match="region"):
        Endpoint.of("dynamodb", region)


@pytest.mark.parametrize("url", [
    "ftp://h", "http://", "localhost:8000", "http://u:honey@h", "http://h:x", "http://h/path",
])  # fmt: skip
def test_an_address_that_is_none_is_refused_and_not_quoted(url: str) -> None:
    with pytest.raises(PermanentError, match="endpoint of dynamodb") as caught:
        Endpoint.of("dynamodb", "us-east-1", url)
    assert "honey" not in str(caught.value)
