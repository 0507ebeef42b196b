"""Routes that explain the API itself, without a token."""

from dataclasses import dataclass
from typing import Final

from adapters.inbound.http.messages import Call, Reply
from adapters.inbound.http.operation import Operation, Success
from adapters.inbound.http.problem_pages import ProblemPageHandlers

HTML: Final = b"text/html; charset=utf-8"
#: The page has neither scripts nor anything from elsewhere.
POLICY: Final = (b"content-security-policy", b"default-src 'none'; style-src 'unsafe-inline'")


@dataclass(slots=True)
class DocumentationHandlers:
    """Serves documents that are made once, after every operation is known."""

    openapi: bytes = b""
    page: bytes = b""

    async def show_openapi(self, _: Call) -> Reply:
        """Show the OpenAPI document."""
        return Reply(200, self.openapi)

    async def show_page(self, _: Call) -> Reply:
        """Show the document for people."""
        return Reply(200, self.page, (POLICY,), HTML)


def documentation_operations(
    handlers: DocumentationHandlers, pages: ProblemPageHandlers
) -> list[Operation]:
    """Return the routes of the documentation."""
    return [
        Operation(
            method="GET",
            path="/openapi.json",
            handler=handlers.show_openapi,
            tag="documentation",
            summary="This document",
            success=Success(description="OpenAPI 3.1."),
        ),
        Operation(
            method="GET",
            path="/docs",
            handler=handlers.show_page,
            tag="documentation",
            summary="This document for people",
            success=Success(description="HTML.", media_type="text/html", example="<html>"),
        ),
        Operation(
            method="GET",
            path="/problems/{code}",
            handler=pages.show,
            tag="documentation",
            summary="What a problem means and what to do",
            success=Success(description="Markdown.", media_type="text/markdown", example="# ..."),
            problems=("not-found",),
        ),
    ]
