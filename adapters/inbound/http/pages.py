"""Keyset pages as callers see them."""

from collections.abc import Mapping
from typing import Any

from adapters.inbound.http.cursors import Cursors, Place
from adapters.inbound.http.messages import Reply, to_json
from adapters.inbound.http.queries import LIMIT_DEFAULT, purpose_of
from decision_engine.pages import Page


def limit_of(query: Mapping[str, Any]) -> int:
    """Return how many items the caller wants on a page."""
    return int(query.get("limit", LIMIT_DEFAULT))


def place_of(cursors: Cursors, route: str, query: Mapping[str, Any]) -> Place | None:
    """
    Return where the page begins; None for the first page.

    Raises:
        ProblemError: the cursor was not made for this list.
    """
    return cursors.open(query.get("cursor"), purpose_of(route, query))


def page_reply(cursors: Cursors, route: str, query: Mapping[str, Any], page: Page) -> Reply:
    """Return a page with the cursor of the next one."""
    following = cursors.seal(page.next, purpose_of(route, query))
    body: dict[str, Any] = {"items": page.items, "next_cursor": following}
    if page.degraded:
        body["degraded"] = list(page.degraded)
    return Reply(200, to_json(body))
