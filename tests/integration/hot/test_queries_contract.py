"""Every promise of the port `HotQueries`, on DynamoDB Local."""

from collections.abc import Iterator

import pytest

from adapters.stores.dynamodb import listing
from tests.contracts import test_hot_queries
from tests.contracts.opened import HandClock, Opened
from tests.contracts.test_hot_queries import Hot, Lists
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
