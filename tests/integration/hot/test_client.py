"""The thin client against servers that misbehave to the byte, on each event loop."""

import asyncio
import ssl
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import ThreadingHTTPServer
from pathlib import Path

import pytest
import uvloop

from adapters.aws.credentials import ChainCredentials, Credentials
from adapters.aws.endpoint import Endpoint
from adapters.aws.errors import (
    AwsBusyError,
    AwsFailedError,
    AwsRefusedError,
    AwsThrottledError,
    CredentialsRefusedError,
    NotSentError,
    ReplyLostError,
)
from adapters.aws.json_client import JsonClient
from adapters.aws.pool import Limits
from adapters.aws.retrying import Retrying, RetryPolicy
from adapters.system import SystemClock
from domain.errors import (
    AmbiguousError,
    CreditError,
    DeadlineExceededError,
    PermanentError,
    ThrottledError,
    TransientError,
)
from domain.ports.time import Deadline
from tests.contracts.opened import FixedChance, HandClock
from tests.integration.hot.answering import Answer, answering, fails
from tests.integration.hot.stores import KEYS, PATIENT, at_port, client_of, soon
from tests.integration.shared.caches import Loop
from tests.integration.shared.scripted import Says, Script, scripted
from tests.services.certificate import certificate
from tests.services.server import HOST, free_ports

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
BRIEF = replace(PATIENT, attempt_s=0.05)


