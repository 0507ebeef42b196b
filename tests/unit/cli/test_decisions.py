import re

import pytest

from adapters.inbound.cli import client
from tests.unit.cli.conftest import Terminal
from tests.unit.cli.documents import CUSTOMER, DECISION, DECISIONS, EXPLANATION, REPLAY
from tests.unit.cli.fake_platform import FakePlatform

ASK = ("decide", "--customer", "c-000123", "--amount", "20000", "--term", "36")
OFFER_HEAD = "amount | months | rate a month | instalment | total | CET a year | first due"
OFFER = "R$ 8.000,00 | 36 | 2,31 % | R$ 340,07 | R$ 12.242,69 | 34,60 % | 2027-01-10"
DECIDED = "2026-12-10T14:03:11.512Z"
KEY = ("--idempotency-key", "k-1")


def lines(text: str) -> list[str]:
    """What stands there, without the widths and rules of tables."""
    found = (re.sub(r"\s{2,}", " | ", line.strip()) for line in text.splitlines())
    return [line for line in found if line.strip("─")]


def test_decide_sends_what_was_asked_and_nothing_else(
    connected: Terminal, platform: FakePlatform
) -> None:
    platform.answers(DECISION, 201)

    assert connected.document(*ASK, *KEY) == DECISION

    (asked,) = platform.asked
    assert (asked.method, asked.path) == ("POST", "/v1/credit-decisions")
    assert asked.headers["Idempotency-Key"] == "k-1"
    assert asked.headers["Accept-Language"] == "en"
    assert asked.headers["Content-Type"] == "application/json"
    assert asked.document == {
        "customer_id": "c-000123",
        "product": "personal_loan",
        "amount": "20000.00",
        "term_months": 36,
    }


def test_decide_sends_every_option(connected: Terminal, platform: FakePlatform) -> None:
    platform.answers(DECISION, 201)
    options = {
        "--product": "car_loan",
        "--amortization": "sac",
        "--first-due-on": "2027-01-10",
        "--iof": "paid_apart",
        "--channel": "branch",
        "--external-reference": "app-77",
    }

    connected.document(*ASK, *KEY, *(word for pair in options.items() for word in pair))

    sent = platform.asked[0].document
    assert {f"--{name.replace('_', '-')}": sent[name] for name in sent}.items() >= options.items()


def test_a_key_that_was_made_is_told_before_the_answer(
    connected: Terminal, platform: FakePlatform
) -> None:
    platform.refuses(503, "unavailable")

    result = connected(*ASK)

    (asked,) = platform.asked
    key = asked.headers["Idempotency-Key"]
    assert result.stderr.splitlines()[0] == f"Idempotency key: {key}"
    assert re.fullmatch(r"creditctl-[0-9a-f-]{36}", key)


@pytest.mark.parametrize("key", ["", "two words", "k" * 129, "é"])
def test_a_key_that_the_contract_refuses_is_bad_usage(connected: Terminal, key: str) -> None:
    assert connected(*ASK, "--idempotency-key", key).exit_code == 2


@pytest.mark.parametrize("amount", ["1.5", "-1.00", "1e3", "٣", "20.000,00", ""])
def test_money_is_written_one_way(connected: Terminal, amount: str) -> None:
    words = ("decide", "--customer", "c", "--amount", amount, "--term", "6")

    assert "money is written like" in connected(*words).stderr
    assert connected.document(*words, code=2)["error"]["exit_code"] == 2


def test_a_repeated_key_is_said_beside_the_reply(
    connected: Terminal, platform: FakePlatform
) -> None:
    platform.answers(DECISION, 201, Idempotency_Replayed="true")

    result = connected(*ASK, *KEY)

    assert "This key was used before" in result.stderr
    assert "This key" not in result.stdout


def test_decide_does_not_wait_unless_told_to(connected: Terminal, platform: FakePlatform) -> None:
    platform.refuses(503, "unavailable", Retry_After="0")

    assert connected(*ASK, *KEY).exit_code == 3
    assert len(platform.asked) == 1


@pytest.mark.parametrize("wait", [("--wait",), ("--wait", "30")])
def test_while_it_waits_it_asks_again_with_the_same_key(
    connected: Terminal, platform: FakePlatform, wait: tuple[str, ...]
) -> None:
    platform.refuses(503, "unavailable", Retry_After="0")
    platform.refuses(409, "request-in-progress", Retry_After="0")
    platform.answers(DECISION, 201)

    assert connected.document(*ASK, *wait) == DECISION
    assert len({asked.headers["Idempotency-Key"] for asked in platform.asked}) == 1
    assert len({asked.body for asked in platform.asked}) == 1
    assert len(platform.asked) == 3


def test_waiting_ends(run: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "PAUSE_SECONDS", 2.0)

    assert run(*ASK, *KEY, "--token", "t", "--wait", "1").exit_code == 3


def test_what_cannot_get_better_is_not_tried_again(
    connected: Terminal, platform: FakePlatform
) -> None:
    platform.refuses(422, "invalid-input")

    assert connected(*ASK, *KEY, "--wait").exit_code == 4
    assert len(platform.asked) == 1


