"""The behaviour scorecard: the committed file is what the script makes, and it is good enough."""

import json
from itertools import pairwise
from typing import Any, Final

import numpy as np
import pytest

from adapters.bootstrap.shipped import DemoData
from policies.fit_scorecard import (
    ATTRIBUTES,
    SCORECARD,
    Book,
    Fit,
    document,
    fit,
    load,
    probabilities,
    render,
)
from policies.measure_scorecard import Measures, measure, read_scorecard, scores_of

COMMITTED: Final = json.loads(SCORECARD.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def book() -> Book:
    return load(DemoData().taiwan)


@pytest.fixture(scope="module")
def fitted(book: Book) -> Fit:
    return fit(*book.at(~book.held_out))


@pytest.fixture(scope="module")
def measures(book: Book) -> Measures:
    return measure(book, read_scorecard())


def test_the_committed_file_is_what_the_script_makes(book: Book, fitted: Fit) -> None:
    made = document(fitted, book.at(~book.held_out)[1])

    # Coefficients may differ in a last digit between builds of the libraries, points may not.
    assert made["attributes"] == COMMITTED["attributes"]
    assert made["base_points"] == COMMITTED["base_points"]
    assert render(COMMITTED) == SCORECARD.read_text(encoding="utf-8")


def test_the_fit_looks_at_the_rows_given_only(book: Book, fitted: Fit) -> None:
    columns, bad = book.at(~book.held_out)
    shuffled = np.random.default_rng(1).permutation(len(bad))

    again = fit([column[shuffled] for column in columns], bad[shuffled])

    assert again.points == fitted.points
    assert len(bad) == COMMITTED["fitted"]["customers"] < len(book.bad)


def test_evidence_of_a_good_sign_gives_points(fitted: Fit) -> None:
    """WOE is ln(share of goods / share of bads), so every coefficient on "bad" is below zero."""
    assert max(fitted.coefficients) < 0


@pytest.mark.parametrize("attribute", ATTRIBUTES, ids=lambda attribute: attribute.name)
def test_points_follow_the_risk(attribute: Any) -> None:
    bins = next(a["bins"] for a in COMMITTED["attributes"] if a["name"] == attribute.name)
    steps = [after["points"] - before["points"] for before, after in pairwise(bins)]

    assert all(step * attribute.risk <= 0 for step in steps)


def test_a_missing_field_leaves_no_score() -> None:
    assert {a["missing_points"] for a in COMMITTED["attributes"]} == {None}


def test_the_engine_scores_as_the_fit_does(book: Book, fitted: Fit) -> None:
    columns = [column[:2000] for column in book.columns]
    scorecard = read_scorecard()

    scores = scores_of(scorecard, columns)

    assert (scores == fitted.scores(columns)).all()
    pds = [float(scorecard.pd(int(score))) for score in scores]
    assert np.allclose(pds, probabilities(scores), atol=1e-6)


def test_it_tells_good_from_bad_without_leaking(measures: Measures) -> None:
    assert 0.77 <= measures.mean_auc <= 0.785
    assert measures.held_out_auc >= 0.76


def test_it_is_calibrated_on_customers_it_has_not_seen(measures: Measures) -> None:
    assert 0.9 <= measures.slope <= 1.1
    assert [band.name for band in measures.bands] == ["A", "B", "C", "D", "E", "none"]
    for band in measures.bands:
        assert abs(band.error) <= max(0.02, band.half_width), band
