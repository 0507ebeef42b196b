from typing import Any

import pytest

from decision_engine.quote import Quote, quote_reply
from domain.canonical import encode
from domain.errors import InvalidInputError
from tests.unit.pricing.cases import IOF_TABLE

BODY = {
    "amount": "10000.00",
    "term_months": 24,
    "monthly_rate": "0.025",
    "amortization": "price",
    "signed_on": "2026-12-10",
    "first_due_on": "2027-01-10",
    "iof": "financed",
}
QUOTE = Quote(IOF_TABLE)


def test_the_reply_is_plain_text_and_numbers() -> None:
    reply = quote_reply(QUOTE(BODY))
    instalments = reply.pop("instalments")

    assert isinstance(instalments, list)
    assert reply == {
        "principal": "10290.03",
        "iof": "290.03",
        "net_amount": "10000.00",
        "total": "13808.31",
        "total_interest": "3518.28",
        "cet_annual": "0.3863",
        "cet_monthly": "0.0276",
    }
    assert instalments[0] == {
        "number": 1,
        "due_on": "2027-01-10",
        "instalment": "575.34",
        "interest": "257.25",
        "amortization": "318.09",
        "balance": "9971.94",
    }
    assert [row["number"] for row in instalments if isinstance(row, dict)] == list(range(1, 25))
    assert instalments[-1] == {
        "number": 24,
        "due_on": "2028-12-10",
        "instalment": "575.49",
        "interest": "14.04",
        "amortization": "561.45",
        "balance": "0.00",
    }
    assert encode(reply)


def test_what_is_not_said_is_as_in_a_decision() -> None:
    needed = {"amount", "term_months", "monthly_rate", "signed_on"}
    short = {name: value for name, value in BODY.items() if name in needed}

    assert QUOTE(short) == QUOTE(BODY)


def refused(body: dict[str, Any]) -> list[tuple[str, str]]:
    with pytest.raises(InvalidInputError) as caught:
        QUOTE(body)
    return [(problem.pointer, problem.code) for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("amount", 10000, "money-format"),
        ("amount", "10000.001", "money-format"),
        ("amount", "0.00", "amount-range"),
        ("term_months", "24", "term-format"),
        ("term_months", True, "term-format"),
        ("term_months", 481, "term-range"),
        ("monthly_rate", 0.025, "rate-format"),
        ("monthly_rate", "2.5", "rate-range"),
        ("signed_on", "2026-02-30", "date-format"),
        ("signed_on", "9999-12-31", "date-range"),
        ("first_due_on", None, "date-format"),
        ("first_due_on", "2026-12-10", "first-due-range"),
        ("amortization", ["price"], "amortization-unknown"),
        ("iof", "exempt", "iof-unknown"),
    ],
)
def test_a_wrong_value_is_refused_where_it_stands(field: str, value: object, code: str) -> None:
    assert refused({**BODY, field: value}) == [(f"/{field}", code)]


def test_all_faults_are_told_and_nothing_is_echoed() -> None:
    body = {"amount": "ten-secret", "colour": "secret", "signed_on": "2026-12-10"}

    assert refused(body) == [
        ("", "field-unknown"),
        ("/amount", "money-format"),
        ("/monthly_rate", "field-missing"),
        ("/term_months", "field-missing"),
    ]
    with pytest.raises(InvalidInputError) as caught:
        QUOTE(body)
    assert "secret" not in repr(caught.value.problems)
