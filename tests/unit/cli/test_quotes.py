import json

import pytest

from adapters.inbound.cli import quotes
from domain.instants import parse_instant
from tests.unit.cli.conftest import Terminal

LOAN = ("quote", "--amount", "10000", "--term-months", "3", "--monthly-rate", "0.025")
SIGNED = ("--signed-on", "2026-12-10")


def test_a_quote_for_programs_is_the_one_of_the_api(run: Terminal) -> None:
    document = run.document(*LOAN, *SIGNED)

    assert document["iof"] == "89.21"
    assert document["instalments"][-1]["balance"] == "0.00"
    assert document["instalments"][0]["due_on"] == "2027-01-10"


def test_a_quote_for_a_person(run: Terminal) -> None:
    result = run(
        *LOAN, *SIGNED, "--amortization", "sac", "--iof", "none", "--first-due-on", "2027-02-01"
    )

    assert result.stdout.splitlines()[0] == "3 instalments, R$ 3.766,66 the first."
    assert "R$ 10.000,00" in result.stdout
    assert "2027-02-01" in result.stdout
    assert result.stderr == "Signed on 2026-12-10.\n"


def test_signed_today_in_sao_paulo(run: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    class Night:
        def now(self) -> object:
            return parse_instant("2026-12-11T01:00:00Z")

    monkeypatch.setattr(quotes, "SystemClock", Night)

    result = run(*LOAN, "--json")

    assert result.stderr == "Signed on 2026-12-10.\n"
    assert json.loads(result.stdout)["instalments"][0]["due_on"] == "2027-01-10"


def test_what_cannot_be_priced_is_bad_usage_with_its_place(run: Terminal) -> None:
    result = run(*LOAN[:-1], "2.5", *SIGNED)

    assert result.exit_code == 2
    assert result.stderr.splitlines() == [
        "Error: The loan cannot be priced.",
        "  /monthly_rate: allowed: 0 to 1, at most 12 decimals",
    ]


@pytest.mark.parametrize("day", ["10/12/2026", "2026-02-30", "tomorrow"])
def test_days_are_written_one_way(run: Terminal, day: str) -> None:
    assert run(*LOAN, "--signed-on", day).exit_code == 2