def test_a_decision_for_a_person(connected: Terminal, platform: FakePlatform) -> None:
    platform.answers({**DECISION, "duplicate_of": "0199-e"}, 201)

    assert lines(connected("decision", "show", "0199-d", "--language", "pt-BR").stdout) == [
        "Counter-offer: not as it was asked for, but the offers below can be granted.",
        "decision | 0199-d",
        "customer | c-000123",
        f"decided at | {DECIDED}",
        "policy | personal-loan version 3",
        "score | 563, band C",
        "duplicate of | 0199-e",
        "Why",
        "code | family | text",
        "R12 | affordability | Acima do limite disponível",
        "Offers",
        OFFER_HEAD + " | can be accepted until",
        OFFER + " | 2026-12-12T14:03:11.512Z",
    ]
    assert platform.asked[0].headers["Accept-Language"] == "pt-BR"


@pytest.mark.parametrize(
    ("outcome", "sentence"),
    [
        ("APPROVED", "Approved: the credit can be granted as it was asked for."),
        ("DECLINED", "Declined: the credit cannot be granted."),
        ("REFERRED", "Referred to a person: a person has to decide (creditctl review list)."),
    ],
)
def test_outcomes_in_words(
    connected: Terminal, platform: FakePlatform, outcome: str, sentence: str
) -> None:
    platform.answers({**DECISION, "outcome": outcome, "reasons": [], "offers": [], "score": None})

    assert connected("decision", "show", "d").stdout.splitlines()[0] == sentence


def test_an_explanation_for_a_person(connected: Terminal, platform: FakePlatform) -> None:
    platform.answers(EXPLANATION)

    shown = lines(connected("decision", "explain", "d").stdout)
    whole = lines(connected("decision", "explain", "d", "--all").stdout)

    assert "R12 | affordability | Acima do limite disponível | Ask for less" in shown
    assert "limit | R12 | reduce | hit | price.principal = 20629.61 | > 12000.00 | 8629.61" in shown
    assert "income | R06 | refer | cannot be evaluated | - | - | -" in shown
    assert shown[-1] == "2 rules did not hit: --all shows everything."
    assert "prime | R07 | refer | not reached | - | - | -" in whole
    assert "late-now | R05 | decline | no hit | - | - | -" in whole
    assert platform.asked[0].path == "/v1/credit-decisions/d/explanation?language=en"


@pytest.mark.parametrize(
    ("verdict", "code"),
    [("EQUAL", 0), ("EQUAL_OTHER_ENGINE", 0), ("ERASED", 0), ("DIFFERENT", 1)],
)
def test_a_replay_that_differs_is_something_wrong(
    connected: Terminal, platform: FakePlatform, verdict: str, code: int
) -> None:
    differences = ["inputs.income.monthly"] if code else []
    platform.answers({**REPLAY, "verdict": verdict, "differences": differences})

    document = connected.document("decision", "replay", "d", code=code)
    shown = connected("decision", "replay", "d")

    assert document["verdict"] == verdict
    assert shown.exit_code == code
    assert ("inputs.income.monthly" in shown.stdout) == bool(code)
    assert (platform.asked[0].method, platform.asked[0].path) == (
        "POST",
        "/v1/credit-decisions/d/replay",
    )


def test_a_list_passes_its_filters_on(connected: Terminal, platform: FakePlatform) -> None:
    platform.answers(DECISIONS)
    filters = ("--customer", "c-1", "--outcome", "DECLINED", "--from", "2026-12-01", "--limit", "5")

    shown = lines(connected("decision", "list", *filters, "--cursor", "a+b").stdout)

    query = platform.asked[0].path.partition("?")[2].split("&")
    assert sorted(query) == [
        "cursor=a%2Bb",
        "customer_id=c-1",
        "from=2026-12-01",
        "limit=5",
        "outcome=DECLINED",
    ]
    assert shown[-2:] == [
        f"0199-d | {DECIDED} | c-000123 | Declined | R$ 20.000,00 | 36 | personal-loan version 3",
        "1 decision; go on with --cursor abc",
    ]


def test_an_empty_list(connected: Terminal, platform: FakePlatform) -> None:
    platform.answers({"items": [], "next_cursor": None})

    assert connected("decision", "list").stdout == "0 decisions.\n"


def test_a_customer_for_a_person(connected: Terminal, platform: FakePlatform) -> None:
    platform.answers(CUSTOMER)

    shown = lines(connected("customer", "show", "c-000123").stdout)

    assert shown[:2] == [
        "Customer c-000123: active, profile version 41.",
        "Identity on file, encrypted: cpf, name.",
    ]
    assert "income.monthly | on file, not shown | 2026-05-10T00:00:00.000Z | redis | -" in shown
    assert "bureau.score | - | - | redis | 41" in shown
    assert shown[-1] == "Not reached while reading: keyspaces."
    assert connected.document("customer", "show", "c-000123") == CUSTOMER
