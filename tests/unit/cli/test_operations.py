from adapters.inbound.http import examples
from tests.unit.cli.conftest import Terminal
from tests.unit.cli.fake_platform import FakePlatform

KEY = ("--idempotency-key", "k-1")
WINDOW = examples.LOSS_WINDOW["window_id"]


def test_an_operator_opens_a_window(connected: Terminal, platform: FakePlatform) -> None:
    platform.answers(examples.LOSS_WINDOW, 201)

    shown = connected(
        *("ops", "loss-window", "open", "--cause", "RESTORE", "--reason", "a disk failed"), *KEY
    )

    assert shown.stdout == f"Loss window {WINDOW} is open.\n"
    (asked,) = platform.asked
    assert (asked.method, asked.path) == ("POST", "/v1/loss-windows")
    assert asked.headers["Idempotency-Key"] == "k-1"
    assert asked.document == {"cause": "RESTORE", "reason": "a disk failed"}


def test_a_second_window_is_refused(connected: Terminal, platform: FakePlatform) -> None:
    platform.refuses(409, "loss-window-open")

    result = connected(
        *("ops", "loss-window", "open", "--cause", "OTHER", "--reason", "again"), *KEY
    )

    assert result.exit_code == 4


def test_an_operator_lists_windows(connected: Terminal, platform: FakePlatform) -> None:
    platform.answers(examples.LOSS_WINDOW_PAGE)

    shown = connected("ops", "loss-window", "list").stdout

    assert platform.asked[0].path == "/v1/loss-windows?limit=50"
    assert "restore" in shown
    assert shown.splitlines()[-1] == "1 loss window."
    assert connected.document("ops", "loss-window", "list") == examples.LOSS_WINDOW_PAGE


def test_an_operator_releases_a_window(connected: Terminal, platform: FakePlatform) -> None:
    platform.answers(examples.LOSS_RELEASE, 201)

    shown = connected("ops", "loss-window", "release", WINDOW, "--note", "settled", *KEY).stdout

    assert shown.splitlines() == [
        f"Loss window {WINDOW} is released.",
        "3 persons still had an open case because of it.",
    ]
    (asked,) = platform.asked
    assert asked.path == f"/v1/loss-windows/{WINDOW}/release"
    assert asked.document == {"note": "settled"}


def test_a_window_is_released_with_a_note(connected: Terminal) -> None:
    result = connected("ops", "loss-window", "release", WINDOW)

    assert result.exit_code == 2
    assert "--note" in result.stderr


def test_an_operator_lists_the_hot_store(connected: Terminal, platform: FakePlatform) -> None:
    platform.answers(examples.HOT_ROW_PAGE)

    shown = connected("ops", "hot-data", "by-type", "CUSTOMER_PROFILE").stdout
    connected("ops", "hot-data", "by-status", "ACTIVE", "--limit", "7")

    assert "c-000123" in shown
    assert shown.splitlines()[-1] == "1 row."
    assert [asked.path for asked in platform.asked] == [
        "/v1/hot-data/types/CUSTOMER_PROFILE?limit=50",
        "/v1/hot-data/statuses/ACTIVE?limit=7",
    ]
