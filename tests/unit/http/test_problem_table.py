"""Table, pages, domain errors and the codes that the core raises agree."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import domain.ports.truth  # noqa: F401 - its errors are domain errors too
from adapters.inbound.http.problem_pages import FOLDER, load_pages
from adapters.inbound.http.problem_table import CODE_OF_ERROR, PROBLEMS, code_of
from adapters.inbound.http.problems import safe_pointer
from domain.errors import ConflictError, CreditError, GoneError, InvalidInputError
from tests.unit.repo.files import python_files, tree_of


def every_error(kind: type[CreditError] = CreditError) -> Iterator[type[CreditError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from every_error(child)


def test_every_error_of_the_domain_is_in_the_table() -> None:
    own = {kind for kind in every_error() if kind.__module__ == "domain.errors"}

    assert own == set(CODE_OF_ERROR)


def test_the_table_leads_to_problems_only() -> None:
    assert set(CODE_OF_ERROR.values()) - set(PROBLEMS) == set()


def test_every_other_error_is_shown_as_the_class_it_wraps() -> None:
    for kind in every_error():
        shown = code_of(kind.__new__(kind))
        assert shown in PROBLEMS


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConflictError("x", code="review-closed"), "review-closed"),
        (ConflictError("x", code="unheard-of"), "conflict"),
        (ConflictError("x", code="gone"), "conflict"),
        (InvalidInputError("x", code="internal"), "invalid-input"),
        (GoneError("x"), "gone"),
    ],
)
def test_an_own_code_counts_when_its_status_fits(error: CreditError, code: str) -> None:
    assert code_of(error) == code


def test_every_problem_has_a_page_and_every_page_a_problem() -> None:
    assert {path.stem for path in FOLDER.glob("*.md")} == set(PROBLEMS)


def test_every_page_begins_with_its_problem() -> None:
    for code, page in load_pages().items():
        kind = PROBLEMS[code]
        assert page.startswith(f"# {kind.title} (`{code}`, {kind.status})\n\n{kind.detail}\n")
        assert "**What to do.**" in page


def test_without_files_the_table_speaks(tmp_path: Path) -> None:
    pages = load_pages(tmp_path)

    assert set(pages) == set(PROBLEMS)
    assert PROBLEMS["gone"].detail in pages["gone"]


def test_every_unavailability_says_when_to_try_again() -> None:
    for code, kind in PROBLEMS.items():
        assert (kind.retry_after_seconds is not None) == (kind.status in {429, 503}), code


def codes_raised() -> Iterator[str]:
    """Yield the `code=` of every conflict and input error that the core raises."""
    for path in python_files("domain", "decision_engine", "ingestion", "consistency"):
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in {
                "ConflictError",
                "InvalidInputError",
            }:
                for keyword in node.keywords:
                    if keyword.arg == "code" and isinstance(keyword.value, ast.Constant):
                        yield str(keyword.value.value)


def test_every_code_that_the_core_gives_a_whole_error_is_a_problem() -> None:
    found = set(codes_raised())

    assert "idempotency-key-reused" in found
    assert found - set(PROBLEMS) == set()


@pytest.mark.parametrize(
    ("pointer", "shown"),
    [
        ("", ""),
        ("/amount", "/amount"),
        ("/events/12/data", "/events/12/data"),
        ("/events/12/honeytoken", "/events/12"),
        ("/honeytoken/amount", ""),
        ("honeytoken", ""),
        ("/overrides/52998224725", "/overrides"),
        ("/query/limit", "/query/limit"),
        ("/amount/", "/amount"),
        ("/Amount", ""),
    ],
)
def test_a_pointer_keeps_to_our_names(pointer: str, shown: str) -> None:
    assert safe_pointer(pointer) == shown
