"""The page shows the contract as people write it, and nothing of it can run."""

from typing import Any

from adapters.inbound.http.docs_page import docs_page

DOCUMENT: dict[str, Any] = {
    "info": {"title": "T", "version": "1", "description": "**Bold** and `code` & <b>.\n\nMore."},
    "paths": {
        "/x": {
            "get": {
                "description": "Reads `x`.",
                "security": [],
                "responses": {
                    "200": {
                        "description": "`ok`: fine <script>",
                        "content": {"application/json": {"examples": {}}},
                    }
                },
            }
        }
    },
}


def test_code_and_bold_are_shown_and_the_rest_is_escaped() -> None:
    page = docs_page(DOCUMENT).decode()

    assert "<strong>Bold</strong> and <code>code</code> &amp; &lt;b&gt;." in page
    assert "<p>More.</p>" in page
    assert "<p>Reads <code>x</code>.</p>" in page
    assert "<script" not in page
