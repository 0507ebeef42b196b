"""Events by HTTP: each is accepted durably or refused with a reason that quotes nothing."""

import asyncio
import json
from typing import Any

import pytest

from domain.errors import AmbiguousError, InvalidInputError, TransientError
from domain.identifiers import own_person
from ingestion.accept import EVENTS_MAX, AcceptEvents
from tests.unit.ingestion.builders import CLEAR_IDENTITY, envelope, event_id, identity
from tests.unit.ingestion.fakes import FAR, FakeStream, FakeVault


def accept(*documents: object, stream: FakeStream | None = None, vault: Any = None) -> Any:
    use_case = AcceptEvents(stream or FakeStream(), vault or FakeVault())
    return asyncio.run(use_case(documents, FAR))


def test_valid_events_are_put_at_once_in_their_order_before_the_answer() -> None:
    stream = FakeStream()
    documents = [envelope(1), identity(2, CLEAR_IDENTITY, customer_id="c-2"), envelope(3)]

    answers = accept(*documents, stream=stream)

    assert answers == [{"event_id": event_id(n), "status": "accepted"} for n in (1, 2, 3)]
    (put,) = stream.puts
    assert [key for key, _ in put] == ["c-1", "c-2", "c-1"]
    assert [json.loads(data)["event_id"] for _, data in put] == [event_id(n) for n in (1, 2, 3)]
    assert b"Ana" not in put[1][1]


def test_a_wrong_event_is_refused_alone_and_quotes_nothing() -> None:
    stream = FakeStream()
    wrong = envelope(2, data={"kind": "payment", "amount": "12345.678"})

    answers = accept(envelope(1), wrong, {"event_id": "52998224725"}, [], stream=stream)

    assert [each["status"] for each in answers] == ["accepted", *["refused"] * 3]
    assert answers[1]["event_id"] == event_id(2)
    assert answers[1]["reason"] == "money-format"
    assert [each["pointer"] for each in answers[1]["errors"]] == ["/data/amount"]
    assert [each["event_id"] for each in answers[2:]] == [None, None]
    assert "12345.678" not in json.dumps(answers)
    assert "52998224725" not in json.dumps(answers)
    assert len(stream.puts[0]) == 1


def test_nothing_is_put_when_nothing_is_valid() -> None:
    stream = FakeStream()

    accept({}, stream=stream)

    assert stream.puts == []


@pytest.mark.parametrize("number", [0, EVENTS_MAX + 1])
def test_the_number_of_events_is_bounded(number: int) -> None:
    with pytest.raises(InvalidInputError, match="1 to 500"):
        accept(*[envelope(1)] * number)


def test_as_many_as_allowed_are_taken() -> None:
    assert len(accept(*[envelope(n + 1) for n in range(EVENTS_MAX)])) == EVENTS_MAX


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (envelope(1, "credit.decided"), "type-internal"),
        (identity(1, {"name": "siv1:" + "A" * 40}), "identity-sealed"),
        (identity(1, {"cpf": "52998224726"}), "cpf-check-digits"),
        (envelope(1) | {"data": None}, "object-expected"),
    ],
)
def test_what_only_the_platform_may_say_is_refused(document: object, reason: str) -> None:
    stream = FakeStream()

    (answer,) = accept(document, stream=stream)

    assert (answer["status"], answer["reason"]) == ("refused", reason)
    assert stream.puts == []


def test_a_servicing_system_may_report_loans() -> None:
    assert accept(envelope(1, "loan.performance_reported"))[0]["status"] == "accepted"


def test_a_refusal_without_a_place_has_its_code() -> None:
    vault = FakeVault(away={own_person("c-1"): InvalidInputError("half a character")})

    (answer,) = accept(identity(1, {"name": "Ana"}), vault=vault)

    assert (answer["status"], answer["reason"], answer["errors"]) == (
        "refused",
        "invalid-input",
        [],
    )


@pytest.mark.parametrize("error", [TransientError("away"), AmbiguousError("unknown")])
def test_a_stream_that_is_away_answers_nothing(error: Exception) -> None:
    with pytest.raises(type(error)):
        accept(envelope(1), stream=FakeStream(fault=error))


def test_a_vault_that_is_away_answers_nothing() -> None:
    stream = FakeStream()
    vault = FakeVault(away={own_person("c-1"): TransientError("away")})

    with pytest.raises(TransientError):
        accept(envelope(1), identity(2, {"name": "Ana"}), stream=stream, vault=vault)

    assert stream.puts == []
