from tests.unit.cli.conftest import Terminal
from tests.unit.cli.documents import DECISION, REVIEW, REVIEWS
from tests.unit.cli.fake_platform import FakePlatform

KEY = ("--idempotency-key", "k-1")


def test_lists_cases(connected: Terminal, platform: FakePlatform) -> None:
    platform.answers(REVIEWS)

    shown = connected("review", "list", "--state", "OPEN").stdout

    assert platform.asked[0].path == "/v1/reviews?state=OPEN&limit=50"
    assert "referred" in shown
    assert shown.splitlines()[-1] == "1 case."
    assert connected.document("review", "list") == REVIEWS


def test_an_empty_list(connected: Terminal, platform: FakePlatform) -> None:
    platform.answers({"items": [], "next_cursor": "c"})

    assert connected("review", "list").stdout == "0 cases; go on with --cursor c\n"


def test_a_person_asks_for_a_review(connected: Terminal, platform: FakePlatform) -> None:
    platform.answers(REVIEW, 201)

    shown = connected("review", "request", "0199-d", "--note", "income has changed", *KEY)
    connected.document("review", "request", "0199-d", *KEY)

    assert shown.stdout == "Review 0199-r is open.\n"
    assert platform.asked[0].path == "/v1/credit-decisions/0199-d/review"
    assert platform.asked[0].headers["Idempotency-Key"] == "k-1"
    assert [asked.document for asked in platform.asked] == [{"note": "income has changed"}, {}]


def test_a_reviewer_closes_a_case(connected: Terminal, platform: FakePlatform) -> None:
    platform.answers({**DECISION, "reviewed_decision": "0199-d"}, 201)
    words = (
        "review",
        "close",
        "0199-r",
        "--outcome",
        "APPROVED",
        "--reason",
        "V01",
        "--reason",
        "V02",
    )

    shown = connected(*words, "--note", "seen the payslip", *KEY, "--language", "pt-BR")

    assert "reviewed decision" in shown.stdout
    (asked,) = platform.asked
    assert asked.path == "/v1/reviews/0199-r/decision"
    assert asked.headers["Accept-Language"] == "pt-BR"
    assert asked.document == {
        "outcome": "APPROVED",
        "reasons": ["V01", "V02"],
        "note": "seen the payslip",
    }


def test_a_case_is_closed_with_a_reason(connected: Terminal) -> None:
    result = connected("review", "close", "0199-r", "--outcome", "DECLINED")

    assert result.exit_code == 2
    assert "--reason" in result.stderr
