"""
The relational schema, once for MySQL (MariaDB too) and SQLite; `migrations` leads there.

Instants are BIGINT microseconds since 1970 UTC (exact, sortable, no time zone of a server),
amounts BIGINT centavos, hashes of fixed length, canonical bytes BLOBs. Texts that are keys compare
by bytes, and all in one character set: a comparison between two would lose its index.
"""

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.mysql import BINARY, LONGBLOB

#: The number of the last revision, and of a new embedded file; raised with each of them.
VERSION: Final = 2

metadata = MetaData()

Blob = LargeBinary().with_variant(LONGBLOB(), "mysql", "mariadb")

#: Written out for every table, so that no default of a server or database decides.
ON_MYSQL: Final = {
    "engine": "InnoDB",
    "charset": "utf8mb4",
    "collate": "utf8mb4_bin",
    "row_format": "DYNAMIC",
}
MYSQL: Final[Mapping[str, Any]] = {
    f"{dialect}_{option}": value
    for dialect in ("mysql", "mariadb")
    for option, value in ON_MYSQL.items()
}
#: A table that is its own primary key's index, as every InnoDB table is.
KEYED: Final[Mapping[str, Any]] = {**MYSQL, "sqlite_with_rowid": False}


def _key(name: str, *, primary: bool = False, length: int = 64) -> Column[str]:
    return Column(name, String(length), primary_key=primary, nullable=False)


def _fixed(name: str, length: int) -> Column[bytes]:
    kind = LargeBinary(length).with_variant(BINARY(length), "mysql", "mariadb")
    return Column(name, kind, nullable=False)


def _number(name: str, *, primary: bool = False) -> Column[int]:
    return Column(name, BigInteger, primary_key=primary, nullable=False, autoincrement=False)


persons = Table(
    "persons",
    metadata,
    _key("person_id", primary=True, length=80),
    _key("cpf_index", length=80),
    **KEYED,
)

customers = Table(
    "customers",
    metadata,
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
    Index("idx_customer_cpf", "cpf_index"),
    Index("idx_customer_status", "status"),
    Index("idx_customer_person", "person_id"),
    **KEYED,
)

transactions = Table(
    "transactions",
    metadata,
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
    Index("idx_customer_transaction", "customer_id", "occurred_us"),
    Index("idx_transaction_date", "occurred_us"),
    **KEYED,
)

inbox = Table(
    "inbox",
    metadata,
    _key("event_id", primary=True, length=36),
    _key("stream_id", length=200),
    _number("source_version"),
    _fixed("body_hash", 32),
    _key("customer_id"),
    UniqueConstraint("stream_id", "source_version", name="uq_inbox_stream"),
    **KEYED,
)

parked_events = Table(
    "parked_events",
    metadata,
    _key("parked_id", primary=True, length=80),
    _key("customer_id"),
    _key("state", length=16),
    _key("reason"),
    _key("detail", length=255),
    Column("sealed_payload", Blob, nullable=False),
    _number("parked_us"),
    Index("idx_parked_customer", "customer_id", "state"),
    **KEYED,
)

ingestion_batches = Table(
    "ingestion_batches",
    metadata,
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
    **KEYED,
)

credit_policies = Table(
    "credit_policies",
    metadata,
    _key("policy_id", primary=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    _key("content_hash", length=80),
    _key("product"),
    _key("title", length=200),
    _key("status", length=16),
    Column("document", Blob, nullable=False),
    Column("parts", Blob, nullable=False),
    _number("published_us"),
    **KEYED,
)

dated_tables = Table(
    "dated_tables",
    metadata,
    _key("content_hash", primary=True, length=80),
    _key("kind", length=32),
    _key("name"),
    Column("document", Blob, nullable=False),
    _number("published_us"),
    **KEYED,
)

credit_decisions = Table(
    "credit_decisions",
    metadata,
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
    Index("idx_combined_customer_status", "customer_id", "outcome", "decision_date"),
    Index("idx_decision_date", "decision_date"),
    Index("idx_decision_newest", "decided_us", "decision_id"),
    Index("idx_customer_decision", "customer_id", "decision_date"),
    Index("idx_decision_person", "person_id", "decided_us"),
    Index("idx_decision_lane", "lane", "lane_seq"),
    **KEYED,
)

reservations = Table(
    "reservations",
    metadata,
    _key("decision_id", primary=True, length=36),
    _key("person_id", length=80),
    _key("state", length=16),
    _number("principal"),
    _number("instalment"),
    _number("expires_us"),
    Index("idx_reservation_open", "person_id", "state", "expires_us", "principal", "instalment"),
    **KEYED,
)

offers = Table(
    "offers",
    metadata,
    _key("offer_id", primary=True, length=36),
    _key("decision_id", length=36),
    _key("person_id", length=80),
    _number("principal"),
    _number("expires_us"),
    Column("terms", Blob, nullable=False),
    Index("idx_offer_decision", "decision_id"),
    **KEYED,
)

contracts = Table(
    "contracts",
    metadata,
    _key("contract_id", primary=True, length=36),
    _key("decision_id", length=36),
    _key("person_id", length=80),
    _key("state", length=16),
    _number("outstanding"),
    _number("instalment"),
    _number("version"),
    UniqueConstraint("decision_id", name="uq_contract_decision"),
    Index("idx_contract_person", "person_id", "state"),
    **KEYED,
)

outbox = Table(
    "outbox",
    metadata,
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
    sqlite_autoincrement=True,
    **MYSQL,
)

ledger_batches = Table(
    "ledger_batches",
    metadata,
    _key("lane", primary=True, length=36),
    _number("sequence", primary=True),
    _fixed("previous_hash", 32),
    _fixed("root", 32),
    Column("leaves", Blob, nullable=False),
    Column("n", Integer, nullable=False),
    _key("note", length=2000),
    _number("written_us"),
    **KEYED,
)

reviews = Table(
    "reviews",
    metadata,
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
    Index("idx_review_state", "state", "opened_us"),
    Index("idx_review_newest", "opened_us", "review_id"),
    Index("idx_review_decision", "decision_id"),
    **KEYED,
)

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    _key("scope", primary=True, length=255),
    _key("idem_key", primary=True, length=128),
    _key("command_hash", length=80),
    Column("status", Integer, nullable=False),
    Column("reply", Blob),
    _number("created_us"),
    **KEYED,
)

loss_windows = Table(
    "loss_windows",
    metadata,
    _key("window_id", primary=True, length=36),
    _number("opened_us"),
    _key("opened_by", length=128),
    _key("reason", length=1000),
    _key("cause", length=32),
    Column("released_us", BigInteger, nullable=False, server_default=text("0")),
    Column("released_by", String(128), nullable=False, server_default=""),
    Column("note", String(1000), nullable=False, server_default=""),
    **KEYED,
)

audit_log = Table(
    "audit_log",
    metadata,
    _key("entry_id", primary=True, length=36),
    _number("at_us"),
    _key("actor", length=128),
    _key("action", length=64),
    _key("subject", length=128),
    _key("detail", length=1000),
    Index("idx_audit_newest", "at_us"),
    **KEYED,
)
