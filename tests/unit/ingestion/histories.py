"""Random histories of one customer, and what they must come to whatever the order."""

from collections.abc import Iterable, Sequence
from typing import Any

from hypothesis import strategies as st

from domain.customer import WINDOW_MONTHS, CreditData, Month, month_from_rows
from domain.events import STATE_EVENTS, Event
from domain.identifiers import own_person, person_of_index
from domain.transaction import Transaction
from ingestion.fold import History, fold
from ingestion.parse import parse_event
from ingestion.rows import row_of
from tests.unit.ingestion.builders import Json, envelope, event_id

SOURCES = ("card", "bank", "bureau")
INDICES = ("1:" + "0a" * 32, "1:" + "0b" * 32)
CIPHERTEXT = "1." + "A" * 30
ABSENT_ID = event_id(999)


def money() -> st.SearchStrategy[str]:
    return st.integers(0, 99_999).map(lambda n: f"{n // 100}.{n % 100:02d}")


def periods() -> st.SearchStrategy[str]:
    return st.builds(lambda year, month: f"{year}-{month:02d}", st.integers(2022, 2026), MONTHS)


MONTHS = st.integers(1, 12)
INSTANTS = st.builds(
    lambda period, day, hour: f"{period}-{day:02d}T{hour:02d}:00:00Z",
    periods(),
    st.integers(1, 28),
    st.integers(0, 23),
)


def _identity() -> st.SearchStrategy[Json]:
    with_cpf = st.sampled_from(INDICES).map(lambda i: {"cpf": CIPHERTEXT, "cpf_index": i})
    return st.just({"name": CIPHERTEXT}) | with_cpf


def _bodies(number: int) -> st.SearchStrategy[tuple[str, Json]]:
    named = st.integers(1, number).map(event_id) | st.just(ABSENT_ID)
    income = st.fixed_dictionaries({"monthly": money(), "basis": st.just("declared")})
    groups = st.fixed_dictionaries({}, optional={"income": income, "identity": _identity()})
    data: dict[str, st.SearchStrategy[Json]] = {
        "transaction.recorded": st.fixed_dictionaries(
            {"kind": st.sampled_from(["purchase", "payment"]), "amount": money()}
        )
        | st.just({"kind": "inquiry"}),
        "transaction.reversed": st.fixed_dictionaries({"reverses": named}),
        "statement.closed": st.fixed_dictionaries(
            {"period": periods(), "balance": money(), "limit": money()}
        ),
        "delinquency.reported": st.fixed_dictionaries(
            {"period": periods(), "months_late": st.integers(0, 9)}
        ),
        "bureau.score_updated": st.fixed_dictionaries(
            {"score": st.integers(0, 1000), "model": st.just("m")}
        ),
        "customer.profile_updated": groups.filter(bool),
    }
    return st.sampled_from(sorted(data)).flatmap(lambda kind: st.tuples(st.just(kind), data[kind]))


@st.composite
def documents(draw: st.DrawFn, size: int = 14) -> list[Json]:
    """Return the envelopes of distinct events; each place of a stream is taken once."""
    number = draw(st.integers(1, size))
    places = st.tuples(st.sampled_from(SOURCES), st.integers(1, 2), st.integers(1, 2 * number))
    taken = draw(st.lists(places, min_size=number, max_size=number, unique=True))
    return [
        _document(count, place, draw(_bodies(number)), draw(INSTANTS))
        for count, place in enumerate(taken, start=1)
    ]


def _document(
    number: int, place: tuple[str, int, int], body: tuple[str, Json], occurred_at: str
) -> Json:
    source, incarnation, version = place
    changes: dict[str, Any] = {
        "source": source,
        "stream_id": f"{source}/c-1/{incarnation}",
        "source_version": version,
        "occurred_at": occurred_at,
        "data": body[1],
    }
    return envelope(number, body[0], **changes)


def histories(size: int = 14) -> st.SearchStrategy[list[Event]]:
    """Return the distinct events of one customer."""
    return documents(size).map(lambda each: [parse_event(document) for document in each])


class Book:
    """A customer's rows, as a store would keep them beside the profile."""

    def __init__(self) -> None:
        self.profile = CreditData.empty("c-1")
        self.rows: dict[str, Transaction] = {}
        self.out: set[str] = set()

    def add(self, events: Sequence[Event]) -> None:
        """Fold a batch of distinct events, as the truth transaction does."""
        folded = fold(self.profile, events, self._history(events))
        self.profile = folded.profile
        self.rows |= {row.event_id: row for row, _ in folded.rows}
        self.out |= {row.event_id for row, out in folded.rows if out} | set(folded.marked)

    def standing(self, month: int) -> list[Transaction]:
        """Return the rows of a month that are not reversed."""
        return [r for r in self.rows.values() if r.month == month and r.event_id not in self.out]

    def _history(self, events: Sequence[Event]) -> History:
        named = {str(event.data.get("reverses")) for event in events}
        targets = {name: (self.rows[name], name in self.out) for name in named & self.rows.keys()}
        months = {row.month for row, out in targets.values() if not out}
        return History(targets, {month: self.standing(month) for month in months})


def expected(events: Iterable[Event]) -> CreditData:
    """Return what a set of events must come to: the definition, with no word about order."""
    events = list(events)
    rows = [row_of(event) for event in events if event.type not in STATE_EVENTS]
    named = {row.reverses for row in rows if row.reverses}
    newest = max((row.month for row in rows), default=0)
    standing = [row for row in rows if row.event_id not in named]
    months = {
        number: month_from_rows(row for row in standing if row.month == number)
        for number in range(newest - WINDOW_MONTHS + 1, newest + 1)
    }
    book = Book()
    book.add([event for event in events if event.type in STATE_EVENTS])
    slots = book.profile.slots
    known = [
        (slot.occurred_us, slot.rank, name, slot.data["cpf_index"])
        for name, slot in slots.items()
        if "cpf_index" in slot.data
    ]
    return CreditData(
        customer_id="c-1",
        person_id=person_of_index(str(max(known)[3])) if known else own_person("c-1"),
        profile_version=len(events),
        slots=slots,
        months={number: month for number, month in months.items() if month != Month()},
        newest_month=newest,
        newest_us=max(event.occurred_us for event in events),
        pending_reversals=tuple(sorted(named - {row.event_id for row in rows})),
    )
