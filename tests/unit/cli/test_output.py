import io
import sys

import pytest

from adapters.inbound.cli import wording
from tests.unit.cli import documents
from tests.unit.cli.conftest import Terminal
from tests.unit.cli.fake_platform import FakePlatform

KEY = ("--idempotency-key", "k")
ASKING = {
    "decide --customer c --amount 1 --term 1": documents.DECISION,
    "decision show d": documents.DECISION,
    "decision explain d": documents.EXPLANATION,
    "decision replay d": documents.REPLAY,
    "decision list": documents.DECISIONS,
    "customer show c": documents.CUSTOMER,
    "policy list": documents.POLICIES,
    "policy show p": documents.SHOWN_POLICY,
    "review list": documents.REVIEWS,
    "review request d": documents.REVIEW,
    "review close r --outcome DECLINED --reason V01": documents.DECISION,
}


@pytest.mark.parametrize("words", ASKING)
def test_programs_get_the_document_of_the_platform_and_nobody_the_token(
    connected: Terminal, platform: FakePlatform, words: str
) -> None:
    platform.answers(ASKING[words])

    document = connected.document(*words.split())
    shown = connected(*words.split())

    assert document == ASKING[words]
    assert shown.exit_code == 0
    assert shown.stdout
    assert "secret-token" not in shown.output


@pytest.mark.parametrize("words", ASKING)
def test_a_reply_without_anything_in_it_is_no_traceback(
    connected: Terminal, platform: FakePlatform, words: str
) -> None:
    platform.answers({})

    result = connected(*words.split())

    assert result.exit_code == 0
    assert result.exception is None or isinstance(result.exception, SystemExit)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("0.00", "R$ 0,00"),
        ("999.90", "R$ 999,90"),
        ("1234.56", "R$ 1.234,56"),
        ("-1234567.80", "R$ -1.234.567,80"),
        ("much", "much"),
        ("NaN", "NaN"),
        (None, "-"),
        (5, "5"),
    ],
)
def test_money_as_it_is_read_in_brazil(text: object, shown: str) -> None:
    assert wording.reais(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("0.0231", "2,31 %"),
        ("0.3460", "34,60 %"),
        ("12", "1.200,00 %"),
        ("0", "0,00 %"),
        ("0.025125", "2,5125 %"),
        ("often", "often"),
        (None, "-"),
    ],
)
def test_fractions_as_per_cent(text: object, shown: str) -> None:
    assert wording.percent(text) == shown


def test_values_in_words() -> None:
    assert [wording.said(value) for value in (None, "", True, False, 0)] == [
        *("-", "-"),
        *("yes", "no", "0"),
    ]
    assert wording.count(1, "event") == "1 event"
    assert wording.count(1200, "case") == "1,200 cases"


def test_no_colour_where_no_terminal_is(
    connected: Terminal, platform: FakePlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("FORCE_COLOR", "CLICOLOR_FORCE", "TTY_COMPATIBLE"):
        monkeypatch.setenv(name, "1")
    platform.answers(documents.DECISION)

    assert "\x1b" not in connected("decision", "show", "d").output


def test_letters_that_the_output_cannot_hold_do_not_break_a_command(
    connected: Terminal, platform: FakePlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    platform.answers(documents.DECISION)
    narrow = io.TextIOWrapper(io.BytesIO(), encoding="ascii", newline="\n")
    cli = connected.cli()
    monkeypatch.setattr(sys, "stdout", narrow)

    with pytest.raises(SystemExit) as ended:
        cli.main(["decision", "show", "d"], "creditctl")

    narrow.seek(0)
    assert ended.value.code == 0
    assert "Acima do limite dispon?vel" in narrow.read()


class Terminals(io.TextIOWrapper):
    def isatty(self) -> bool:
        return True


def test_a_terminal_may_have_colours(
    connected: Terminal, platform: FakePlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("NO_COLOR", "TTY_INTERACTIVE", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    platform.answers(documents.DECISION)
    screen = Terminals(io.BytesIO(), encoding="utf-8", newline="\n")
    cli = connected.cli()
    monkeypatch.setattr(sys, "stdout", screen)

    with pytest.raises(SystemExit):
        cli.main(["decision", "show", "d"], "creditctl")

    screen.seek(0)
    assert "\x1b[1mWhy" in screen.read()
