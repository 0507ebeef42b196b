"""Money, rates, CPFs, instants and ids: what cannot be valid cannot exist."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.cpf import Cpf
from domain.errors import InvalidInputError
from domain.identifiers import own_person, parse_name, parse_uuid7, person_of_index, uuid7
from domain.instants import (
    add_months,
    business_day,
    epoch_micros,
    from_epoch_micros,
    instant_micros,
    instant_millis,
    month_of,
    parse_date,
    parse_instant,
)
from domain.money import Money, Rate, format_centavos, reais, round_half_even

BAD_MONEY = [
    "10",
    "10.0",
    "10.000",
    "-1.00",
    "+1.00",
    " 1.00",
    "1.00 ",
    "1.00\n",
    "1_000.00",
    "01.00",
    "1e2",
    "1E+2",
    "NaN",
    "Infinity",
    "١٢.٠٠",
    "１.00",
    "1,00",
    "1000000000000.00",
    ".50",
    "",
    10,
    10.0,
    None,
    True,
    Decimal("1.00"),
]
GOOD_CPFS = ["529.982.247-25", "111.444.777-35", "123.456.789-09", "12345678909", "123.456.713-00"]
BAD_CPFS = [
    "123.456.789-10",
    "529.982.247-26",
    "111.111.111-11",
    "00000000000",
    "5299822472",
    "529982247250",
    "529.98224725",
    "٥٢٩٩٨٢٢٤٧٢٥",
    "5299822472²",
    "",
    52998224725,
    None,
]


@pytest.mark.parametrize("text", BAD_MONEY)
def test_money_takes_only_its_one_form(text: object) -> None:
    with pytest.raises(InvalidInputError) as refused:
        Money.parse(text, "/amount")

    (problem,) = refused.value.problems
    assert (problem.pointer, problem.code) == ("/amount", "money-format")


@given(st.integers(min_value=0, max_value=10**14 - 1))
def test_money_reads_what_it_writes(centavos: int) -> None:
    money = Money(centavos)

    assert Money.parse(str(money)) == money
    assert Decimal(str(money)) == money.reais


@pytest.mark.parametrize(
    ("value", "text"),
    [("0.125", "0.12"), ("0.135", "0.14"), ("2.345", "2.34"), ("2.355", "2.36"), ("1.005", "1.00")],
)
def test_rounding_is_half_even(value: str, text: str) -> None:
    assert str(Money.of(Decimal(value))) == text


@given(st.integers(-(10**12), 10**12), st.integers(1, 10**6))
def test_integer_rounding_agrees_with_decimal(numerator: int, denominator: int) -> None:
    quotient = round_half_even(numerator, denominator)

    assert abs(2 * (numerator - quotient * denominator)) <= denominator
    if abs(2 * (numerator - quotient * denominator)) == denominator:
        assert quotient % 2 == 0


def test_money_adds_and_shows_its_sign() -> None:
    assert Money(100) + Money(5) - Money(110) == Money(-5)
    assert format_centavos(-5) == "-0.05"
    assert Money(1) < Money(2)


@pytest.mark.parametrize("text", ["1e-2", "-0.1", ".1", "0.", "00.1", "10000", "٠.1", 0.1, None])
def test_a_rate_takes_only_its_one_form(text: object) -> None:
    with pytest.raises(InvalidInputError):
        Rate.parse(text)


def test_a_rate_is_a_plain_fraction() -> None:
    assert str(Rate.parse("0.025")) == "0.025"
    assert str(Rate(Decimal("1E-7"))) == "0.0000001"
    with pytest.raises(InvalidInputError):
        Rate(Decimal("NaN"))


@pytest.mark.parametrize("text", GOOD_CPFS)
def test_a_cpf_with_right_check_digits_is_read_and_never_shown(text: str) -> None:
    cpf = Cpf.parse(text)

    assert len(cpf.digits) == 11
    for shown in (str(cpf), repr(cpf), f"{cpf}", cpf.masked):
        assert cpf.digits not in shown.replace(".", "").replace("-", "")


@pytest.mark.parametrize("text", BAD_CPFS)
def test_a_wrong_cpf_is_refused_without_being_echoed(text: Any) -> None:
    with pytest.raises(InvalidInputError) as refused:
        Cpf.parse(text, "/cpf")

    assert refused.value.problems[0].pointer == "/cpf"
    if text:
        assert str(text) not in str(refused.value)


@pytest.mark.parametrize(
    "text",
    [
        "2026-06-10T12:00:00",
        "2026-06-10T12:00:00+00:00",
        "2026-06-10 12:00:00Z",
        "2026-13-10T12:00:00Z",
        "2026-06-10T25:00:00Z",
        "2026-06-10T12:00:00.1234567Z",
        "20260610T120000Z",
        5,
        None,
    ],
)
def test_an_instant_takes_only_its_one_form(text: object) -> None:
    with pytest.raises(InvalidInputError):
        parse_instant(text)


@pytest.mark.parametrize("text", ["2026-02-29", "2026-1-1", "20260101", "2026-01-01T", 1, None])
def test_a_day_takes_only_its_one_form(text: object) -> None:
    with pytest.raises(InvalidInputError):
        parse_date(text)


@given(st.datetimes(min_value=datetime(1971, 1, 1), max_value=datetime(2100, 1, 1)))
def test_instants_survive_their_numbers_and_texts(moment: datetime) -> None:
    instant = moment.replace(tzinfo=UTC)

    assert from_epoch_micros(epoch_micros(instant)) == instant
    assert parse_instant(instant_micros(instant)) == instant
    assert parse_instant(instant_millis(instant)) <= instant
    assert len(instant_micros(instant)) == 27


def test_texts_of_instants_sort_as_the_instants_do() -> None:
    whole = datetime(2026, 6, 10, 12, tzinfo=UTC)

    assert instant_micros(whole) < instant_micros(whole + timedelta(microseconds=1))


def test_half_past_one_at_night_in_utc_is_still_yesterday_in_sao_paulo() -> None:
    assert business_day(datetime(2026, 6, 11, 1, 30, tzinfo=UTC)) == date(2026, 6, 10)
    # Summer time ended in February 2019: that day was UTC-2 before and UTC-3 after.
    assert business_day(datetime(2019, 1, 11, 2, 30, tzinfo=UTC)) == date(2019, 1, 11)


@pytest.mark.parametrize(
    ("day", "months", "later"),
    [
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
        (date(2024, 1, 31), 1, date(2024, 2, 29)),
        (date(2100, 1, 31), 1, date(2100, 2, 28)),
        (date(2026, 1, 31), 3, date(2026, 4, 30)),
        (date(2026, 12, 10), 1, date(2027, 1, 10)),
        (date(2026, 1, 10), -1, date(2025, 12, 10)),
    ],
)
def test_months_keep_the_day_or_the_end_of_the_month(day: date, months: int, later: date) -> None:
    assert add_months(day, months) == later
    assert month_of(later) - month_of(day) == months


@pytest.mark.parametrize("text", ["", "a" * 65, "a b", "ç", "a/b", "a\n", 5, None])
def test_names_take_only_their_one_form(text: object) -> None:
    with pytest.raises(InvalidInputError):
        parse_name(text, "/customer_id")


def test_names_are_taken_as_they_are() -> None:
    assert parse_name("c-1.a:B_2", "") == "c-1.a:B_2"


@given(
    st.datetimes(min_value=datetime(1971, 1, 1), max_value=datetime(2100, 1, 1)),
    st.integers(0, 2**74 - 1),
)
def test_a_uuid7_is_one_and_sorts_by_its_instant(moment: datetime, entropy: int) -> None:
    instant = moment.replace(tzinfo=UTC)
    text = uuid7(instant, entropy)

    assert parse_uuid7(text, "") == text
    assert text < uuid7(instant + timedelta(milliseconds=1), 0)


@pytest.mark.parametrize(
    "text",
    ["0199-", "01990000-0000-4000-8000-000000000000", "01990000-0000-7000-8000-00000000000G"],
)
def test_another_uuid_is_refused(text: str) -> None:
    with pytest.raises(InvalidInputError):
        parse_uuid7(text, "/event_id")


def test_persons_are_named_by_customer_or_by_index() -> None:
    assert own_person("c-1") == "c.c-1"
    assert person_of_index("1:" + "ab" * 32) == "p1." + "ab" * 20


@given(st.integers(min_value=-(10**18), max_value=10**18) | st.integers(-1000, 1000))
def test_centavos_in_text_and_in_reais_are_the_same_amount(centavos: int) -> None:
    text = f"{Decimal(centavos) / 100:.2f}"

    assert format_centavos(centavos) == text.replace("-0.00", "0.00")
    assert str(reais(centavos)) == format_centavos(centavos)
