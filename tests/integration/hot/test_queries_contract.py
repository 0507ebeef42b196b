"""Every promise of the port `HotQueries`, on DynamoDB Local."""

from collections.abc import Iterator

import pytest

from adapters.stores.dynamodb import listing
from adapters.stores.dynamodb.table import part_of
from domain.ports.storage import HotPlace
from tests.contracts import test_hot_queries
from tests.contracts.opened import HandClock, Opened
from tests.contracts.test_hot_queries import Hot, Lists, a_row, by_type, numbers, put
from tests.integration.hot.stores import client_of, store_on
from tests.integration.shared.caches import Loop

SHARED = {name: test for name, test in vars(test_hot_queries).items() if name[:5] == "test_"}
globals().update(SHARED)


@pytest.fixture(params=[listing.CALL_MAX, 2], ids=["pages", "small pages"])
def lists(
    request: pytest.FixtureRequest, url: str, loop: Loop, table: str,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Lists]:  # fmt: skip
    monkeypatch.setattr(listing, "CALL_MAX", request.param)
    clock = HandClock()
    with (
        client_of(url, loop, clock=clock) as client,
        store_on(client, loop, table, clock=clock) as made,
    ):
        yield Opened(Hot(made, made.queries()), clock, loop)


def test_rows_of_one_instant_in_one_part_are_in_order_over_all_pages(lists: Lists) -> None:
    """The service gives them in an order of its own, so a page has to see all of them."""
    found = (number for number in range(900) if part_of(f"c-{number:03d}") == "00")
    together = [next(found) for _ in range(15)]
    put(lists, *(a_row(number, 7) for number in together))

    seen: list[int] = []
    after = None
    while page := by_type(lists, limit=2, after=after):
        seen += numbers(page)
        after = HotPlace(7, page[-1].customer_id, page[-1].data_type)

    assert seen == together
