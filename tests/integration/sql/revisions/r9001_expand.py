"""Expand: a column that old programs neither write nor read."""

from typing import Final

from sqlalchemy import Column, String

from adapters.stores.sql.migrations.online import add_column, drop_column

revision: Final = "9001"
down_revision: Final = "0002"

LOSES: Final = ("credit_decisions.channel",)


def upgrade() -> None:
    """Add the column."""
    add_column("credit_decisions", Column("channel", String(64)))


def downgrade() -> None:
    """Drop the column."""
    drop_column("credit_decisions", "channel")
