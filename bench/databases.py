"""A database of a bench's own on a server."""

from dataclasses import replace
from typing import Final

from adapters.mysql_address import MysqlAddress
from adapters.stores.sql.migrations.server import Server
from adapters.stores.sql.pymysql_truth import connected

SECONDS: Final = 60.0


def fresh_database(url: str, name: str) -> str:
    """Make a database anew, with the schema in it, and return its address."""
    address = replace(MysqlAddress.parse(url, "MYSQL_URL"), database="")
    connection = connected(address, SECONDS)
    with connection, connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {name}")
        cursor.execute(f"CREATE DATABASE {name}")
    made = f"{url.rpartition('/')[0]}/{name}"
    Server.at(made).upgrade()
    return made
