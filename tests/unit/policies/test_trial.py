"""The shipped policy on all held-out customers: out of sample, in the shape that was expected."""

from typing import Final

import pytest

from adapters.bootstrap.shipped import DemoData, personal_loan
from adapters.inbound.cli.demo.applications import is_held_out, read_labels
from adapters.inbound.cli.demo.book import events, read_book
from decision_engine.assess import Assessment
from decision_engine.rulebook import build_rulebook
from decision_engine.snapshot import Gathered, take_snapshot
from domain.customer import CreditData
from domain.features import features
from ingestion.fold import fold
from ingestion.parse import parse_event
from policies.profiles import AS_OF, profile_of
from policies.trial import bad_rate, run, with_outcome

DATA: Final = DemoData()


@pytest.fixture(scope="module")
def answers() -> dict[str, Assessment]:
    return run(DATA)


def test_only_held_out_customers_apply(answers: dict[str, Assessment]) -> None:
    everybody = [borrower.customer_id for borrower in read_book(DATA.taiwan)]

    assert list(answers) == [customer for customer in everybody if is_held_out(customer)]
    assert 0.28 < len(answers) / len(everybody) < 0.32


def test_the_outcomes_are_near_what_was_expected(answers: dict[str, Assessment]) -> None:
    expected = {"APPROVED": 0.42, "COUNTER_OFFER": 0.14, "DECLINED": 0.32, "REFERRED": 0.12}
    for outcome, share in expected.items():
        assert abs(len(with_outcome(answers, outcome)) / len(answers) - share) < 0.03


def test_the_approved_are_half_as_bad_as_all(answers: dict[str, Assessment]) -> None:
    labels = read_labels(DATA.taiwan)
    approved = with_outcome(answers, "APPROVED")

    assert len(approved) >= 0.35 * len(answers)
    assert bad_rate(approved, labels) <= 0.5 * bad_rate(answers, labels)


def test_every_refusal_has_a_reason_and_every_offer_is_within_the_product(
    answers: dict[str, Assessment],
) -> None:
    for answer in answers.values():
        assert (answer.outcome == "APPROVED") != bool(answer.reasons)
        for offer in answer.offers:
            assert 100_000 <= offer.amount <= 5_000_000
            assert 6 <= offer.term_months <= 60


def test_a_profile_of_the_trial_decides_as_one_of_the_events() -> None:
    """The trial skips parsing and folding; what the policy reads must be the same."""
    fields = build_rulebook(personal_loan(), "").fields
    for borrower in read_book(DATA.taiwan)[::500]:
        parsed = [parse_event(envelope) for envelope in events([borrower])]
        folded = fold(CreditData.empty(borrower.customer_id), parsed).profile
        short = profile_of(borrower)

        assert {name: feature.value for name, feature in features(folded, AS_OF).items()} == {
            name: feature.value for name, feature in features(short, AS_OF).items()
        }
        states = take_snapshot(Gathered(folded, "events"), fields, AS_OF).states()
        assert states == take_snapshot(Gathered(short, "trial"), fields, AS_OF).states()
