"""The platform's tables as the model database knows them: keys and indices, nothing else."""

from typing import Any, Final

from adapters.stores.model.table import Row, Table

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
)


def columns_of(row: Any) -> Row:
    """Return the fields of a statement's row as columns, each as it is."""
    return {name: getattr(row, name) for name in row.__dataclass_fields__}
