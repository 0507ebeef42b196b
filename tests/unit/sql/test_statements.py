"""Every text that goes to a server is one that both MySQL 8 and MariaDB 10.11 understand."""

import pytest

from adapters.stores.sql.mysql_words import MysqlWords
from adapters.stores.sql.statements import renderers
from tests.contracts.every_statement import STATEMENTS, texts
from tests.unit.sql.linter import findings

KNOWN = renderers(MysqlWords())


def test_no_statement_is_missing_here() -> None:
    assert {type(statement) for statement in STATEMENTS} == set(KNOWN)


@pytest.mark.parametrize("kind", KNOWN, ids=lambda kind: kind.__name__)
def test_says_what_both_servers_understand(kind: type) -> None:
    ours = [statement for statement in STATEMENTS if type(statement) is kind]

    found = {text: findings(text) for _, text, _ in texts(KNOWN, ours)}

    assert found
    assert {text: each for text, each in found.items() if each} == {}


@pytest.mark.parametrize(
    "text",
    [
        # MariaDB refuses these.
        "INSERT INTO p (a) VALUES (1) AS fresh ON DUPLICATE KEY UPDATE a = fresh.a",
        "SELECT a->>'$.b' FROM p",
        "SELECT a->'$.b' FROM p",
        "SELECT a FROM p WHERE b = 'x' COLLATE utf8mb4_0900_ai_ci",
        "SELECT a FROM p FOR SHARE",
        "SELECT a FROM p, LATERAL (SELECT 1) AS q",
        "SELECT @@transaction_isolation",
        "SELECT a FROM p WHERE 1 MEMBER OF (b)",
        "SELECT a FROM p FOR UPDATE OF p",
        "CREATE INDEX i ON p ((lower(a)))",
        # MySQL refuses these.
        "INSERT INTO p (a) VALUES (1) RETURNING a",
        "DELETE FROM p WHERE a = 1 RETURNING a",
        "REPLACE INTO p (a) VALUES (1) RETURNING a",
        "SELECT a FROM p FOR UPDATE WAIT 5",
        "SELECT a FROM p FOR SYSTEM_TIME ALL",
        "SELECT NEXT VALUE FOR s",
        "SELECT a FROM p MINUS SELECT a FROM q",
        "SELECT rank FROM p",
        "SELECT a FROM p AS system",
        # Each reads them in its own way, or they do harm.
        "INSERT IGNORE INTO p (a) VALUES (1)",
        "REPLACE INTO p (a) VALUES (1)",
        "SELECT a FROM p WHERE a <=> 1",
        "SELECT a FROM p WHERE a REGEXP 'x'",
        "SELECT a FROM p WHERE a LIKE 'x'",
        "SELECT json_value(a, '$.b') FROM p",
        "SELECT uuid() FROM p",
        "SELECT now() FROM p",
        "SELECT values(a) FROM p",
        "SELECT a FROM p WHERE b = _latin1 x'61'",
        "SELECT a FROM p WHERE b = 1.5",
        "SELECT a FROM p LIMIT 5 OFFSET 3",
        "UPDATE p SET a = 1 WHERE b = 2 LIMIT 1",
        "UPDATE p SET a = 1 WHERE b = 2 ORDER BY a",
        "DELETE FROM p ORDER BY a LIMIT 3",
        "WITH q AS (SELECT 1) SELECT * FROM q",
        "SELECT DISTINCT a FROM p",
        "SELECT a FROM p UNION SELECT a FROM q",
        "SELECT a, rank() OVER (ORDER BY a) FROM p",
        "SELECT STRAIGHT_JOIN a FROM p",
        "SELECT /*+ NO_MERGE(p) */ a FROM p",
        "SELECT a FROM p USE INDEX (i)",
        "SELECT a FROM p; DELETE FROM p",
        "SELECT a FROM p WHERE b = 'it's'",
    ],
)
def test_refuses_what_only_one_understands(text: str) -> None:
    assert findings(text)


@pytest.mark.parametrize(
    "text",
    [
        "SELECT a FROM p WHERE b IN ('x', _utf8mb4 x'27') ORDER BY a DESC LIMIT 5",
        "SELECT a FROM p WHERE b = 1 FOR UPDATE SKIP LOCKED",
        "INSERT INTO p (a) SELECT * FROM (SELECT 1 AS a UNION ALL SELECT 2 AS a) AS n",
        "INSERT INTO p (a) VALUES (1) ON DUPLICATE KEY UPDATE a = IF(p.b > 1, 2, p.a)",
        "SELECT `rank` FROM p",
    ],
)
def test_lets_pass_what_both_understand(text: str) -> None:
    assert findings(text) == []
