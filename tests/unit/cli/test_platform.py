import errno
from pathlib import Path

import pytest

from adapters.inbound.cli.wiring import Check, DemoOptions, UpOptions
from adapters.security.tokens import SCOPES
from adapters.settings import RefusedError
from domain.errors import CreditError, InvalidInputError, PermanentError, TransientError
from tests.unit.cli.conftest import Terminal


def test_up_takes_the_usual_folder_and_ports(run: Terminal) -> None:
    result = run("up")

    assert (result.exit_code, result.output) == (0, "")
    assert run.wiring.ups == [
        UpOptions(data=run.wiring.data, port=None, metrics_port=9464, profile="embedded")
    ]


def test_up_passes_its_options_on(run: Terminal) -> None:
    run.wiring.code = 1
    words = ("--data", "~/books", "--port", "0", "--metrics-port", "9", "--profile", "services")

    document = run.document("up", *words, "--anchors", "/elsewhere/anchors", code=1)

    folder = Path("~/books").expanduser()
    assert run.wiring.ups == [
        UpOptions(
            data=folder,
            port=0,
            metrics_port=9,
            profile="services",
            anchors=Path("/elsewhere/anchors"),
        )
    ]
    assert document == {"data": str(folder), "profile": "services", "exit_code": 1}


def test_demo_passes_its_options_on(run: Terminal) -> None:
    run("demo")
    run("demo", "--once", "--json", "--customers", "50", "--port", "8081", "--data", "d")

    usual, given = run.wiring.demos
    assert usual == DemoOptions(
        data=run.wiring.data, once=False, as_json=False, customers=None, port=None
    )
    assert given == DemoOptions(data=Path("d"), once=True, as_json=True, customers=50, port=8081)


def test_a_demo_that_failed_ends_so(run: Terminal) -> None:
    run.wiring.code = 1

    assert run("demo").exit_code == 1


def test_a_token_is_the_last_line_and_the_only_place_where_it_stands(run: Terminal) -> None:
    run.wiring.key = "abc.def.ghi"

    result = run("token")

    assert result.stdout == "abc.def.ghi\n"
    assert result.output.splitlines()[-1] == "abc.def.ghi"
    assert "abc.def.ghi" not in result.stderr
    assert run.wiring.issued == [(run.wiring.data, SCOPES, "creditctl")]


def test_a_token_with_less(run: Terminal) -> None:
    run.wiring.key = "abc.def.ghi"
    scopes = ("--scope", "reviews", "--scope", "decisions:read")

    document = run.document("token", *scopes, "--subject", "ana", "--data", "d")

    expected = {"token": "abc.def.ghi", "subject": "ana", "scopes": ["reviews", "decisions:read"]}
    assert document == expected
    assert run.wiring.issued == [(Path("d"), ("reviews", "decisions:read"), "ana")]


def test_a_folder_without_a_key_is_bad_usage(run: Terminal) -> None:
    result = run("token")

    assert result.exit_code == 2
    assert result.stderr == (
        "Error: This folder has no signing key yet: start the platform first.\n"
    )


def test_doctor_is_well(run: Terminal) -> None:
    assert run("doctor").exit_code == 0
    assert run.document("doctor")["ok"] is True


def test_doctor_finds_something(run: Terminal) -> None:
    run.wiring.checks = [Check("disk", ok=False, detail="10 MiB free", remedy="free 1 GiB")]

    result = run("doctor")
    document = run.document("doctor", code=1)

    assert result.exit_code == 1
    assert result.stdout.splitlines()[-1] == "1 fault found."
    assert "free 1 GiB" in result.stdout
    assert document["checks"][1] == {
        "name": "disk",
        "ok": False,
        "level": "fault",
        "detail": "10 MiB free",
        "remedy": "free 1 GiB",
    }


def test_a_warning_is_shown_and_is_no_fault(run: Terminal) -> None:
    run.wiring.checks = [
        Check("cache", ok=True, detail="policy noeviction", remedy="set it", warning=True)
    ]

    result = run("doctor", "--profile", "services")
    document = run.document("doctor")

    assert result.exit_code == 0
    assert result.stdout.splitlines()[-1] == "1 warning found."
    assert "set it" in result.stdout
    assert run.wiring.profiles == ["services", "embedded"]
    assert document["ok"] is True
    assert [each["level"] for each in document["checks"]] == ["well", "warning"]


def test_faults_and_warnings_are_counted_apart(run: Terminal) -> None:
    run.wiring.checks = [
        Check("a", ok=True, detail="", remedy="b", warning=True),
        *(Check(name, ok=False, detail="", remedy="d") for name in ("c", "d")),
    ]

    result = run("doctor")

    assert result.exit_code == 1
    assert result.stdout.splitlines()[-1] == "2 faults and 1 warning found."


@pytest.mark.parametrize(
    ("failure", "code", "sentence"),
    [
        (InvalidInputError("the profile aws arrives later"), 2, "The profile aws arrives later."),
        (RefusedError("the server is read-only"), 4, "The server is read-only."),
        (TransientError("another process owns it"), 3, "Another process owns it."),
        (PermanentError("token.key may be read by others"), 1, "Token.key may be read by others."),
        (CreditError(), 1, "It failed."),
        (
            OSError(errno.ENOSPC, "No space left", "/d"),
            1,
            "The system refuses it: No space left (/d).",
        ),
        (
            OSError(errno.EACCES, "Permission denied"),
            1,
            "The system refuses it: Permission denied.",
        ),
    ],
)
def test_what_the_platform_cannot_do_is_one_sentence(
    run: Terminal, failure: CreditError | OSError, code: int, sentence: str
) -> None:
    run.wiring.failure = failure

    result = run("up")
    document = run.document("up", code=code)

    assert (result.exit_code, result.stderr) == (code, f"Error: {sentence}\n")
    assert document["error"]["message"] == sentence


def test_a_reader_that_went_away_is_no_failure(run: Terminal) -> None:
    run.wiring.failure = OSError(errno.EPIPE, "Broken pipe")

    result = run("up")

    assert (result.exit_code, result.output) == (1, "")


@pytest.mark.parametrize(
    "words",
    [
        ("nonsense",),
        ("decision",),
        ("up", "--nonsense"),
        ("up", "--port", "70000"),
        ("decide", "--customer", "c"),
        ("--nonsense",),
        ("demo", "--customers", "0"),
    ],
)
def test_bad_usage_is_told_to_programs_too(run: Terminal, words: tuple[str, ...]) -> None:
    result = run(*words)

    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr
    error = run.document(*words, code=2)["error"]
    assert (error["code"], error["exit_code"]) == ("bad-usage", 2)
