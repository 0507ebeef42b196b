"""The platform's tables as the model database knows them: keys and indices, nothing else."""

from typing import Any, Final

from adapters.stores.model.table import Row, Table

#: Columns that may be empty.
NULLABLE: Final = frozenset({"score", "evidence", "reply"})
BITS: Final = 63


def columns_of(row: Any) -> Row:
    """Return the fields of a statement's row as columns, each as it is."""
    return {name: getattr(row, name) for name in row.__dataclass_fields__}


def storable(row: Row) -> bool:
    """Return whether a server could store the values: whole numbers, texts and bytes, in bounds."""
    return all(_fits(value) or (value is None and name in NULLABLE) for name, value in row.items())


def _fits(value: object) -> bool:
    if isinstance(value, str):
        return value.isascii() or not any("\ud800" <= each <= "\udfff" for each in value)
    return isinstance(value, bytes) or (isinstance(value, int) and value.bit_length() <= BITS)


TABLES: Final = (
    Table("persons", ("person_id",)),
    Table("customers", ("customer_id",), indexes=(("person_id",),)),
    Table("transactions", ("event_id",), indexes=(("customer_id", "occurred_us"),)),
    Table("inbox", ("event_id",), unique={"uq_inbox_stream": ("stream_id", "source_version")}),
    Table("parked_events", ("parked_id",)),
    Table("ingestion_batches", ("batch_id",)),
    Table(
        "credit_decisions",
        ("decision_id",),
        unique={"uq_decision_key": ("client_id", "idem_key")},
        indexes=(("person_id", "decided_us"),),
        checks={"storable": storable},
    ),
    Table("reservations", ("decision_id",), indexes=(("person_id", "state", "expires_us"),)),
    Table("offers", ("offer_id",), indexes=(("decision_id",),)),
    Table("contracts", ("contract_id",), indexes=(("person_id", "state"),)),
    Table(
        "outbox",
        ("id",),
        unique={"uq_outbox_seq": ("aggregate_type", "aggregate_id", "aggregate_seq")},
    ),
    Table("ledger_batches", ("lane", "sequence")),
    Table("reviews", ("review_id",), indexes=(("decision_id",),)),
    Table("loss_windows", ("window_id",)),
    Table("audit_log", ("entry_id",)),
)