@pytest.fixture(params=[asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def loop(request: pytest.FixtureRequest) -> Iterator[Loop]:
    with Loop(request.param) as running:
        yield running


def call(client: JsonClient, loop: Loop, seconds: float = 20.0) -> bytes:
    return loop(client.call("A.B", b"{}", soon(seconds)))


async def asked(script: Script) -> None:
    """Wait until a request has come."""
    async with asyncio.timeout(20):
        while not script.requests:  # noqa: ASYNC110  the server is a thread without this loop
            await asyncio.sleep(0.001)


def test_calls_after_one_another_share_a_connection(loop: Loop) -> None:
    with scripted(Says([OK] * 9)) as script, client_of(at_port(script.port), loop) as client:
        assert [call(client, loop) for _ in range(9)] == [b"{}"] * 9
        assert script.connections == 1
    head = script.requests[0].decode()
    assert head.startswith("POST / HTTP/1.1\r\n")
    assert "\r\nx-amz-target: A.B\r\n" in head
    assert head.endswith("\r\n\r\n{}")


def test_connections_and_waiting_calls_are_bounded_and_the_bound_is_lifted(loop: Loop) -> None:
    limits = replace(PATIENT, connections=2, waiting=5)
    with (
        answering(lambda *_: Answer(200, {})) as server,
        client_of(at_port(server.port), loop, limits=limits) as client,
    ):

        async def many() -> list[object]:
            calls = (client.call("A.B", b"{}", soon()) for _ in range(12))
            return list(await asyncio.gather(*calls, return_exceptions=True))

        for _ in range(3):
            found = loop(many())
            assert found.count(b"{}") == 7
            refused = [each for each in found if each != b"{}"]
            assert all(type(each) is ThrottledError for each in refused)
        assert len(server.connections) == 2


def test_who_waits_for_a_connection_waits_until_its_own_deadline(loop: Loop) -> None:
    limits = replace(PATIENT, connections=1)
    with (
        scripted(Says([b""]), Says([OK])) as script,
        client_of(at_port(script.port), loop, limits=limits) as client,
    ):

        async def both() -> list[object]:
            first = asyncio.create_task(client.call("A.B", b"{}", soon()))
            await asked(script)
            calls = (client.call("A.B", b"{}", soon(0.01)) for _ in range(3))
            found = list(await asyncio.gather(*calls, return_exceptions=True))
            first.cancel()
            await asyncio.gather(first, return_exceptions=True)
            return [type(each) for each in found]

        assert loop(both()) == [DeadlineExceededError] * 3
        assert call(client, loop) == b"{}"


def test_past_its_deadline_a_call_sends_nothing(loop: Loop) -> None:
    with scripted(Says([OK])) as script, client_of(at_port(script.port), loop) as client:
        with pytest.raises(DeadlineExceededError):
            call(client, loop, 0)
        assert script.connections == 0


@pytest.mark.parametrize("ends", [True, False], ids=["ended", "silent"])
@pytest.mark.parametrize("count", range(len(OK)))
def test_a_reply_that_stops_at_any_byte_is_in_doubt(loop: Loop, count: int, *, ends: bool) -> None:
    limits = PATIENT if ends else BRIEF
    with (
        scripted(Says([OK[:count]], ends=ends), Says([OK] * 9)) as script,
        client_of(at_port(script.port), loop, limits=limits) as client,
    ):
        with pytest.raises(ReplyLostError) as caught:
            call(client, loop)
        assert not caught.value.kept
        client._limits = client._pools[next(iter(client._pools))]._limits = PATIENT
        assert call(client, loop) == b"{}"
        assert script.connections == 2


def test_a_kept_connection_that_the_server_ended_costs_a_retry_and_no_time(loop: Loop) -> None:
    """The budget is empty and chance would wait long: neither is asked."""
    policy = RetryPolicy(tokens=0, base_s=600, cap_s=600)
    with (
        scripted(Says([OK, b""], ends=True), Says([OK] * 9)) as script,
        client_of(at_port(script.port), loop) as client,
    ):
        retrying = Retrying(client, clock=SystemClock(), chance=FixedChance(0.9), policy=policy)
        for _ in range(2):
            assert loop(retrying.call("A.B", b"{}", soon())) == b"{}"
        assert script.connections == 2


def test_what_idled_for_long_is_not_used_again(loop: Loop) -> None:
    clock = HandClock()
    with (
        scripted(Says([OK] * 9)) as script,
        client_of(at_port(script.port), loop, clock=clock) as client,
    ):
        for seconds in (0, 19, 19, 21, 1):
            clock.advance(seconds)
            loop(client.call("A.B", b"{}", Deadline(float("inf"))))
        assert script.connections == 2


@pytest.mark.parametrize("limits", [BRIEF, PATIENT], ids=["the attempt", "the deadline"])
def test_a_late_reply_answers_nobody_else(loop: Loop, limits: Limits) -> None:
    late = threading.Event()

    def say(_action: str, request: object) -> Answer:
        if request == {"n": 0}:
            late.wait(20)
        return Answer(200, request)

    with (
        answering(say) as server,
        client_of(at_port(server.port), loop, limits=limits) as client,
    ):
        with pytest.raises(ReplyLostError, match="in time"):
            loop(client.call("A.B", b'{"n":0}', soon(20 if limits is BRIEF else 0.05)))
        client._limits = PATIENT
        late.set()
        for number in range(1, 9):
            asked = b'{"n": %d}' % number
            assert loop(client.call("A.B", asked, soon())) == asked


@pytest.mark.parametrize(
    "reply",
    [
        b"SSH-2.0-OpenSSH\r\n",
        b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n" + b"x" * 9,
        b"HTTP/1.1 200 OK\r\nContent-Length: 2x\r\n\r\n{}",
    ],
    ids=["other", "upgrade", "long", "length"],
)
def test_what_is_no_reply_is_in_doubt(loop: Loop, reply: bytes) -> None:
    with (
        scripted(Says([reply], ends=True)) as script,
        client_of(at_port(script.port), loop) as client,
        pytest.raises(ReplyLostError),
    ):
        call(client, loop)


@pytest.mark.parametrize(
    "reply",
    [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n1\r\n}\r\n0\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n" + OK,
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}",
    ],
    ids=["chunked", "interim", "closing"],
)
def test_forms_of_a_good_reply(loop: Loop, reply: bytes) -> None:
    with scripted(Says([reply] * 9)) as script, client_of(at_port(script.port), loop) as client:
        assert [call(client, loop) for _ in range(3)] == [b"{}"] * 3
        assert script.connections == (3 if b"close" in reply else 1)


