import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.inbound.http import bodies, examples
from adapters.inbound.http.bodies import (
    ApplicationBody,
    EventsBody,
    QuoteBody,
    ReviewBody,
    ReviewDecisionBody,
    WhatIfBody,
)
from adapters.inbound.http.messages import to_json
from adapters.inbound.http.names import KNOWN_NAMES
from adapters.inbound.http.refusals import ProblemError
from adapters.inbound.http.validation import StrictModel, read_model
from adapters.security.request_keys import RequestKeys

KEYS = RequestKeys(b"k" * 32)
MONEY = re.compile(r"(0|[1-9][0-9]{0,11})\.[0-9]{2}", re.ASCII)


def application(**fields: Any) -> ApplicationBody:
    return read_model(ApplicationBody, to_json(examples.APPLICATION | fields))


def hashed(**fields: Any) -> str:
    return KEYS.command_hash("decide", application(**fields).application().canonical())


@given(
    st.text(max_size=20)
    | st.from_regex(MONEY, fullmatch=True)
    | st.from_regex(r"[-+ ]?[0-9_.,eE]{1,12}", fullmatch=True)
)
def test_money_is_what_the_contract_says(text: str) -> None:
    text = text.encode("utf-8", "replace").decode().replace("\x00", "?")
    positive = MONEY.fullmatch(text) is not None and text.strip("0.") != ""
    try:
        held = application(amount=text).application()
    except Exception:  # noqa: BLE001 - any refusal will do here, its kind is tested elsewhere
        assert not positive
    else:
        assert positive
        assert str(held.amount) == text


@pytest.mark.parametrize(
    "fields",
    [
        {"customer_id": "c-2"},
        {"product": "other"},
        {"amount": "20000.01"},
        {"term_months": 35},
        {"amortization": "sac"},
        {"first_due_on": "2027-01-11"},
        {"iof": "paid_apart"},
        {"channel": "api"},
        {"external_reference": "app-78"},
    ],
)
def test_every_field_is_part_of_the_command(fields: dict[str, Any]) -> None:
    assert hashed(**fields) != hashed()


@given(st.permutations(list(examples.APPLICATION.items())))
def test_the_order_of_fields_is_not(items: list[tuple[str, Any]]) -> None:
    body = read_model(ApplicationBody, to_json(dict(items)))

    assert KEYS.command_hash("decide", body.application().canonical()) == hashed()


MODELS = [ApplicationBody, WhatIfBody, QuoteBody, ReviewBody, ReviewDecisionBody, EventsBody]


@pytest.mark.parametrize("model", MODELS)
def test_every_field_can_be_named_in_a_pointer(model: type[StrictModel]) -> None:
    assert set(model.model_fields) - KNOWN_NAMES == set()


def test_every_body_is_strict() -> None:
    models = [each for each in vars(bodies).values() if isinstance(each, type)]
    for model in models:
        if issubclass(model, StrictModel):
            config = model.model_config
            assert config["strict"]
            assert config["extra"] == "forbid"
            assert config["hide_input_in_errors"]


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({"outcome": "REFERRED", "reasons": ["R12"]}, "/outcome", "choice-unknown"),
        ({"outcome": "DECLINED", "reasons": []}, "/reasons", "list-length"),
        ({"outcome": "DECLINED", "reasons": ["R1"] * 21}, "/reasons", "list-length"),
        ({"outcome": "DECLINED", "reasons": "R12"}, "/reasons", "type-list"),
        ({"outcome": "DECLINED", "reasons": ["R12", "a b"]}, "/reasons/1", "name-format"),
        ({"outcome": "DECLINED", "reasons": ["R1"], "note": ""}, "/note", "text-format"),
        ({"outcome": "DECLINED", "reasons": ["R1"], "note": "a\nb"}, "/note", "text-format"),
        ({"outcome": "DECLINED", "reasons": ["R1"], "note": "\x9b31m"}, "/note", "text-format"),
        ({"outcome": "DECLINED", "reasons": ["R1"], "note": "x" * 1001}, "/note", "text-format"),
        ({"outcome": "DECLINED", "reasons": ["R1"], "note": None}, "/note", "text-format"),
        ({"outcome": "DECLINED"}, "/reasons", "field-missing"),
    ],
)
def test_a_reviewers_answer_is_checked(body: Any, pointer: str, code: str) -> None:
    with pytest.raises(ProblemError) as caught:
        read_model(ReviewDecisionBody, to_json(body))

    assert [(each.pointer, each.code) for each in caught.value.faults] == [(pointer, code)]


def test_every_fault_of_a_body_is_found_at_once() -> None:
    with pytest.raises(ProblemError) as caught:
        read_model(QuoteBody, b'{"amount": 1, "term_months": "1", "monthly_rate": 0.5, "x": 1}')

    found = {(each.pointer, each.code) for each in caught.value.faults}
    assert found == {
        ("/amount", "money-format"),
        ("/term_months", "term-format"),
        ("/monthly_rate", "rate-format"),
        ("/signed_on", "field-missing"),
        ("", "field-unknown"),
    }


def test_a_quote_keeps_the_texts_of_the_contract() -> None:
    assert read_model(QuoteBody, to_json(examples.QUOTE_BODY)).plain() == examples.QUOTE_BODY


def test_unset_fields_stay_unset() -> None:
    short = {
        name: examples.QUOTE_BODY[name]
        for name in ("amount", "term_months", "monthly_rate", "signed_on")
    }

    assert "first_due_on" not in read_model(QuoteBody, to_json(short)).plain()
    answer = {"outcome": "APPROVED", "reasons": ["R12"]}
    assert read_model(ReviewDecisionBody, to_json(answer)).canonical() == answer
