"""The page of each problem: what it means, and what a caller can do."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from adapters.inbound.http.messages import Call, Reply
from adapters.inbound.http.problem_table import PROBLEMS
from domain.errors import NotFoundError

MARKDOWN: Final = b"text/markdown; charset=utf-8"
#: The pages of the repository; an installed wheel has none and serves the table's own sentences.
FOLDER: Final = Path(__file__).resolve().parents[3] / "docs" / "problems"


def load_pages(folder: Path = FOLDER) -> dict[str, str]:
    """Return the page of every problem: its file, or title and sentence of the table."""
    return {code: _page(folder / f"{code}.md", code) for code in PROBLEMS}


def _page(path: Path, code: str) -> str:
    if path.is_file():
        return path.read_text(encoding="utf-8")
    kind = PROBLEMS[code]
    return f"# {kind.title} (`{code}`, {kind.status})\n\n{kind.detail}\n"


@dataclass(frozen=True, slots=True)
class ProblemPageHandlers:
    """Serves the pages; `type` of a problem document leads here."""

    pages: Mapping[str, str]

    async def show(self, call: Call) -> Reply:
        """
        Show a page.

        Raises:
            NotFoundError: no problem has this code.
        """
        page = self.pages.get(call.path["code"])
        if page is None:
            raise NotFoundError("no problem has this code")
        return Reply(200, page.encode(), media_type=MARKDOWN)
