import errno
import json
from pathlib import Path

import pytest

from adapters.inbound.cli import events as command
from tests.unit.cli.conftest import Terminal, WriteFile
from tests.unit.cli.fake_platform import FakePlatform

CPF = "529.982.247-25"
ACCEPTED = {"event_id": "0199-e", "status": "accepted"}
REFUSED = {
    "event_id": None,
    "status": "refused",
    "reason": "cpf-format",
    "errors": [{"pointer": "/data/identity/cpf", "code": "cpf-format", "detail": "11 digits"}],
}


def event(number: int) -> str:
    return json.dumps({"event_id": f"e{number}", "data": {"identity": {"cpf": CPF}}})


def test_sends_the_lines_as_they_are(
    connected: Terminal, platform: FakePlatform, write: WriteFile
) -> None:
    platform.answers({"results": [ACCEPTED, ACCEPTED]})
    file = write("events.ndjson", f'{event(1)}\n\n  {{ "n" : 9007199254740993 }}  \n')

    document = connected.document("events", "send", str(file))

    assert document == {"accepted": 2, "refused": 0, "refusals": []}
    (asked,) = platform.asked
    assert (asked.method, asked.path) == ("POST", "/v1/events")
    assert asked.body == f'{{"events":[{event(1)},{{ "n" : 9007199254740993 }}]}}'.encode()


def test_a_refused_event_is_told_by_its_line_and_never_by_its_content(
    connected: Terminal, platform: FakePlatform, write: WriteFile
) -> None:
    platform.answers({"results": [ACCEPTED, REFUSED]})
    file = write("events.ndjson", f"{event(1)}\n\n{event(2)}\n")

    result = connected("events", "send", str(file))
    document = connected.document("events", "send", str(file), code=1)

    assert result.exit_code == 1
    assert "1 event accepted, 1 refused." in result.stdout
    assert "/data/identity/cpf" in result.stdout
    assert document["refusals"][0]["line"] == 3
    assert document["refusals"][0]["reason"] == "cpf-format"
    assert CPF not in result.output


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("not json " + CPF, "json"),
        ('{"a": 1, "a": 2}', "duplicate-key"),
        ('{"a": 1.5}', "number-format"),
        ('{"a": 1}], "x": [{}', "json"),
        ('{"a": "' + "x" * 65_536 + '"}', "too-large"),
        ("[" * 20 + "]" * 20, "too-deep"),
    ],
)
def test_a_line_that_is_no_event_is_refused_here_and_the_others_go(
    connected: Terminal, platform: FakePlatform, write: WriteFile, line: str, reason: str
) -> None:
    platform.answers({"results": [ACCEPTED]})
    file = write("events.ndjson", f"{line}\n{event(2)}\n")

    document = connected.document("events", "send", str(file), code=1)

    assert (document["accepted"], document["refused"]) == (1, 1)
    assert (document["refusals"][0]["line"], document["refusals"][0]["reason"]) == (1, reason)
    assert platform.asked[0].document == {"events": [json.loads(event(2))]}


def test_refusals_stand_in_the_order_of_the_file(
    connected: Terminal, platform: FakePlatform, write: WriteFile
) -> None:
    platform.answers({"results": [REFUSED, REFUSED]})
    file = write("events.ndjson", f"{event(1)}\nnot json\n{event(2)}\n")

    document = connected.document("events", "send", str(file), code=1)

    assert [refusal["line"] for refusal in document["refusals"]] == [1, 2, 3]


def test_many_events_go_in_requests_of_500(
    connected: Terminal, platform: FakePlatform, write: WriteFile
) -> None:
    for size in (500, 500, 1):
        platform.answers({"results": [ACCEPTED] * size})
    file = write("events.ndjson", "\n".join(event(number) for number in range(1001)))

    result = connected("events", "send", str(file))

    assert [len(asked.document["events"]) for asked in platform.asked] == [500, 500, 1]
    assert result.stdout == "1,001 events accepted, 0 refused.\n"
    assert result.stderr.splitlines()[0] == "500 events accepted, 0 refused so far"


