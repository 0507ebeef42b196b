"""What an envelope may hold, type by type, and that nothing else passes."""

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.canonical import encode
from domain.errors import InvalidInputError
from domain.events import EventType
from domain.instants import business_day, month_of
from ingestion.parse import body_bytes, parse_event
from ingestion.payloads import READERS, month_of_instant
from tests.unit.ingestion.builders import DATA, TYPES, envelope, event, event_id

JUNE = 2026 * 12 + 5
MAY = JUNE - 1
SEALED = "siv1:" + "A" * 40
INDEX = "1:" + "0a" * 32


def refused(document: object) -> list[tuple[str, str]]:
    with pytest.raises(InvalidInputError) as caught:
        parse_event(document)
    return [(problem.pointer, problem.code) for problem in caught.value.problems]


def test_every_type_of_the_contract_has_a_reader() -> None:
    assert set(READERS) == {each.value for each in EventType} == set(TYPES)


@pytest.mark.parametrize(
    ("kind", "data", "inner"),
    [
        (
            "customer.profile_updated",
            {
                "income": {"monthly": "5200.10", "basis": "declared"},
                "relationship": {"since": "2019-03-01"},
                "identity": {"cpf_index": INDEX, "cpf": SEALED, "name": SEALED},
            },
            {
                "income": {"monthly": 520010, "basis": "declared"},
                "relationship": {"since": "2019-03-01"},
                "identity": {"cpf_index": INDEX, "cpf": SEALED, "name": SEALED},
            },
        ),
        (
            "transaction.recorded",
            {"kind": "purchase", "amount": "0.05"},
            {"kind": "purchase", "amount": 5, "month": JUNE},
        ),
        (
            "transaction.recorded",
            {"kind": "inquiry"},
            {"kind": "inquiry", "amount": 0, "month": JUNE},
        ),
        (
            "transaction.reversed",
            {"reverses": event_id(7)},
            {"reverses": event_id(7), "month": JUNE},
        ),
        (
            "statement.closed",
            {"period": "2026-05", "balance": "-0.01", "limit": "10.00"},
            {"month": MAY, "balance": -1, "limit": 1000},
        ),
        (
            "delinquency.reported",
            {"period": "1990-01", "months_late": 99},
            {"month": 1990 * 12, "late": 99},
        ),
        ("bureau.score_updated", {"score": 0, "model": "m"}, {"score": 0, "model": "m"}),
        (
            "loan.performance_reported",
            {"contract_id": "k", "period": "2026-05", "days_late": 3, "balance": "-1.00"},
            {"contract_id": "k", "month": MAY, "days_late": 3, "balance": -100},
        ),
        (
            "credit.decided",
            DATA["credit.decided"] | {"score": None},
            DATA["credit.decided"] | {"score": None, "decided_us": 1_781_092_800_000_000},
        ),
    ],
)
def test_each_type_is_read_into_its_inner_form(kind: str, data: Any, inner: Any) -> None:
    assert event(1, kind, data=data).data == inner


def test_the_envelope_is_read() -> None:
    parsed = event(9, source="bureau", stream_id="bureau/x/12", trace="00-ab-cd-01")

    assert (parsed.event_id, parsed.source, parsed.customer_id) == (event_id(9), "bureau", "c-1")
    assert (parsed.stream_id, parsed.incarnation, parsed.source_version) == ("bureau/x/12", 12, 9)
    assert (parsed.type, parsed.schema_version) == (EventType.TRANSACTION_RECORDED, 1)
    assert (parsed.occurred_us, parsed.trace) == (1_781_092_800_000_000, "00-ab-cd-01")


@pytest.mark.parametrize("kind", TYPES)
def test_the_body_hash_is_of_the_canonical_envelope_without_its_trace(kind: str) -> None:
    document = envelope(3, kind)
    shuffled = dict(reversed(document.items()))

    parsed = parse_event({**shuffled, "trace": "abc"})

    assert body_bytes(document) == encode(document)
    assert parsed.body_hash == hashlib.sha256(encode(document)).digest()


