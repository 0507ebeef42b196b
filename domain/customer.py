"""
What is known about one customer, folded from events.

The fold is order-free: any permutation and any duplication of the same events gives an equal
`CreditData`. Windows and ages are not in here; they are taken at `as_of`, when deciding.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from domain.identifiers import own_person
from domain.transaction import Transaction, TransactionKind

#: Monthly buckets kept, ending at the month of the newest event.
WINDOW_MONTHS: Final = 25
LAYOUT_VERSION: Final = 1

JsonObject = dict[str, object]


@dataclass(frozen=True, slots=True)
class Slot:
    """What one source last said about one attribute group; the highest version stays."""

    incarnation: int
    source_version: int
    occurred_us: int
    data: Mapping[str, object]

    @property
    def rank(self) -> tuple[int, int]:
        """The order among the messages of one source: incarnation first."""
        return (self.incarnation, self.source_version)


@dataclass(frozen=True, slots=True, order=True)
class Statement:
    """The closed bill of one source and month; balance and limit in centavos. Ordered by rank."""

    incarnation: int
    source_version: int
    occurred_us: int
    balance: int
    limit: int


@dataclass(frozen=True, slots=True, order=True)
class Delinquency:
    """How many months late one source says the customer is in one month. Ordered by rank."""

    incarnation: int
    source_version: int
    late: int


@dataclass(frozen=True, slots=True)
class Month:
    """One month of facts: the winning statement and delinquency per source, sums of the rest."""

    statements: Mapping[str, Statement] = field(default_factory=dict)
    delinquencies: Mapping[str, Delinquency] = field(default_factory=dict)
    payments: int = 0
    payment_count: int = 0
    purchases: int = 0
    inquiries: int = 0

    def with_row(self, row: Transaction) -> "Month":
        """Return the month with one more row; rows commute, so their order does not matter."""
        match row.kind:
            case TransactionKind.PAYMENT:
                return replace(
                    self,
                    payments=self.payments + row.amount,
                    payment_count=self.payment_count + 1,
                )
            case TransactionKind.PURCHASE:
                return replace(self, purchases=self.purchases + row.amount)
            case TransactionKind.INQUIRY:
                return replace(self, inquiries=self.inquiries + 1)
            case TransactionKind.STATEMENT:
                return self._with_statement(row)
            case TransactionKind.DELINQUENCY:
                return self._with_delinquency(row)
            case _:
                # A reversal takes another row out; it adds nothing by itself.
                return self

    def _with_statement(self, row: Transaction) -> "Month":
        held = self.statements.get(row.source)
        new = Statement(row.incarnation, row.source_version, row.occurred_us, row.amount, row.limit)
        # Two streams of one source may count alike; comparing all of it leaves no tie to arrival.
        if held is not None and held >= new:
            return self
        return replace(self, statements={**self.statements, row.source: new})

    def _with_delinquency(self, row: Transaction) -> "Month":
        held = self.delinquencies.get(row.source)
        new = Delinquency(row.incarnation, row.source_version, row.late)
        if held is not None and held >= new:
            return self
        return replace(self, delinquencies={**self.delinquencies, row.source: new})


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditData:
    """
    A customer's profile: slots of state, months of facts, and the version that guards projections.

    `profile_version` counts the distinct events applied. `incomplete` is set while an event of the
    customer is parked: nobody may be approved on half of the facts.
    """

    customer_id: str
    person_id: str
    profile_version: int = 0
    incomplete: bool = False
    slots: Mapping[str, Slot] = field(default_factory=dict)
    months: Mapping[int, Month] = field(default_factory=dict)
    newest_month: int = 0
    newest_us: int = 0
    pending_reversals: tuple[str, ...] = ()

    @classmethod
    def empty(cls, customer_id: str) -> "CreditData":
        """Return what is known of a customer before the first event."""
        return cls(customer_id=customer_id, person_id=own_person(customer_id))


def month_from_rows(rows: Iterable[Transaction]) -> Month:
    """Return the month that a set of rows stands for; the definition `with_row` must agree with."""
    month = Month()
    for row in rows:
        month = month.with_row(row)
    return month
