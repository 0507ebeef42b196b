"""No statement of ours needs what Amazon Keyspaces lacks; the linter is held to its rules."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.stores.keyspaces import schema
from adapters.stores.keyspaces.address import Flavour
from adapters.stores.keyspaces.statements import BATCH_MAX, COLUMNS, IN_MAX, texts
from tests.unit.keyspaces.cql import faults, is_statement
from tests.unit.repo.files import ROOT

FOLDER = ROOT / "adapters" / "stores" / "keyspaces"
NAME = "creditplatform"
KEY = "k = ? AND d = ?"
OURS = [
    *texts(NAME).all(),
    *(text for each in Flavour for text in schema.table_statements(each, NAME)),
    *(schema.keyspace_statement(each, NAME) for each in Flavour),
    schema.SEE_COLUMNS,
    schema.SEE_KEYSPACE,
    *schema.SEE_STATUS.values(),
]
MARKS = ", ".join(["?"] * 100)
ASK = "SELECT a FROM t WHERE k IN ({})"
WIDE = "INSERT INTO t ({}) VALUES ()"


def columns(count: int) -> str:
    return WIDE.format(", ".join(f"c{number}" for number in range(count)))


@pytest.mark.parametrize("text", OURS)
def test_our_statements_are_ones_that_keyspaces_has(text: str) -> None:
    assert is_statement(text)
    assert faults(text) == []


def test_what_stands_in_the_sources_is_looked_at_too() -> None:
    found = [text for path in sorted(FOLDER.glob("*.py")) for text in _texts_in(path)]
    statements = [text for text in found if is_statement(text)]

    assert len(statements) > 10
    assert [(text, wrong) for text in statements if (wrong := faults(text))] == []


def _texts_in(path: Path) -> Iterator[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    joined = [node for node in ast.walk(tree) if isinstance(node, ast.JoinedStr)]
    inside = {id(part) for node in joined for part in node.values}
    for node in joined:
        # What is put in may be the condition on a row, which has two columns.
        parts = (each.value if isinstance(each, ast.Constant) else KEY for each in node.values)
        yield "".join(map(str, parts))
    for each in ast.walk(tree):
        if (
            isinstance(each, ast.Constant)
            and isinstance(each.value, str)
            and id(each) not in inside
        ):
            yield each.value


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("BEGIN BATCH UPDATE t SET a = 1 WHERE k = 1 IF a = 0; APPLY BATCH", "C2"),
        ("UPDATE t SET a = 1 WHERE k = 1 IF a = 0 OR a = 2", "C3"),
        ("INSERT INTO t (k) VALUES (1) USING TIMESTAMP ?", "C4"),
        ("INSERT INTO t (k) VALUES (1) USING TTL 5 AND TIMESTAMP ?", "C4"),
        ("insert into t (k) values (1) using  timestamp 5", "C4"),
        ("SELECT WRITETIME(a) FROM t WHERE k = 1", "C4"),
        ("CREATE INDEX i ON t (a)", "C7"),
        ("CREATE CUSTOM INDEX i ON t (a) USING 'sai'", "C7"),
        ("CREATE MATERIALIZED VIEW v AS SELECT a FROM t", "C7"),
        ("TRUNCATE t", "C7"),
        ("CREATE OR REPLACE FUNCTION f (a int) RETURNS int", "C7"),
        ("CREATE AGGREGATE f (int)", "C7"),
        ("CREATE TRIGGER x ON t USING 'c'", "C7"),
        ("ALTER TYPE x ADD a int", "C7"),
        ("SELECT a FROM t WHERE k = 1 AND d LIKE 'TRANSACTION#%'", "C7"),
        ("SELECT COUNT(a) FROM t WHERE k = 1", "C7"),
        ("SELECT k FROM t GROUP BY k", "C7"),
        ("SELECT k FROM t PER PARTITION LIMIT 1", "C7"),
        ("CREATE ROLE x", "C7"),
        ("CREATE TABLE t (k int PRIMARY KEY) WITH compaction = {'class': 'x'}", "C7"),
        (ASK.format("?, " + MARKS), "C8"),
        (columns(226), "C8"),
        (columns(167) + " USING TTL 1", "C8"),
        ("DELETE FROM t WHERE k = 1", "C8"),
        ("CREATE TABLE t (k int PRIMARY KEY) WITH default_time_to_live = 5", "C9"),
        ("SELECT a FROM t WHERE b = 1 ALLOW FILTERING", "scan"),
        ("SELECT * FROM t WHERE k = 1", "SELECT"),
        ("BEGIN UNLOGGED BATCH INSERT INTO t (k) VALUES (1) APPLY BATCH", "C1"),
    ],
)
def test_what_keyspaces_lacks_is_refused(text: str, rule: str) -> None:
    assert [each for each in faults(text) if rule in each]


@pytest.mark.parametrize(
    "text",
    [
        "SELECT a FROM t WHERE k = 'USING TIMESTAMP' AND d >= 'LIKE' AND d < 'TRUNCATE'",
        "SELECT a FROM t WHERE k = 1 -- no ALLOW FILTERING",
        "DELETE FROM t WHERE k = ? AND d = ?",
        "UPDATE t USING TTL ? SET a = ? WHERE k = ? AND d = ? IF version < ?",
        ASK.format(MARKS),
        columns(225),
        columns(166) + " USING TTL 1",
    ],
)
def test_what_keyspaces_has_is_let_pass(text: str) -> None:
    assert faults(text) == []


def test_our_limits_are_those_of_keyspaces() -> None:
    assert (IN_MAX, BATCH_MAX) == (100, 30)
    assert len(COLUMNS) <= 166