def test_large_events_go_in_requests_that_the_platform_takes(
    connected: Terminal, platform: FakePlatform, write: WriteFile
) -> None:
    line = json.dumps({"data": "x" * 60_000})
    for size in (17, 3):
        platform.answers({"results": [ACCEPTED] * size})
    file = write("events.ndjson", "\n".join([line] * 20))

    connected.document("events", "send", str(file))

    assert max(len(asked.body) for asked in platform.asked) <= 1024 * 1024


def test_standard_input(connected: Terminal, platform: FakePlatform) -> None:
    platform.answers({"results": [ACCEPTED]})

    result = connected("events", "send", "-", stdin=event(1))

    assert result.stdout == "1 event accepted, 0 refused.\n"


def test_a_failure_says_how_far_it_came(
    connected: Terminal, platform: FakePlatform, write: WriteFile
) -> None:
    platform.answers({"results": [ACCEPTED] * 500})
    platform.refuses(401, "token-expired")
    file = write("events.ndjson", "\n".join(event(number) for number in range(600)))

    result = connected("events", "send", str(file))

    assert result.exit_code == 4
    assert result.stderr.endswith("Correlation id corr-1. 500 events accepted before line 501.\n")


def test_a_failure_at_once_says_only_that(
    connected: Terminal, platform: FakePlatform, write: WriteFile
) -> None:
    platform.refuses(401, "token-expired")

    result = connected("events", "send", str(write("e", event(1))))

    assert result.stderr.endswith("Correlation id corr-1.\n")


def test_once_it_has_begun_it_waits_for_the_platform(
    connected: Terminal, platform: FakePlatform, write: WriteFile
) -> None:
    platform.answers({"results": [ACCEPTED] * 500})
    platform.refuses(503, "unavailable", Retry_After="0")
    platform.answers({"results": [ACCEPTED]})
    file = write("events.ndjson", "\n".join(event(number) for number in range(501)))

    assert connected.document("events", "send", str(file))["accepted"] == 501


@pytest.mark.parametrize("answer", [{}, {"results": []}, {"results": "x"}, {"results": [1, 2]}])
def test_an_event_without_an_answer_never_counts_as_accepted(
    connected: Terminal, platform: FakePlatform, write: WriteFile, answer: object
) -> None:
    platform.answers(answer)

    document = connected.document("events", "send", str(write("e", event(1))), code=3)

    assert document["error"]["code"] == "not-reachable"


def test_an_answer_of_another_shape_is_a_refusal(
    connected: Terminal, platform: FakePlatform, write: WriteFile
) -> None:
    platform.answers({"results": ["accepted"]})

    document = connected.document("events", "send", str(write("e", event(1))), code=1)

    assert document == {"accepted": 0, "refused": 1, "refusals": [{"line": 1}]}


def test_refusals_are_all_counted_and_bounded_in_number(
    connected: Terminal, platform: FakePlatform, write: WriteFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "REFUSALS_MAX", 1)
    platform.answers({"results": [REFUSED] * 3})
    file = write("events.ndjson", "\n".join(event(number) for number in range(3)))

    document = connected.document("events", "send", str(file), code=1)

    assert (document["refused"], len(document["refusals"])) == (3, 1)


def test_an_endless_line_is_bad_usage(connected: Terminal, write: WriteFile) -> None:
    file = write("events.ndjson", "x" * (1024 * 1024 + 1))

    result = connected("events", "send", str(file))

    assert result.exit_code == 2
    assert "longer than 1 MiB" in result.stderr


def test_a_file_that_is_not_there_is_bad_usage(connected: Terminal, tmp_path: Path) -> None:
    assert connected("events", "send", str(tmp_path / "none")).exit_code == 2


def test_a_file_that_cannot_be_read_is_bad_usage(
    connected: Terminal, write: WriteFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_path: Path, _mode: str) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    file = write("e", event(1))
    monkeypatch.setattr(Path, "open", refuse)

    assert "cannot be read: Permission denied." in connected("events", "send", str(file)).stderr


def test_an_empty_file_sends_nothing(
    connected: Terminal, platform: FakePlatform, write: WriteFile
) -> None:
    assert connected.document("events", "send", str(write("e", "\n\n")))["accepted"] == 0
    assert platform.asked == []
