"""
The first schema: what every embedded file of version 1 holds, without a change.

A revision is history: it spells its tables out instead of taking those of today.
"""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    UniqueConstraint,
)
from sqlalchemy.dialects.mysql import BINARY, LONGBLOB

from adapters.stores.sql.migrations.online import add_index, create_table, drop_table
from adapters.stores.sql.schema import MYSQL

revision: Final = "0001"
down_revision: Final = None

TABLES: Final = (
    "persons",
    "customers",
    "transactions",
    "inbox",
    "parked_events",
    "ingestion_batches",
    "credit_policies",
    "dated_tables",
    "credit_decisions",
    "reservations",
    "offers",
    "contracts",
    "outbox",
    "ledger_batches",
    "reviews",
    "idempotency_keys",
)
LOSES: Final = TABLES

Blob = LargeBinary().with_variant(LONGBLOB(), "mysql", "mariadb")


def upgrade() -> None:
    """Create every table."""
    _people()
    _ingestion()
    _book()
    _decisions()
    _commitments()
    _ledger()


def downgrade() -> None:
    """Drop every table."""
    for name in reversed(TABLES):
        drop_table(name)


def _people() -> None:
    create_table(
        "persons",
        _key("person_id", primary=True, length=80),
        _key("cpf_index", length=80),
    )
    create_table(
        "customers",
        _key("customer_id", primary=True),
        _key("person_id", length=80),
        _number("profile_version"),
        _key("cpf_index", length=80),
        _key("status", length=16),
        Column("monthly_income", BigInteger),
        Column("existing_debts", BigInteger),
        Column("credit_score", Integer),
        Column("profile", Blob, nullable=False),
        _number("created_us"),
        _number("updated_us"),
    )
    add_index("customers", "idx_customer_cpf", ("cpf_index",))
    add_index("customers", "idx_customer_status", ("status",))
    add_index("customers", "idx_customer_person", ("person_id",))
    create_table(
        "transactions",
        _key("event_id", primary=True, length=36),
        _key("customer_id"),
        _key("kind", length=16),
        _key("source"),
        _number("incarnation"),
        _number("source_version"),
        _number("occurred_us"),
        _number("month"),
        _number("amount"),
        _number("limit_amount"),
        _number("late"),
        _key("reverses", length=36),
        Column("reversed", SmallInteger, nullable=False),
        _number("applied_us"),
        Column("payload", Blob, nullable=False),
    )
    add_index("transactions", "idx_customer_transaction", ("customer_id", "occurred_us"))
    add_index("transactions", "idx_transaction_date", ("occurred_us",))


def _ingestion() -> None:
    create_table(
        "inbox",
        _key("event_id", primary=True, length=36),
        _key("stream_id", length=200),
        _number("source_version"),
        _fixed("body_hash", 32),
        _key("customer_id"),
        UniqueConstraint("stream_id", "source_version", name="uq_inbox_stream"),
    )
    create_table(
        "parked_events",
        _key("parked_id", primary=True, length=80),
        _key("customer_id"),
        _key("state", length=16),
        _key("reason"),
        _key("detail", length=255),
        Column("sealed_payload", Blob, nullable=False),
        _number("parked_us"),
    )
    add_index("parked_events", "idx_parked_customer", ("customer_id", "state"))
    create_table(
        "ingestion_batches",
        _key("batch_id", primary=True, length=36),
        _key("shard_id"),
        _key("first_sequence"),
        _key("last_sequence"),
        _number("records"),
        _number("applied"),
        _number("duplicates"),
        _number("parked"),
        _number("failed"),
        _number("started_us"),
        _number("finished_us"),
        _key("code_version"),
    )


def _book() -> None:
    create_table(
        "credit_policies",
        _key("policy_id", primary=True),
        Column("version", Integer, primary_key=True, autoincrement=False),
        _key("content_hash", length=80),
        _key("product"),
        _key("title", length=200),
        _key("status", length=16),
        Column("document", Blob, nullable=False),
        Column("parts", Blob, nullable=False),
        _number("published_us"),
    )
    create_table(
        "dated_tables",
        _key("content_hash", primary=True, length=80),
        _key("kind", length=32),
        _key("name"),
        Column("document", Blob, nullable=False),
        _number("published_us"),
    )


