"""A person can take up the limit once, however many requests race for it."""

import asyncio
import json
from pathlib import Path
from random import Random

import pytest

from tests.e2e.folder import Folder
from tests.e2e.load import together
from tests.e2e.people import Customer, application
from tests.e2e.platform import CREATED, Platform, running, seed
from tests.integration.exposure.rounds import (
    ASKERS,
    PARTS,
    SMALLEST,
    TERM,
    Ask,
    Kind,
    centavos,
    check_exposure,
    judge,
    measure_liveness,
)

SEED = 20260610


def test_three_of_sixty_four_fit_into_the_limit() -> None:
    check_exposure(20, SEED)


def test_what_is_left_becomes_one_smaller_offer() -> None:
    check_exposure(4, SEED, Kind(half=True))


@pytest.mark.parametrize("half", [False, True])
def test_two_customers_with_one_cpf_are_one_person(half: bool) -> None:  # noqa: FBT001
    check_exposure(4, SEED, Kind(shared=True, half=half))


def test_sixty_four_other_persons_are_approved_beside_a_busy_one() -> None:
    # At which rate is for `make prove`: a busy machine must not fail a test.
    measure_liveness(1, SEED)


def test_three_of_sixty_four_fit_into_the_limit_over_http(tmp_path: Path) -> None:
    asyncio.run(_over_http(tmp_path / "data"))


async def _over_http(data: Path) -> None:
    customer = Customer(customer_id="p-http", income=Random(SEED).randrange(4_000_00, 8_000_00))
    async with running(data) as platform:
        await seed(platform, customer.events())
        ask = await _fitting(platform, customer)
        body = application(customer.customer_id, amount=_text(ask.amount), term_months=TERM)
        answers = await together(
            *(
                platform.decide(f"k-{turn}", body | {"external_reference": f"app-{turn}"})
                for turn in range(ASKERS)
            )
        )
        await platform.stop()
    assert {answer.status for answer in answers} == {CREATED}
    judge([json.loads(answer.body) for answer in answers], ask, Kind())
    reserved = Folder(data).rows("SELECT sum(principal), count(*) FROM reservations")
    assert reserved == [(PARTS * ask.principal, PARTS)]
    assert list(Folder(data).faults()) == []


async def _fitting(platform: Platform, customer: Customer) -> Ask:
    """Band B gives six incomes; three principals fill that but for less than R$ 10."""
    assert customer.income is not None
    limit = 6 * customer.income
    smallest = await _principal(platform, customer, SMALLEST)
    amount = (limit // PARTS - 2_00) * SMALLEST // smallest
    principal = await _principal(platform, customer, amount)
    assert 0 <= limit - PARTS * principal < smallest
    return Ask(amount, principal, limit, smallest)


async def _principal(platform: Platform, customer: Customer, amount: int) -> int:
    body = application(customer.customer_id, amount=_text(amount), term_months=TERM)
    answer = (await platform.request("POST", "/v1/credit-decisions/what-if", body)).document
    assert answer["score"]["band"] == "B"
    return centavos(answer["offers"][0]["principal"])


def _text(amount: int) -> str:
    return f"{amount // 100}.{amount % 100:02d}"
