"""The demo's applications: real asks by customers that the scorecard has never seen."""

from collections import Counter
from typing import Final

import pytest

from adapters.bootstrap.shipped import DemoData
from adapters.inbound.cli.demo.applications import (
    Ask,
    DemoApplication,
    applications,
    is_held_out,
    read_asks,
    read_labels,
)
from adapters.inbound.cli.demo.book import read_book
from domain.money import Money

DATA: Final = DemoData()


@pytest.fixture(scope="module")
def asks() -> list[Ask]:
    return read_asks(DATA.asks)


@pytest.fixture(scope="module")
def sent(asks: list[Ask]) -> list[DemoApplication]:
    return list(applications(read_book(DATA.taiwan), asks))


def test_the_asks_are_those_of_the_data(asks: list[Ask]) -> None:
    assert len(asks) == 4454
    assert asks[0] == Ask(amount=800_000, term_months=60)
    assert min(ask.amount for ask in asks) == 100_000
    assert max(ask.amount for ask in asks) == 5_000_000


def test_three_customers_in_ten_apply_once_each(sent: list[DemoApplication]) -> None:
    customers = [str(each.body["customer_id"]) for each in sent]

    assert customers == sorted(set(customers))
    assert all(map(is_held_out, customers))
    assert 8_700 < len(customers) < 9_300


def test_keys_name_the_customer_and_some_are_sent_twice(sent: list[DemoApplication]) -> None:
    assert {each.idempotency_key for each in sent} == {
        f"demo-{each.body['customer_id']}-1" for each in sent
    }
    sendings = Counter(each.sendings for each in sent)
    assert sendings.keys() == {1, 2}
    assert 0.04 < sendings[2] / len(sent) < 0.06


def test_amounts_and_terms_are_pairs_of_the_data(
    sent: list[DemoApplication], asks: list[Ask]
) -> None:
    pairs = {(str(Money(ask.amount)), ask.term_months) for ask in asks}

    assert {(each.body["amount"], each.body["term_months"]) for each in sent} <= pairs


def test_a_smaller_demo_asks_the_same_of_the_same_customers(
    sent: list[DemoApplication], asks: list[Ask]
) -> None:
    few = list(applications(read_book(DATA.taiwan, 3000), asks))

    assert few == sent[: len(few)]


def test_the_labels_are_those_of_the_data() -> None:
    labels = read_labels(DATA.taiwan)

    assert (len(labels), sum(labels.values())) == (30_000, 6_636)
    assert (labels["c-000001"], labels["c-000003"]) == (True, False)
    assert list(read_labels(DATA.taiwan, 3)) == ["c-000001", "c-000002", "c-000003"]
