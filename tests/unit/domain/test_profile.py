"""Profiles: months of rows in any order, the stored bytes, and what features say of them."""

import random
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.customer import CreditData, Month, Slot, month_from_rows
from domain.errors import PermanentError
from domain.features import FEATURE_NAMES, features, features_on
from domain.profile_bytes import profile_from_bytes, profile_to_bytes
from domain.transaction import Transaction, TransactionKind

AS_OF = datetime(2026, 6, 10, 12, tzinfo=UTC)
MAY = 2026 * 12 + 4
K = TransactionKind


def row(kind: TransactionKind, month: int = MAY, **fields: int) -> Transaction:
    version = fields.pop("version", 1)
    source = f"s{fields.pop('source', 1)}"
    number = fields.pop("id", version)
    numbers = {"amount": 0, "limit": 0, "late": 0, "occurred_us": 1, "incarnation": 1, **fields}
    return Transaction(
        event_id=f"e{number}",
        customer_id="c",
        kind=kind,
        source=source,
        incarnation=numbers["incarnation"],
        source_version=version,
        occurred_us=numbers["occurred_us"],
        month=month,
        amount=numbers["amount"],
        limit=numbers["limit"],
        late=numbers["late"],
    )


ROWS = st.builds(
    row,
    st.sampled_from(list(TransactionKind)),
    version=st.integers(1, 4),
    source=st.integers(1, 2),
    incarnation=st.integers(1, 2),
    amount=st.integers(-100, 100),
    limit=st.integers(0, 100),
    late=st.integers(0, 3),
)


def distinct(rows: list[Transaction]) -> list[Transaction]:
    """Keep one row for each (source, incarnation, version): a producer numbers an event once."""
    return list({(r.source, r.incarnation, r.source_version): r for r in rows}.values())


@given(st.lists(ROWS, max_size=12), st.randoms(use_true_random=False))
def test_rows_of_a_month_commute(rows: list[Transaction], chance: random.Random) -> None:
    rows = distinct(rows)
    shuffled = list(rows)
    chance.shuffle(shuffled)

    assert month_from_rows(rows) == month_from_rows(shuffled)


def test_rows_that_count_alike_are_ordered_by_what_they_say() -> None:
    rows = [row(K.STATEMENT, amount=1), row(K.STATEMENT, amount=2), row(K.DELINQUENCY, late=1)]
    rows.append(row(K.DELINQUENCY, late=2))

    assert month_from_rows(rows) == month_from_rows(rows[::-1])


def profile(months: dict[int, Month], **slots: Slot) -> CreditData:
    return replace(
        CreditData.empty("c"),
        months=months,
        slots={k.replace("_", "/"): v for k, v in slots.items()},
    )


def test_a_profile_survives_its_bytes() -> None:
    months = {
        MAY: month_from_rows([row(K.STATEMENT, amount=5, limit=9), row(K.DELINQUENCY, late=2)])
    }
    full = replace(
        profile(months, income_crm=Slot(1, 2, 3, {"monthly": 5, "basis": "declared"})),
        profile_version=7,
        incomplete=True,
        newest_month=MAY,
        newest_us=8,
        pending_reversals=("e9",),
    )

    assert profile_from_bytes(profile_to_bytes(full)) == full


@pytest.mark.parametrize(
    "data", [b"", b"[]", b"{}", b'{"v":2}', b'{"v":1}', b'{"v":1,"id":"c"}', b"\xff"]
)
def test_bytes_that_are_no_profile_are_refused(data: bytes) -> None:
    with pytest.raises(PermanentError):
        profile_from_bytes(data)


def test_an_empty_profile_has_no_value_for_anything() -> None:
    found = features(CreditData.empty("c"), AS_OF)

    assert set(found) == set(FEATURE_NAMES)
    assert all(feature.value is None for feature in found.values())


def statement(month: int, balance: int, limit: int = 1000_00, **fields: int) -> Transaction:
    return row(K.STATEMENT, month, amount=balance, limit=limit, **fields)


def test_features_of_six_months() -> None:
    months = {
        MAY - back: month_from_rows(
            [
                statement(MAY - back, 100_00 * (back + 1), occurred_us=1000 - back),
                row(K.PAYMENT, MAY - back, amount=50_00, version=2),
                row(K.DELINQUENCY, MAY - back, late=back % 3, version=3),
            ]
        )
        for back in range(6)
    }
    found = {name: feature.value for name, feature in features(profile(months), AS_OF).items()}

    assert found["behaviour.utilization"] == Decimal("0.1000")
    assert found["behaviour.utilization_mean_6m"] == Decimal("0.3500")
    assert found["behaviour.utilization_trend"] == Decimal("-0.3000")
    assert found["behaviour.payment_ratio"] == Decimal("0.2500")
    assert found["behaviour.payments_to_limit_6m"] == Decimal("0.0500")
    assert found["behaviour.late_now"] == 0
    assert found["behaviour.late_before"] == 1
    assert found["behaviour.worst_late_3m"] == 2
    assert found["behaviour.late_months_3m"] == 2
    assert found["behaviour.late_months_6m"] == 4
    assert found["behaviour.paid_months_6m"] == 6
    # A tenth of what was carried over: 200.00 billed in April, 50.00 paid in May.
    assert found["debt.service"] == Decimal("15.00")
    assert found["credit.limit"] == Decimal("1000.00")


