"""Every statement that a program may yield, control of transactions aside, in a dialect."""

from functools import cache

from adapters.stores.sql.archive import archive_renderers
from adapters.stores.sql.ingestion import ingestion_renderers
from adapters.stores.sql.ledger import ledger_renderers
from adapters.stores.sql.loss import loss_renderers
from adapters.stores.sql.mysql_words import MysqlWords
from adapters.stores.sql.rendering import Renderers, Words


def renderers(words: Words) -> Renderers:
    """Return the renderer of each statement's class."""
    return {
        **ledger_renderers(words),
        **archive_renderers(words),
        **ingestion_renderers(words),
        **loss_renderers(words),
    }


@cache
def mysql_renderers() -> Renderers:
    """Return those in MySQL's words, compiled once for all connections of a process."""
    return renderers(MysqlWords())
