"""Loss windows (when nobody may be approved, and why) and the audit log of what operators do."""

from typing import Final

from sqlalchemy import BigInteger, Column, String, text

from adapters.stores.sql.migrations.online import add_index, create_table, drop_table

revision: Final = "0002"
down_revision: Final = "0001"

LOSES: Final = ("loss_windows", "audit_log")


def upgrade() -> None:
    """Add both tables; a program of 0001 does not look at them."""
    create_table(
        "loss_windows",
        Column("window_id", String(36), primary_key=True, nullable=False),
        Column("opened_us", BigInteger, nullable=False),
        Column("opened_by", String(128), nullable=False),
        Column("reason", String(1000), nullable=False),
        Column("cause", String(32), nullable=False),
        Column("released_us", BigInteger, nullable=False, server_default=text("0")),
        Column("released_by", String(128), nullable=False, server_default=""),
        Column("note", String(1000), nullable=False, server_default=""),
    )
    create_table(
        "audit_log",
        Column("entry_id", String(36), primary_key=True, nullable=False),
        Column("at_us", BigInteger, nullable=False),
        Column("actor", String(128), nullable=False),
        Column("action", String(64), nullable=False),
        Column("subject", String(128), nullable=False),
        Column("detail", String(1000), nullable=False),
    )
    add_index("audit_log", "idx_audit_newest", ("at_us",))


def downgrade() -> None:
    """Drop both tables."""
    drop_table("audit_log")
    drop_table("loss_windows")