@pytest.mark.parametrize(
    ("field", "value", "pointer", "code"),
    [
        ("event_id", "x", "/event_id", "uuid7-format"),
        ("event_id", "01979F0E-4B1C-7D3A-9C55-0A1B2C3D4E5F", "/event_id", "uuid7-format"),
        ("event_id", 5, "/event_id", "uuid7-format"),
        ("source", "a b", "/source", "name-format"),
        ("source", "", "/source", "name-format"),
        ("stream_id", "card-system/c-1", "/stream_id", "stream-format"),
        ("stream_id", "other/c-1/1", "/stream_id", "stream-format"),
        ("stream_id", "card-system/c-1/01", "/stream_id", "stream-format"),
        ("stream_id", "card-system/c-1/1\n", "/stream_id", "stream-format"),
        ("stream_id", None, "/stream_id", "stream-format"),
        ("source_version", 0, "/source_version", "whole-number"),
        ("source_version", "1", "/source_version", "whole-number"),
        ("source_version", True, "/source_version", "whole-number"),
        ("source_version", 1.0, "/source_version", "whole-number"),
        ("source_version", 2**53, "/source_version", "whole-number"),
        ("customer_id", "a/b", "/customer_id", "name-format"),
        ("customer_id", "a" * 65, "/customer_id", "name-format"),
        ("type", "offer.accepted", "/type", "type-unknown"),
        ("type", ["x"], "/type", "type-unknown"),
        ("schema_version", 2, "/schema_version", "whole-number"),
        ("schema_version", True, "/schema_version", "whole-number"),
        ("occurred_at", "2026-06-10T12:00:00", "/occurred_at", "instant-format"),
        ("occurred_at", "2026-06-10T12:00:00+00:00", "/occurred_at", "instant-format"),
        ("occurred_at", "2026-02-30T12:00:00Z", "/occurred_at", "instant-format"),
        ("occurred_at", "1989-12-31T23:59:59Z", "/occurred_at", "instant-format"),
        ("occurred_at", "2101-01-01T00:00:00Z", "/occurred_at", "instant-format"),
        ("occurred_at", 1781092800, "/occurred_at", "instant-format"),
        ("trace", "a b", "/trace", "trace-format"),
        ("trace", "a" * 257, "/trace", "trace-format"),
        ("trace", None, "/trace", "trace-format"),
        ("data", [], "/data", "object-expected"),
        ("data", None, "/data", "object-expected"),
        ("extra", 1, "", "unknown-field"),
    ],
)
def test_a_wrong_envelope_is_refused(field: str, value: object, pointer: str, code: str) -> None:
    assert refused(envelope() | {field: value}) == [(pointer, code)]


def test_no_field_of_the_envelope_may_be_missing() -> None:
    for field in envelope():
        document = envelope()
        del document[field]
        assert refused(document) == [(f"/{field}", "field-missing")]


@pytest.mark.parametrize("document", [None, [], "x", 1])
def test_an_envelope_is_an_object(document: object) -> None:
    assert refused(document) == [("", "object-expected")]


WRONG_DATA: list[tuple[str, Any, str, str]] = [
    ("customer.profile_updated", {}, "/data", "field-missing"),
    ("customer.profile_updated", {"job": {}}, "/data", "unknown-field"),
    ("customer.profile_updated", {"income": {}}, "/data/income/basis", "field-missing"),
    ("customer.profile_updated", {"income": None}, "/data/income", "object-expected"),
    ("transaction.recorded", {}, "/data/kind", "choice"),
    ("transaction.recorded", {"kind": "statement"}, "/data/kind", "choice"),
    ("transaction.recorded", {"kind": ["payment"]}, "/data/kind", "choice"),
    ("transaction.recorded", {"kind": "payment"}, "/data/amount", "field-missing"),
    ("transaction.recorded", {"kind": "inquiry", "amount": "1.00"}, "/data", "unknown-field"),
    ("transaction.reversed", {"reverses": "x"}, "/data/reverses", "uuid7-format"),
    ("transaction.reversed", {}, "/data/reverses", "field-missing"),
]
CHANGED: list[tuple[str, str, Any, str]] = [
    ("transaction.recorded", "amount", "1", "money-format"),
    ("transaction.recorded", "amount", "-1.00", "money-format"),
    ("transaction.recorded", "amount", 1, "money-format"),
    ("transaction.recorded", "amount", "1.00\n", "money-format"),
    ("transaction.recorded", "amount", "1234567890123.00", "money-format"),
    ("statement.closed", "period", "2026-13", "period-format"),
    ("statement.closed", "period", "2026-5", "period-format"),
    ("statement.closed", "period", "1989-12", "period-format"),
    ("statement.closed", "period", "2026-05-01", "period-format"),
    ("statement.closed", "period", 202605, "period-format"),
    ("statement.closed", "balance", "-0.00", "money-format"),
    ("statement.closed", "balance", "--1.00", "money-format"),
    ("statement.closed", "balance", "01.00", "money-format"),
    ("statement.closed", "balance", "1.0", "money-format"),
    ("statement.closed", "limit", "-1.00", "money-format"),
    ("delinquency.reported", "months_late", -1, "whole-number"),
    ("delinquency.reported", "months_late", 100, "whole-number"),
    ("bureau.score_updated", "score", 1001, "whole-number"),
    ("bureau.score_updated", "score", None, "whole-number"),
    ("bureau.score_updated", "model", "", "name-format"),
    ("loan.performance_reported", "contract_id", "", "name-format"),
    ("loan.performance_reported", "days_late", 36_501, "whole-number"),
    ("credit.decided", "decision_id", "x", "uuid7-format"),
    ("credit.decided", "customer_id", "c-2", "customer-differs"),
    ("credit.decided", "customer_id", "", "name-format"),
    ("credit.decided", "outcome", "MAYBE", "choice"),
    ("credit.decided", "decided_at", "now", "instant-format"),
    ("credit.decided", "amount", "1", "money-format"),
    ("credit.decided", "product", "a b", "label-format"),
    ("credit.decided", "term_months", 481, "whole-number"),
    ("credit.decided", "policy_version", -1, "whole-number"),
    ("credit.decided", "score", 1001, "whole-number"),
    ("credit.decided", "reasons", "R12", "codes"),
    ("credit.decided", "reasons", ["R"] * 101, "codes"),
    ("credit.decided", "reasons", [1], "name-format"),
]


