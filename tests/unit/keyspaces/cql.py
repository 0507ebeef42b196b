"""
A linter of CQL: what Apache Cassandra has and Amazon Keyspaces lacks, or has and we forbid.

Sources: the developer guide of Amazon Keyspaces, "Functional differences", "Supported Cassandra
APIs", "Quotas", "Client-side timestamps"; docs/keyspaces.md numbers the rules.
"""

import re
from collections.abc import Iterator
from typing import Final

IN_MAX: Final = 100
COLUMNS_MAX: Final = 225
COLUMNS_WITH_TTL_MAX: Final = 166

#: Rules that a pattern finds; the text has no literals and no comments, and is in capitals.
PATTERNS: Final[dict[str, str]] = {
    "C2 a condition in a batch": r"\bBATCH\b.*\bIF\b.*\bAPPLY\b",
    "C3 OR in a condition": r"\bIF\b.*\bOR\b",
    "C4 USING TIMESTAMP": r"\b(USING|AND) TIMESTAMP\b",
    "C4 WRITETIME": r"\bWRITETIME ?\(",
    "C7 an index": r"\b(CREATE|DROP)( CUSTOM)? INDEX\b",
    "C7 a materialized view": r"\bMATERIALIZED VIEW\b",
    "C7 TRUNCATE": r"\bTRUNCATE\b",
    "C7 a function": r"\b(CREATE|DROP)( OR REPLACE)? (FUNCTION|AGGREGATE)\b",
    "C7 a trigger": r"\bTRIGGER\b",
    "C7 ALTER TYPE": r"\bALTER TYPE\b",
    "C7 LIKE": r"\bLIKE\b",
    "C7 an aggregate": r"\b(COUNT|MIN|MAX|SUM|AVG) ?\(",
    "C7 GROUP BY": r"\bGROUP BY\b",
    "C7 PER PARTITION LIMIT": r"\bPER PARTITION LIMIT\b",
    "C7 CONTAINS": r"\bCONTAINS\b",
    "C7 rights": r"^(CREATE|ALTER|DROP|LIST) (ROLE|USER)|^(GRANT|REVOKE)\b",
    "C7 options that Keyspaces ignores": r"\b(COMPACTION|COMPRESSION|GC_GRACE_SECONDS|CACHING)\b",
    "a scan: ALLOW FILTERING": r"\bALLOW FILTERING\b",
    "SELECT *: a new column changes what is read": r"\bSELECT \*",
    "C9 a default time to live: profiles would go": r"\bDEFAULT_TIME_TO_LIVE\b",
    "C1 a batch of ours is built by the driver": r"^BEGIN\b",
}
COMPILED: Final = {name: re.compile(pattern) for name, pattern in PATTERNS.items()}
LITERAL: Final = re.compile(r"'(?:[^']|'')*'|\$\$.*?\$\$", re.DOTALL)
COMMENT: Final = re.compile(r"--[^\n]*|//[^\n]*|/\*.*?\*/", re.DOTALL)
BEGINS: Final = re.compile(
    r"^\s*(SELECT|INSERT|UPDATE|DELETE|CREATE|ALTER|DROP|TRUNCATE|GRANT|REVOKE|BEGIN|USE|LIST)\s",
)


def faults(text: str) -> list[str]:
    """Return what is wrong with a statement; nothing when Keyspaces would take it."""
    plain = " ".join(COMMENT.sub(" ", LITERAL.sub("''", text)).upper().split())
    found = [name for name, pattern in COMPILED.items() if pattern.search(plain)]
    return [*found, *_counted(plain)]


def is_statement(text: str) -> bool:
    """Tell whether a text begins as CQL does; ours is written in capitals."""
    return BEGINS.match(text) is not None


def _counted(plain: str) -> Iterator[str]:
    for values in re.findall(r"\bIN \(([^)]*)\)", plain):
        if values.count(",") + 1 > IN_MAX:
            yield "C8 more than 100 values of IN"
    most = COLUMNS_WITH_TTL_MAX if "USING TTL" in plain else COLUMNS_MAX
    if _columns(plain) > most:
        yield "C8 too many columns"
    if plain.startswith("DELETE") and not re.search(r"WHERE .+ = .+ AND .+ = ", plain):
        yield "C8 a range is deleted"


def _columns(plain: str) -> int:
    if found := re.match(r"INSERT INTO \S+ \(([^)]*)\)", plain):
        return found[1].count(",") + 1
    if found := re.match(r"UPDATE .*? SET (.*?) WHERE", plain):
        return found[1].count(",") + 1
    return 0