def test_one_statement_alone_and_its_gaps() -> None:
    months = {MAY: month_from_rows([statement(MAY, -5_00, 0)])}
    found = features(profile(months), AS_OF)

    assert found["behaviour.utilization"].value is None
    assert found["behaviour.utilization_mean_6m"].value is None
    assert found["behaviour.utilization_trend"].value is None
    assert found["behaviour.payment_ratio"].value is None
    assert found["behaviour.payment_ratio_mean_6m"].value is None
    assert found["behaviour.payments_to_limit_6m"].value is None
    assert found["debt.service"].value == Decimal("0.00")
    assert found["behaviour.utilization"].observed_us == 1


def test_a_payment_over_the_bill_is_cut_and_a_credit_balance_carries_nothing() -> None:
    months = {
        MAY: month_from_rows([statement(MAY, 0), row(K.PAYMENT, amount=900_00, version=2)]),
        MAY - 1: month_from_rows([statement(MAY - 1, 100_00)]),
        MAY - 2: month_from_rows([statement(MAY - 2, 0)]),
    }
    found = features(profile(months), AS_OF)

    assert found["behaviour.payment_ratio"].value == Decimal("2.0000")
    assert found["behaviour.payment_ratio_mean_6m"].value == Decimal("2.0000")
    assert found["debt.service"].value == Decimal("0.00")


def test_sources_are_added_up_and_the_worst_delay_counts() -> None:
    months = {
        MAY: month_from_rows(
            [
                statement(MAY, 100_00, source=1),
                statement(MAY, 300_00, source=2),
                row(K.DELINQUENCY, late=1, source=1, version=2),
                row(K.DELINQUENCY, late=4, source=2, version=2),
            ]
        )
    }
    found = features(profile(months), AS_OF)

    assert found["behaviour.utilization"].value == Decimal("0.2000")
    assert found["behaviour.late_now"].value == 4


def test_a_statement_of_a_later_month_is_not_seen_yet() -> None:
    months = {MAY + 2: month_from_rows([statement(MAY + 2, 1)])}

    assert features(profile(months), AS_OF)["credit.limit"].value is None


def test_the_best_basis_of_income_wins_and_then_the_newest() -> None:
    old = Slot(1, 1, 10, {"monthly": 100_00, "basis": "verified"})
    new = Slot(1, 1, 20, {"monthly": 200_00, "basis": "verified"})
    guess = Slot(1, 1, 90, {"monthly": 999_00, "basis": "estimated"})
    found = features(profile({}, income_a=old, income_b=new, income_c=guess), AS_OF)

    assert found["income.monthly"].value == Decimal("200.00")
    assert found["income.basis"].value == "verified"
    assert found["income.monthly"].observed_us == 20


def test_an_income_of_unknown_basis_or_kind_is_no_income() -> None:
    odd = Slot(1, 1, 10, {"monthly": 100_00, "basis": "guessed"})
    text = Slot(1, 1, 10, {"monthly": "100.00", "basis": "declared"})

    assert features(profile({}, income_a=odd), AS_OF)["income.monthly"].value is None
    assert features(profile({}, income_a=text), AS_OF)["income.monthly"].value is None


def test_the_newest_bureau_score_counts() -> None:
    old, new = Slot(1, 1, 1, {"score": 400}), Slot(1, 1, 2, {"score": 700})
    odd = Slot(1, 1, 3, {"score": "high"})

    assert features(profile({}, bureau_a=old, bureau_b=new), AS_OF)["bureau.score"].value == 700
    assert features(profile({}, bureau_c=odd), AS_OF)["bureau.score"].value is None


def test_a_slot_is_ranked_by_incarnation_and_then_version() -> None:
    assert Slot(2, 1, 0, {}).rank > Slot(1, 9, 9, {}).rank


def test_only_what_is_named_is_computed_and_only_features_are() -> None:
    empty, day = CreditData.empty("c"), AS_OF.date()

    assert features_on(empty, day, ["credit.limit", "made.up"]).keys() == {"credit.limit"}
    assert features_on(empty, day, FEATURE_NAMES) == features(empty, AS_OF)
