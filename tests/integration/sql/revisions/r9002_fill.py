"""Fill the column and build its index, while programs of the schema before go on."""

from typing import Final

from adapters.stores.sql.migrations.online import add_index, backfill, drop_index

revision: Final = "9002"
down_revision: Final = "9001"

LOSES: Final[tuple[str, ...]] = ()


def upgrade() -> None:
    """Fill and index."""
    backfill("credit_decisions", "decision_id", {"channel": "product"})
    add_index("credit_decisions", "idx_decision_channel", ("channel", "decided_us"))


def downgrade() -> None:
    """Drop the index; what was filled may stay."""
    drop_index("credit_decisions", "idx_decision_channel")