def test_what_comes_unasked_ends_the_connection(loop: Loop) -> None:
    with (
        scripted(
            Says([OK + OK]), Says([b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n1"])
        ) as script,
        client_of(at_port(script.port), loop) as client,
    ):
        assert [call(client, loop) for _ in range(2)] == [b"{}", b"1"]
        assert script.connections == 2


KINDS = [
    ("ProvisionedThroughputExceededException", 400, AwsThrottledError),
    ("ThrottlingException", 400, AwsThrottledError),
    ("RequestLimitExceeded", 400, AwsThrottledError),
    ("Whatever", 429, AwsThrottledError),
    ("TransactionInProgressException", 400, AwsBusyError),
    ("InternalServerError", 500, AwsFailedError),
    ("ServiceUnavailable", 503, AwsFailedError),
    ("ExpiredTokenException", 400, CredentialsRefusedError),
    ("UnrecognizedClientException", 400, CredentialsRefusedError),
    ("ResourceNotFoundException", 400, AwsRefusedError),
    ("AccessDeniedException", 400, AwsRefusedError),
]


@pytest.mark.parametrize(("code", "status", "kind"), KINDS, ids=[code for code, _, _ in KINDS])
def test_an_error_is_of_the_kind_that_says_what_to_do(
    loop: Loop, code: str, status: int, kind: type[CreditError]
) -> None:
    with (
        answering(lambda *_: fails(code, status)) as server,
        client_of(at_port(server.port), loop) as client,
    ):
        with pytest.raises(kind) as caught:
            call(client, loop)
        assert type(caught.value) is kind
        assert getattr(caught.value, "service_code", "") == code
        assert "honey" not in repr(caught.value)


def test_an_error_without_a_form_is_still_one(loop: Loop) -> None:
    page = b"HTTP/1.1 502 Bad\r\nContent-Length: 6\r\n\r\n<html>"
    with (
        scripted(Says([page])) as script,
        client_of(at_port(script.port), loop) as client,
        pytest.raises(AwsFailedError, match="an error"),
    ):
        call(client, loop)


class Renewed:
    """Gives other keys once the first were refused."""

    def __init__(self) -> None:
        self.keys = [Credentials("first", "s"), Credentials("second", "s", "token")]

    async def get(self, deadline: Deadline) -> Credentials:
        return self.keys[0]

    def forget(self, refused: Credentials) -> None:
        self.keys.remove(refused)


def test_expired_keys_are_asked_for_anew(loop: Loop) -> None:
    def say(*_: object) -> Answer:
        first = "Credential=first/" in server.headers[-1]["authorization"]
        return fails("ExpiredTokenException") if first else Answer(200, {})

    with (
        answering(say) as server,
        client_of(at_port(server.port), loop, keys=Renewed()) as client,
    ):
        with pytest.raises(CredentialsRefusedError):
            call(client, loop)
        assert call(client, loop) == b"{}"
        assert server.headers[-1]["x-amz-security-token"] == "token"


def test_keys_are_found_where_the_sdk_finds_them(
    loop: Loop, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    clock, found = HandClock(), Credentials("none", "none")
    never = Deadline(float("inf"))
    chain = ChainCredentials(clock)
    with pytest.raises(PermanentError, match="no AWS credentials"):
        loop(chain.get(never))

    for number, seconds in ((1, 0), (2, 30), (3, 61)):
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", f"key{number}")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
        monkeypatch.setenv("AWS_SESSION_TOKEN", "token")
        clock.advance(seconds)
        found = loop(chain.get(never))
        assert (found.secret_key, found.token) == ("secret", "token")
        # botocore reads the environment once.
        assert found.access_key == "key1"
    chain.forget(found)
    assert loop(chain.get(never)).access_key == "key3"


def test_a_caller_that_leaves_takes_its_connection_and_nobody_along(loop: Loop) -> None:
    limits = replace(PATIENT, connections=1)
    with (
        scripted(Says([b""]), Says([OK] * 9)) as script,
        client_of(at_port(script.port), loop, limits=limits) as client,
    ):

        async def leave() -> list[object]:
            calls = [asyncio.create_task(client.call("A.B", b"{}", soon())) for _ in range(3)]
            await asked(script)
            calls[0].cancel()
            return list(await asyncio.gather(*calls, return_exceptions=True))

        first, *rest = loop(leave())
        assert isinstance(first, asyncio.CancelledError)
        assert rest == [b"{}"] * 2
        assert script.connections == 2


def test_after_closing_nothing_is_begun_and_whoever_waited_is_told(loop: Loop) -> None:
    with scripted(Says([b""])) as script, client_of(at_port(script.port), loop) as client:

        async def close_while_calling() -> object:
            waiting = asyncio.create_task(client.call("A.B", b"{}", soon()))
            await asked(script)
            await client.close()
            (found,) = await asyncio.gather(waiting, return_exceptions=True)
            return found

        assert isinstance(loop(close_while_calling()), AmbiguousError)
        with pytest.raises(TransientError, match="closed"):
            call(client, loop)


def test_threads_with_loops_of_their_own_share_a_client(loop: Loop) -> None:
    with (
        scripted(Says([OK] * 9)) as script,
        Loop() as other,
        client_of(at_port(script.port), loop) as client,
    ):
        for _ in range(3):
            assert call(client, loop) == call(client, other) == b"{}"
        assert script.connections == 2


def test_nobody_listens(loop: Loop) -> None:
    (nobody,) = free_ports(1)
    with client_of(at_port(nobody), loop) as client, pytest.raises(NotSentError, match="away"):
        call(client, loop)


def test_over_tls_only_a_known_certificate_is_spoken_to(loop: Loop, tmp_path: Path) -> None:
    certificate_file, key_file = certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate_file, key_file)

    def wrapped(server: ThreadingHTTPServer) -> None:
        server.socket = context.wrap_socket(server.socket, server_side=True)

    with answering(lambda *_: Answer(200, {}), prepare=wrapped) as server:
        url = f"https://{HOST}:{server.port}"
        for ca_file in (str(certificate_file), None):
            endpoint = Endpoint.of("dynamodb", "us-east-1", url, ca_file=ca_file)
            client = JsonClient(endpoint, KEYS, clock=SystemClock(), limits=PATIENT)
            if ca_file:
                assert call(client, loop) == call(client, loop) == b"{}"
            else:
                with pytest.raises(NotSentError, match="away"):
                    call(client, loop)
            loop(client.close())
        assert len(server.connections) == 1


def test_a_missing_file_of_authorities_is_named(tmp_path: Path) -> None:
    endpoint = Endpoint.of("dynamodb", "us-east-1", ca_file=str(tmp_path / "none"))
    with pytest.raises(PermanentError, match="certificate"):
        JsonClient(endpoint, KEYS, clock=SystemClock())


def test_attempts_stay_within_the_budget_and_successes_fill_it_again(loop: Loop) -> None:
    policy = RetryPolicy(tokens=10, earned=0.5)
    failing = True

    def say(*_: object) -> Answer:
        return fails("ThrottlingException") if failing else Answer(200, {})

    with answering(say) as server, client_of(at_port(server.port), loop) as client:
        retrying = Retrying(client, clock=SystemClock(), chance=FixedChance(0.0), policy=policy)

        def attempts(calls: int) -> int:
            before = len(server.asked)
            for _ in range(calls):
                if failing:
                    with pytest.raises(ThrottledError):
                        loop(retrying.call("A.B", b"{}", soon()))
                else:
                    loop(retrying.call("A.B", b"{}", soon()))
            return len(server.asked) - before

        assert attempts(1) == policy.attempts
        assert attempts(30) == 30 + 10 - (policy.attempts - 1)
        failing = False
        assert attempts(8) == 8
        failing = True
        assert attempts(30) == 30 + 4
        assert retrying.metrics()["retries"] == 14


def test_no_pause_outlasts_the_deadline(loop: Loop) -> None:
    policy = RetryPolicy(base_s=600, cap_s=600)
    with (
        answering(lambda *_: fails("ThrottlingException")) as server,
        client_of(at_port(server.port), loop) as client,
    ):
        retrying = Retrying(client, clock=SystemClock(), chance=FixedChance(0.5), policy=policy)
        with pytest.raises(ThrottledError):
            loop(retrying.call("A.B", b"{}", soon()))
        assert len(server.asked) == 1


def test_what_must_not_be_repeated_is_told_to_be_in_doubt(loop: Loop) -> None:
    with (
        answering(lambda *_: fails("InternalServerError", 500)) as server,
        client_of(at_port(server.port), loop) as client,
    ):
        retrying = Retrying(client, clock=SystemClock(), chance=FixedChance(0.0))
        with pytest.raises(AmbiguousError):
            loop(retrying.call("A.B", b"{}", soon(), repeatable=False))
        assert len(server.asked) == 1
        with pytest.raises(TransientError):
            loop(retrying.call("A.B", b"{}", soon()))
        assert len(server.asked) == 1 + RetryPolicy().attempts
