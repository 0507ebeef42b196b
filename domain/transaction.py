"""Dated facts about a customer: what the table `transactions` holds."""

from dataclasses import dataclass
from enum import StrEnum


class TransactionKind(StrEnum):
    """The kinds of fact that a customer's history is made of."""

    PURCHASE = "purchase"
    PAYMENT = "payment"
    STATEMENT = "statement"
    DELINQUENCY = "delinquency"
    INQUIRY = "inquiry"
    REVERSAL = "reversal"


@dataclass(frozen=True, slots=True)
class Transaction:
    """
    One row, identified by the id of its event; never edited, only reversed by another row.

    `month` counts months since year 0 (`instants.month_of`) and is the statement's period, or the
    São Paulo month of a payment. `amount` and `limit` are centavos; a statement's balance is
    negative when the customer is in credit. `late` is months late (0-99).
    """

    event_id: str
    customer_id: str
    kind: TransactionKind
    source: str
    incarnation: int
    source_version: int
    occurred_us: int
    month: int
    amount: int = 0
    limit: int = 0
    late: int = 0
    reverses: str = ""
