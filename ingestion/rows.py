"""From an event to its row of `transactions`, and the row's form for the outside."""

from typing import Any, Final

from domain.events import Event, EventType
from domain.instants import from_epoch_micros, instant_millis
from domain.money import format_centavos
from domain.transaction import Transaction, TransactionKind

_KINDS: Final = {kind.value: kind for kind in TransactionKind}


def row_of(event: Event) -> Transaction:
    """Return the row that an event is; state events and our own are none."""
    data: Any = event.data
    match event.type:
        case EventType.TRANSACTION_RECORDED:
            return _row(event, _KINDS[data["kind"]], amount=data["amount"])
        case EventType.STATEMENT_CLOSED:
            kind = TransactionKind.STATEMENT
            return _row(event, kind, amount=data["balance"], limit=data["limit"])
        case EventType.DELINQUENCY_REPORTED:
            return _row(event, TransactionKind.DELINQUENCY, late=data["late"])
        case _:
            return _row(event, TransactionKind.REVERSAL, reverses=data["reverses"])


def _row(event: Event, kind: TransactionKind, **facts: Any) -> Transaction:
    month: Any = event.data["month"]
    return Transaction(
        event.event_id,
        event.customer_id,
        kind,
        event.source,
        event.incarnation,
        event.source_version,
        event.occurred_us,
        month,
        **facts,
    )


def public_bytes(row: Transaction) -> bytes:
    """
    Return the canonical bytes of a row as shown outside.

    Whether it was reversed is not in them: that changes, and these bytes never do.
    """
    # Written out in sorted order: every value is a number or a text that JSON does not escape.
    year, month = divmod(row.month, 12)
    head, tail = _amounts(row)
    occurred = instant_millis(from_epoch_micros(row.occurred_us))
    return (
        f'{{{head}"event_id":"{row.event_id}","kind":"{row.kind}"{tail},'
        f'"occurred_at":"{occurred}","period":"{year:04d}-{month + 1:02d}",{_reverses(row)}'
        f'"source":"{row.source}"}}'
    ).encode()


def _amounts(row: Transaction) -> tuple[str, str]:
    """Return the facts that sort before `event_id`, and those after `kind`."""
    match row.kind:
        case TransactionKind.PURCHASE | TransactionKind.PAYMENT:
            return f'"amount":"{format_centavos(row.amount)}",', ""
        case TransactionKind.STATEMENT:
            balance = f'"balance":"{format_centavos(row.amount)}",'
            return balance, f',"limit":"{format_centavos(row.limit)}"'
        case TransactionKind.DELINQUENCY:
            return "", f',"months_late":{row.late}'
        case _:
            return "", ""


def _reverses(row: Transaction) -> str:
    return f'"reverses":"{row.reverses}",' if row.reverses else ""
