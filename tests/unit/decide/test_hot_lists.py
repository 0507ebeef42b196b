"""Lists over the hot store: pages of plain items that lead on."""

import asyncio
from collections.abc import Sequence

from decision_engine.hot_lists import HotListQuery, HotLists
from domain.ports.storage import HotPlace, HotRow
from domain.ports.time import Deadline

NEVER = Deadline(float("inf"))
SECOND = 1_000_000


def a_row(number: int, *, created: int | None = None) -> HotRow:
    kind = f"DECISION#{number}"
    created_us = None if created is None else created * SECOND
    return HotRow(f"c-{number}", kind, number, None, created_us, number * SECOND)


class Rows:
    """The port over rows that are in order already."""

    def __init__(self, *rows: HotRow) -> None:
        self.rows = rows

    async def newest_of_type(
        self, family: str, limit: int, after: HotPlace | None, deadline: Deadline
    ) -> Sequence[HotRow]:
        return self._behind([(row.updated_us, row) for row in self.rows], limit, after)

    async def newest_of_status(
        self, status: str, limit: int, after: HotPlace | None, deadline: Deadline
    ) -> Sequence[HotRow]:
        return self._behind([(row.created_us, row) for row in self.rows], limit, after)

    def _behind(
        self, timed: list[tuple[int | None, HotRow]], limit: int, after: HotPlace | None
    ) -> list[HotRow]:
        places = [HotPlace(us or 0, row.customer_id, row.data_type) for us, row in timed]
        first = 0 if after is None else places.index(after) + 1
        return [row for _, row in timed[first : first + limit]]


def ask(value: str, limit: int, before: tuple[int, str] | None) -> HotListQuery:
    return HotListQuery(value=value, limit=limit, before=before, deadline=NEVER)


def test_an_item_has_plain_members_and_instants_as_text() -> None:
    lists = HotLists(Rows(a_row(7, created=3)))
    page = asyncio.run(lists.of_type(ask("DECISION", 9, None)))

    assert page.next is None
    assert page.items == [{
        "customer_id": "c-7", "data_type": "DECISION#7", "version": 7, "status": None,
        "created_at": "1970-01-01T00:00:03.000Z", "updated_at": "1970-01-01T00:00:07.000Z",
    }]  # fmt: skip


def test_what_a_row_does_not_have_is_null() -> None:
    (item,) = asyncio.run(HotLists(Rows(a_row(1))).of_type(ask("DECISION", 9, None))).items

    assert (item["created_at"], item["status"]) == (None, None)


def test_pages_of_both_lists_lead_through_all_rows() -> None:
    rows = [a_row(number, created=number % 2) for number in (5, 4, 3, 2, 1)]
    lists = HotLists(Rows(*rows))
    for read in (lists.of_type, lists.of_status):
        seen: list[object] = []
        before: tuple[int, str] | None = None
        while True:
            page = asyncio.run(read(ask("DECISION", 2, before)))
            seen += [item["customer_id"] for item in page.items]
            before = page.next
            if before is None:
                break
        assert seen == ["c-5", "c-4", "c-3", "c-2", "c-1"]
