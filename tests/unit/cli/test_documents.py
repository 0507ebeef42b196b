import pytest

from tests.unit.cli.conftest import Terminal
from tests.unit.cli.reference import documented, helps

HELPS = helps()


def test_every_command_has_its_section() -> None:
    assert list(documented()) == list(HELPS)


@pytest.mark.parametrize("name", HELPS)
def test_the_document_shows_the_present_help(name: str) -> None:
    """When this fails: python -m tests.unit.cli.reference."""
    assert documented()[name] == HELPS[name]


@pytest.mark.parametrize("name", HELPS)
def test_help_is_whole_sentences(name: str) -> None:
    assert "..." not in HELPS[name].partition("Options:")[2].replace("[ARGS]...", "")


def test_what_later_issues_bring_is_not_there(run: Terminal) -> None:
    later = (
        *("ingest", "parked", "saga", "reconcile", "book", "ops daily"),
        *("policy publish", "policy rollback"),
    )

    assert [name for name in later if run(*name.split(), "--help").exit_code != 2] == []