def _decisions() -> None:
    create_table(
        "credit_decisions",
        _key("decision_id", primary=True, length=36),
        _key("client_id", length=128),
        _key("idem_key", length=255),
        _key("command_hash", length=80),
        _key("customer_id"),
        _key("person_id", length=80),
        _key("product"),
        _number("amount"),
        Column("term_months", Integer, nullable=False),
        _key("outcome", length=16),
        _key("policy_id"),
        Column("policy_version", Integer, nullable=False),
        Column("score", Integer),
        _key("band", length=16),
        _number("decided_us"),
        _key("decision_date", length=10),
        _key("duplicate_of", length=36),
        _key("reviewed_decision", length=36),
        _key("lane", length=36),
        _number("lane_seq"),
        _fixed("salt", 16),
        _fixed("content_hash", 32),
        Column("evidence", Blob),
        Column("reply", Blob),
        UniqueConstraint("client_id", "idem_key", name="uq_decision_key"),
    )
    add_index(
        "credit_decisions",
        "idx_combined_customer_status",
        ("customer_id", "outcome", "decision_date"),
    )
    add_index("credit_decisions", "idx_decision_date", ("decision_date",))
    add_index("credit_decisions", "idx_decision_newest", ("decided_us", "decision_id"))
    add_index("credit_decisions", "idx_customer_decision", ("customer_id", "decision_date"))
    add_index("credit_decisions", "idx_decision_person", ("person_id", "decided_us"))
    add_index("credit_decisions", "idx_decision_lane", ("lane", "lane_seq"))


def _commitments() -> None:
    create_table(
        "reservations",
        _key("decision_id", primary=True, length=36),
        _key("person_id", length=80),
        _key("state", length=16),
        _number("principal"),
        _number("instalment"),
        _number("expires_us"),
    )
    add_index(
        "reservations",
        "idx_reservation_open",
        ("person_id", "state", "expires_us", "principal", "instalment"),
    )
    create_table(
        "offers",
        _key("offer_id", primary=True, length=36),
        _key("decision_id", length=36),
        _key("person_id", length=80),
        _number("principal"),
        _number("expires_us"),
        Column("terms", Blob, nullable=False),
    )
    add_index("offers", "idx_offer_decision", ("decision_id",))
    create_table(
        "contracts",
        _key("contract_id", primary=True, length=36),
        _key("decision_id", length=36),
        _key("person_id", length=80),
        _key("state", length=16),
        _number("outstanding"),
        _number("instalment"),
        _number("version"),
        UniqueConstraint("decision_id", name="uq_contract_decision"),
    )
    add_index("contracts", "idx_contract_person", ("person_id", "state"))


def _ledger() -> None:
    create_table(
        "outbox",
        Column(
            "id",
            BigInteger().with_variant(Integer, "sqlite"),
            primary_key=True,
            autoincrement=True,
        ),
        _key("event_id", length=36),
        _key("aggregate_type"),
        _key("aggregate_id"),
        _number("aggregate_seq"),
        _key("type"),
        _key("partition_key"),
        Column("payload", Blob, nullable=False),
        _number("created_us"),
        UniqueConstraint("aggregate_type", "aggregate_id", "aggregate_seq", name="uq_outbox_seq"),
        options={**MYSQL, "sqlite_autoincrement": True},
    )
    create_table(
        "ledger_batches",
        _key("lane", primary=True, length=36),
        _number("sequence", primary=True),
        _fixed("previous_hash", 32),
        _fixed("root", 32),
        Column("leaves", Blob, nullable=False),
        Column("n", Integer, nullable=False),
        _key("note", length=2000),
        _number("written_us"),
    )
    create_table(
        "reviews",
        _key("review_id", primary=True, length=36),
        _key("decision_id", length=36),
        _key("customer_id"),
        _key("state", length=16),
        _key("cause", length=32),
        _number("opened_us"),
        _key("closed_by", length=36),
        _key("reviewer", length=128),
        _key("note", length=1000),
        _number("closed_us"),
    )
    add_index("reviews", "idx_review_state", ("state", "opened_us"))
    add_index("reviews", "idx_review_newest", ("opened_us", "review_id"))
    add_index("reviews", "idx_review_decision", ("decision_id",))
    create_table(
        "idempotency_keys",
        _key("scope", primary=True, length=255),
        _key("idem_key", primary=True, length=128),
        _key("command_hash", length=80),
        Column("status", Integer, nullable=False),
        Column("reply", Blob),
        _number("created_us"),
    )


def _key(name: str, *, primary: bool = False, length: int = 64) -> Column[str]:
    return Column(name, String(length), primary_key=primary, nullable=False)


def _fixed(name: str, length: int) -> Column[bytes]:
    kind = LargeBinary(length).with_variant(BINARY(length), "mysql", "mariadb")
    return Column(name, kind, nullable=False)


def _number(name: str, *, primary: bool = False) -> Column[int]:
    return Column(name, BigInteger, primary_key=primary, nullable=False, autoincrement=False)