@pytest.mark.parametrize(("kind", "data", "pointer", "code"), WRONG_DATA)
def test_wrong_data_is_refused(kind: str, data: Any, pointer: str, code: str) -> None:
    assert refused(envelope(1, kind, data=data)) == [(pointer, code)]


@pytest.mark.parametrize(("kind", "field", "value", "code"), CHANGED)
def test_a_wrong_field_is_refused(kind: str, field: str, value: object, code: str) -> None:
    document = envelope(1, kind, data=DATA[kind] | {field: value})

    assert refused(document) == [(f"/data/{field}", code)]


@pytest.mark.parametrize("kind", TYPES)
def test_unknown_data_is_refused(kind: str) -> None:
    assert refused(envelope(1, kind, data=DATA[kind] | {"cpf": "1"})) == [
        ("/data", "unknown-field")
    ]


@pytest.mark.parametrize(
    ("group", "value", "pointer", "code"),
    [
        ("income", {"monthly": "x", "basis": "verified"}, "/monthly", "money-format"),
        ("income", {"monthly": "1.00", "basis": "guess"}, "/basis", "choice"),
        ("relationship", {"since": "1899-12-31"}, "/since", "date-format"),
        ("relationship", {"since": "2023-02-29"}, "/since", "date-format"),
        ("relationship", {"since": None}, "/since", "date-format"),
        ("identity", {}, "", "identity-incomplete"),
        ("identity", {"cpf_index": INDEX}, "", "identity-incomplete"),
        ("identity", {"cpf": SEALED}, "", "identity-incomplete"),
        ("identity", {"name": SEALED, "cpf_index": INDEX}, "", "identity-incomplete"),
        ("identity", {"cpf": SEALED, "cpf_index": "1:0a"}, "/cpf_index", "index-format"),
        ("identity", {"cpf": SEALED, "cpf_index": None}, "/cpf_index", "index-format"),
        ("identity", {"name": "Ana"}, "/name", "sealed-format"),
        ("identity", {"name": SEALED, "mother": SEALED}, "", "unknown-field"),
    ],
)
def test_a_wrong_attribute_group_is_refused(
    group: str, value: Any, pointer: str, code: str
) -> None:
    document = envelope(1, "customer.profile_updated", data={group: value})

    assert refused(document) == [(f"/data/{group}{pointer}", code)]


INSTANTS = st.datetimes(datetime(1990, 1, 1), datetime(2100, 12, 31), timezones=st.just(UTC))
EDGES = st.builds(
    lambda year, month, hours: datetime(year, month, 1, tzinfo=UTC) + timedelta(hours=hours),
    st.integers(1990, 2100),
    st.integers(1, 12),
    st.integers(-6, 30),
)


@given(INSTANTS | EDGES)
def test_the_month_is_the_one_in_sao_paulo(instant: datetime) -> None:
    assert month_of_instant(instant) == month_of(business_day(instant))


def said_of(document: object) -> str:
    try:
        parse_event(document)
    except InvalidInputError as error:
        return f"{error} {error.problems}"
    return ""


@given(st.dictionaries(st.sampled_from(sorted(envelope())), st.text() | st.integers(), min_size=1))
def test_a_refusal_never_shows_what_was_sent(changes: dict[str, Any]) -> None:
    said = said_of(envelope() | {name: f"§{value}§" for name, value in changes.items()})

    assert said
    assert "§" not in said
