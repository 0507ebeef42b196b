"""How a command reaches the platform, and what it says when that fails."""

import json
from pathlib import Path

import pytest

from adapters.inbound.cli import client
from adapters.security.tokens import SCOPES
from tests.unit.cli.conftest import Terminal
from tests.unit.cli.documents import DECISION, POLICIES
from tests.unit.cli.fake_platform import FakePlatform

LIST = ("policy", "list")


def test_says_who_asks_and_how_long_it_may_take(
    connected: Terminal, platform: FakePlatform
) -> None:
    platform.answers(POLICIES)

    connected.document(*LIST, "--deadline-ms", "700")

    (asked,) = platform.asked
    assert asked.headers["Authorization"] == "Bearer secret-token-of-the-tests"
    assert asked.headers["Deadline-Ms"] == "700"


def test_options_come_before_the_environment(connected: Terminal, platform: FakePlatform) -> None:
    connected.wiring.url = "http://127.0.0.1:1"
    platform.answers(POLICIES)

    connected.document(*LIST, "--url", f"{platform.url}/", "--token", "of-an-option")

    assert platform.asked[0].headers["Authorization"] == "Bearer of-an-option"
    assert platform.asked[0].path == "/v1/policies"


def test_makes_a_token_from_the_key_of_a_folder(
    connected: Terminal, platform: FakePlatform, tmp_path: Path
) -> None:
    connected.wiring.key = "made-here"
    platform.answers(POLICIES)

    connected.document(*LIST, "--data", str(tmp_path))

    assert connected.wiring.issued == [(tmp_path, SCOPES, "creditctl")]
    assert platform.asked[0].headers["Authorization"] == "Bearer made-here"


def test_on_this_machine_the_usual_folder_gives_the_token(
    connected: Terminal, platform: FakePlatform
) -> None:
    connected.wiring.token, connected.wiring.key = None, "made-here"
    platform.answers(POLICIES)

    connected.document(*LIST)

    assert [folder for folder, _, _ in connected.wiring.issued] == [connected.wiring.data]


def test_never_sends_this_machines_token_elsewhere_unasked(run: Terminal) -> None:
    run.wiring.key, run.wiring.url = "made-here", "http://credit.example:8080"

    result = run(*LIST)

    assert (result.exit_code, run.wiring.issued) == (2, [])
    assert "No token: give --token" in result.stderr


def test_without_any_token_says_how_to_give_one(run: Terminal) -> None:
    assert run.document(*LIST, code=2)["error"]["message"].startswith("No token")


@pytest.mark.parametrize(
    "url",
    [
        "127.0.0.1:8080",
        "ftp://127.0.0.1",
        "http://user:hidden-word@127.0.0.1",
        "http://127.0.0.1:99999999/",
        "http://[::1",
        "http://127.0.0.1/?key=hidden-word",
        "",
    ],
)
def test_an_unusable_address_is_bad_usage_and_is_not_echoed(run: Terminal, url: str) -> None:
    run.wiring.url = url

    result = run(*LIST, "--token", "x")

    assert result.exit_code == 2
    assert "like http://127.0.0.1:8080" in result.stderr
    assert "hidden-word" not in result.output


@pytest.mark.parametrize("token", ["two words", "line\nbreak", "á", "x" * 4097])
def test_an_unusable_token_is_bad_usage_and_is_not_echoed(run: Terminal, token: str) -> None:
    result = run(*LIST, "--token", token)

    assert result.exit_code == 2
    assert token not in result.output


def test_nobody_there(connected: Terminal) -> None:
    connected.wiring.url = "http://127.0.0.1:1"

    result = connected(*LIST)

    assert result.exit_code == 3
    assert result.stderr == (
        "Error: Nothing answers at http://127.0.0.1:1. `creditctl up` starts the platform.\n"
    )
    assert connected.document(*LIST, code=3)["error"]["code"] == "not-reachable"


