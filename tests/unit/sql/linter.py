"""
What our statements may say: only what MySQL 8 and MariaDB 10.11 both understand, and alike.

An allow-list, so that what nobody thought of is refused too: the kinds of node that sqlglot finds,
and for each which of its parts may be there. Functions are nodes as well; one that sqlglot does not
know is `Anonymous`, which is not on the list.
"""

from collections.abc import Iterator, Mapping
from typing import Final

import sqlglot
from sqlalchemy.dialects.mysql.reserved_words import (
    RESERVED_WORDS_MARIADB,
    RESERVED_WORDS_MYSQL,
)
from sqlglot import exp
from sqlglot.errors import SqlglotError

BOTH: Final = frozenset({"this", "expression"})
LIST: Final = frozenset({"this", "expressions"})
ALLOWED: Final[Mapping[type[exp.Expr], frozenset[str]]] = {
    # Statements. No INSERT IGNORE (it cuts values), no RETURNING (MySQL has none).
    exp.Select: frozenset({"expressions", "from_", "joins", "where", "group", "order", "limit"})
    | {"locks"},
    exp.Insert: frozenset({"this", "expression", "conflict"}),
    exp.Update: frozenset({"this", "expressions", "where"}),
    exp.Delete: frozenset({"this", "where"}),
    # Their parts. VALUES without a name: MariaDB has no `VALUES .. AS new`.
    exp.Values: frozenset({"expressions"}),
    exp.OnConflict: frozenset({"duplicate", "expressions", "action"}),
    exp.Union: BOTH,
    exp.From: frozenset({"this"}),
    exp.Join: frozenset({"this", "on", "kind"}),
    exp.Where: frozenset({"this"}),
    exp.Group: frozenset({"expressions"}),
    exp.Order: frozenset({"expressions"}),
    exp.Ordered: frozenset({"this", "desc", "nulls_first"}),
    exp.Limit: frozenset({"expression"}),
    # FOR UPDATE [SKIP LOCKED]: FOR SHARE and WAIT are said in only one of the two.
    exp.Lock: frozenset({"update"}),
    exp.Subquery: frozenset({"this", "alias"}),
    exp.Schema: LIST,
    exp.Tuple: frozenset({"expressions"}),
    # An UPDATE of one table by another names both.
    exp.Table: frozenset({"this", "alias", "joins"}),
    exp.TableAlias: frozenset({"this"}),
    exp.Alias: frozenset({"this", "alias"}),
    exp.Column: frozenset({"this", "table"}),
    exp.Identifier: frozenset({"this", "quoted"}),
    exp.Star: frozenset(),
    exp.Var: frozenset({"this"}),
    # Conditions. `<>` is a word of both; `<=>` and `REGEXP` mean different things to them.
    exp.And: BOTH,
    exp.Or: BOTH,
    exp.Paren: frozenset({"this"}),
    exp.EQ: BOTH,
    exp.NEQ: BOTH,
    exp.GT: BOTH,
    exp.GTE: BOTH,
    exp.LT: BOTH,
    exp.LTE: BOTH,
    exp.In: frozenset({"this", "expressions", "query"}),
    # Values: texts of a character set that is named, bytes, whole numbers.
    exp.Literal: frozenset({"this", "is_string"}),
    exp.HexString: frozenset({"this"}),
    exp.Introducer: BOTH,
    exp.Null: frozenset(),
    # Functions. No COLLATE: utf8mb4_0900_* and uca1400_* are each known to one of the two.
    exp.Max: frozenset({"this"}),
    exp.Count: frozenset({"this", "big_int"}),
    exp.Distinct: frozenset({"expressions"}),
    exp.Coalesce: LIST,
    exp.Greatest: LIST,
    exp.If: frozenset({"this", "true", "false"}),
}
RESERVED: Final = RESERVED_WORDS_MYSQL | RESERVED_WORDS_MARIADB
CHARACTER_SET: Final = "_utf8mb4"


def findings(text: str) -> list[str]:
    """Return what a statement says that it may not, in words for the programmer."""
    try:
        trees = [tree for tree in sqlglot.parse(text, dialect="mysql") if tree is not None]
    except SqlglotError as error:
        return [f"cannot be read: {str(error).splitlines()[0]}"]
    if len(trees) != 1:
        return [f"{len(trees)} statements where one was expected"]
    return [found for node in trees[0].walk() for found in _of_node(node)]


def _of_node(node: exp.Expr) -> Iterator[str]:
    name = type(node).__name__
    allowed = ALLOWED.get(type(node))
    if allowed is None:
        yield f"{name}: {node.sql(dialect='mysql')[:60]}"
        return
    # An empty part is not there.
    parts = {part for part, value in node.args.items() if value not in (None, False, [])}
    for part in sorted(parts - allowed):
        yield f"{name} with {part}"
    if isinstance(node, exp.Identifier) and not node.quoted and node.name.lower() in RESERVED:
        yield f"the reserved word {node.name} without quotes"
    if isinstance(node, exp.Lock) and not node.args.get("update"):
        yield "a shared lock"
    if isinstance(node, exp.Introducer) and node.name.lower() != CHARACTER_SET:
        yield f"the character set {node.name}"
    if isinstance(node, exp.Literal) and not node.is_string and not node.name.isdecimal():
        yield f"the number {node.name}, which is not whole"