def test_no_answer_in_time(
    connected: Terminal, platform: FakePlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "GRACE_SECONDS", 0.0)
    platform.answers(POLICIES)
    platform.seconds = 0.3

    result = connected(*LIST, "--deadline-ms", "50")

    assert result.exit_code == 3
    assert result.stderr == f"Error: {platform.url} did not answer in time.\n"


@pytest.mark.parametrize(
    ("status", "code", "exit_code"),
    [
        (400, "json-malformed", 4),
        (401, "token-expired", 4),
        (403, "scope-missing", 4),
        (404, "not-found", 4),
        (409, "review-closed", 4),
        (410, "gone", 4),
        (422, "invalid-input", 4),
        (500, "internal", 3),
        (503, "unavailable", 3),
    ],
)
def test_a_problem_is_one_sentence_and_the_document_for_programs(
    connected: Terminal, platform: FakePlatform, status: int, code: str, exit_code: int
) -> None:
    platform.refuses(status, code)

    result = connected(*LIST)
    document = connected.document(*LIST, code=exit_code)

    word = "Refused" if exit_code == 4 else "Not available"
    assert result.exit_code == exit_code
    assert result.stdout == ""
    assert result.stderr == (
        f"Error: {word} ({status} Title): The detail. Correlation id corr-1.\n"
    )
    assert document["error"]["code"] == document["error"]["problem"]["code"] == code


def test_the_places_of_faults_are_told(connected: Terminal, platform: FakePlatform) -> None:
    faults = [
        {"pointer": "/amount", "code": "money-format", "detail": "two decimals"},
        {"pointer": "", "code": "field-unknown", "detail": "not of this contract"},
        "no fault at all",
    ]
    platform.refuses(422, "invalid-input", errors=faults)

    result = connected(*LIST)

    assert result.stderr.splitlines()[1:] == [
        "  /amount: two decimals",
        "  /: not of this contract",
    ]


@pytest.mark.parametrize(
    ("status", "body", "exit_code"),
    [
        (200, b"<html>", 3),
        (200, b"[]", 3),
        (404, b"<html>", 4),
        (403, b'{"message": "no"}', 4),
        (502, b"", 3),
        (302, b"", 3),
    ],
)
def test_what_is_not_the_platform(
    connected: Terminal, platform: FakePlatform, status: int, body: bytes, exit_code: int
) -> None:
    platform.answers(body, status, Location="http://credit.example/")

    result = connected(*LIST)

    assert result.exit_code == exit_code
    assert "does not speak as this platform: check --url" in result.stderr
    assert len(platform.asked) == 1, "a redirection would carry the token away"


def test_an_endless_answer_is_cut(
    connected: Terminal, platform: FakePlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "REPLY_BYTES_MAX", 10)
    platform.answers(POLICIES)

    assert connected(*LIST).exit_code == 3


def test_an_id_cannot_leave_its_place_in_the_path(
    connected: Terminal, platform: FakePlatform
) -> None:
    platform.answers(DECISION)

    connected("decision", "show", "../reviews/a b?c#d")

    assert platform.asked[0].path == ("/v1/credit-decisions/%2E%2E%2Freviews%2Fa%20b%3Fc%23d")


def test_what_the_platform_says_cannot_steer_a_terminal(
    connected: Terminal, platform: FakePlatform
) -> None:
    evil = "\x1b[2J\u202egone\x07"
    platform.answers({**DECISION, "outcome": evil, "customer_id": evil, "reasons": [evil]})
    shown = connected("decision", "show", "d")
    platform.refuses(404, "not-found", detail=evil)
    refused = connected("decision", "show", "d")

    assert (shown.exit_code, refused.exit_code) == (0, 4)
    for text in (shown.output, refused.output):
        assert "gone" in text
        assert not set(text) & set("\x1b\u202e\x07")


def test_json_is_ascii_in_every_locale(connected: Terminal, platform: FakePlatform) -> None:
    platform.answers(DECISION)

    result = connected("decision", "show", "d", "--json")

    assert result.stdout.isascii()
    assert json.loads(result.stdout) == DECISION
