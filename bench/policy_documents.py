"""The policies that `bench.policy` measures: a reference of ten nodes' work, and big tables."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from typing import Any, Final

from decision_engine.policy.evaluation import Evaluation
from decision_engine.policy.values import Value

Json = dict[str, Any]

CONTEXT: Final[Json] = {
    "applicant": {"age": 37, "income": 5200.5, "employed_months": 31, "dependants": 2},
    "bureau": {
        "score": 688,
        "open_defaults": 0,
        "worst_dpd": 12,
        "inquiries": 3,
        "utilization": 0.42,
        "oldest_months": 77,
    },
    "debt": {"service": 910.25, "unsecured": 8400},
    "request": {"amount": 12000, "term": 24, "channel": "app", "renewal": True, "purpose": "home"},
    "reference": "2026-11-000417",
}
_WHOLE: Final = {"type": "integer", "minimum": 0}
_MONEY: Final = {"type": "number", "minimum": 0, "x-scale": 2}
_SCHEMA: Final[Json] = {
    "applicant": {"age": _WHOLE, "income": _MONEY, "employed_months": _WHOLE, "dependants": _WHOLE},
    "bureau": {
        "score": _WHOLE,
        "open_defaults": _WHOLE,
        "worst_dpd": _WHOLE,
        "inquiries": _WHOLE,
        "utilization": {"type": "number", "x-scale": 4},
        "oldest_months": _WHOLE,
    },
    "debt": {"service": _MONEY, "unsecured": _MONEY},
    "request": {
        "amount": _MONEY,
        "term": _WHOLE,
        "channel": {"type": "string"},
        "renewal": {"type": "boolean"},
        "purpose": {"type": "string"},
    },
    "reference": {"type": "string"},
}
_COLUMNS: Final = (
    "bureau.open_defaults",
    "bureau.worst_dpd",
    "bureau.score",
    "applicant.age",
    "derived.burden",
    "request.amount",
    "request.term",
    "request.channel",
)
#: Fifteen rules: id, and cells by the number of their column.
_RULES: Final[tuple[tuple[str, dict[int, str]], ...]] = (
    ("R01", {0: "> 0"}),
    ("R02", {1: ">= 90"}),
    ("R03", {1: "[30..90)", 2: "< 620"}),
    ("R04", {2: "< 500"}),
    ("R05", {3: "< 18"}),
    ("R06", {3: "> 75"}),
    ("R07", {4: "> 0.60"}),
    ("R08", {4: "(0.45..0.60]", 2: "< 700"}),
    ("R09", {5: "> 50000"}),
    ("R10", {5: "< 500"}),
    ("R11", {6: "not in [3..60]"}),
    ("R12", {7: '"broker"', 5: "> 20000"}),
    ("R13", {7: '"app", "web"', 2: "< 550", 6: "> 36"}),
    ("R14", {1: "[1..30)", 4: "> 0.20"}),
    ("R15", {3: "[18..21)", 5: "> 5000", 2: "< 650"}),
)
_BANDS: Final = (
    (">= 800", "A", "0.0149", 120000),
    ("[750..800)", "B", "0.0199", 90000),
    ("[700..750)", "C", "0.0259", 60000),
    ("[650..700)", "D", "0.0329", 40000),
    ("[600..650)", "E", "0.0419", 25000),
    ("[500..600)", "F", "0.0559", 9000),
    ("< 500", "G", "0.0699", 0),
)


def reference() -> Json:
    """Return the reference policy, the same JDM for both engines."""
    derive = {
        "burden": "round((debt.service + request.amount * 0.05) / max([applicant.income, 1]), 4)",
        "free": "applicant.income - debt.service - applicant.dependants * 300",
        "leverage": "round((debt.unsecured + request.amount) / max([applicant.income, 1]), 2)",
        "steady": "applicant.employed_months >= 12 and bureau.oldest_months > 24",
    }
    aggregate = {
        "points": "bureau.score + (derived.steady ? 25 : 0) - bureau.inquiries * 4",
        "stress": "derived.leverage > 6 or bureau.utilization > 0.9 or derived.free < 500",
    }
    offer = {
        "limit": "min([price.cap, derived.free * request.term * 0.4, request.amount])",
        "rate": "request.renewal ? price.rate - 0.001 : price.rate",
        "cost": "round($.offer.limit * $.offer.rate * request.term, 2)",
        "referred": 'aggregate.stress or request.purpose == "business"',
    }
    return document(
        expressions("derive", "derived", derive),
        rules(_COLUMNS, _RULES),
        expressions("aggregate", "aggregate", aggregate),
        table("price", "aggregate.points", ("band", "rate", "cap"), [
            (cell, f'"{band}"', rate, str(cap)) for cell, band, rate, cap in _BANDS
        ]),
        expressions("offer", "offer", offer),
        schema=_SCHEMA,
    )  # fmt: skip


def document(*nodes: Json, schema: Json) -> Json:
    """Return a policy whose nodes stand in one line."""
    line = [
        node("in", "inputNode", {"schema": json.dumps(schema_of(schema))}),
        *nodes,
        node("out", "outputNode", {}),
    ]
    edges = [
        {"id": f"e{i}", "type": "edge", "sourceId": one["id"], "targetId": two["id"]}
        for i, (one, two) in enumerate(pairwise(line))
    ]
    header = {"id": "bench", "version": 1, "product": "loan", "title": "Bench", "owner": "bench"}
    return {
        "contentType": "application/vnd.gorules.decision",
        "x-policy": header,
        "nodes": line,
        "edges": edges,
    }


def schema_of(schema: Json) -> Json:
    """Return nested types as a JSON Schema."""
    if "type" in schema and isinstance(schema["type"], str):
        return schema
    return {"type": "object", "properties": {key: schema_of(item) for key, item in schema.items()}}


def node(identity: str, kind: str, content: Json) -> Json:
    """Return a node."""
    return {"id": identity, "name": identity, "type": kind, "content": content}


def expressions(identity: str, path: str, values: Mapping[str, str]) -> Json:
    """Return an expression node whose keys all begin with `path`."""
    listed = [{"id": key, "key": f"{path}.{key}", "value": value} for key, value in values.items()]
    return node(identity, "expressionNode", {"expressions": listed, "passThrough": True})


def rules(columns: tuple[str, ...], rows: Any) -> Json:
    """Return a rule table; a row is an id (the code too) and cells by column number."""
    listed = [
        {"_id": name, **{f"i{i}": cells.get(i, "") for i in range(len(columns))},
         "code": f'"{name}"', "effect": '"decline"'}
        for name, cells in rows
    ]  # fmt: skip
    return _table("rules", columns, ("code", "effect"), listed, "collect", "rules")


def table(identity: str, column: str, outputs: tuple[str, ...], rows: Any) -> Json:
    """Return a value table over one column; a row is a cell and outputs."""
    listed = [
        {"_id": f"{identity}-{i}", "i0": row[0], **dict(zip(outputs, row[1:], strict=True))}
        for i, row in enumerate(rows)
    ]
    return _table(identity, (column,), outputs, listed, "first", identity)


def _table(  # noqa: PLR0917 - the parts of a table
    identity: str,
    columns: tuple[str, ...],
    outputs: tuple[str, ...],
    rows: list[Json],
    hit_policy: str,
    path: str,
) -> Json:
    return node(identity, "decisionTableNode", {
        "hitPolicy": hit_policy, "passThrough": True, "outputPath": path, "rules": rows,
        "inputs": [{"id": f"i{i}", "name": name, "field": name} for i, name in enumerate(columns)],
        "outputs": [{"id": name, "name": name, "field": name} for name in outputs],
    })  # fmt: skip


@dataclass(frozen=True)
class Table:
    """One kind of table: its cell of each row, an input that finds a row, and the row found."""

    cell: Callable[[int], str]
    inputs: Callable[[int], Mapping[str, Value | None]]
    found: Callable[[Evaluation], int]


def _row_of_value(evaluation: Evaluation) -> int:
    return int(str(evaluation.values["price.row"]))


def _row_of_rule(evaluation: Evaluation) -> int:
    return next(i for i, result in enumerate(evaluation.results) if result.result == "hit")


def _range(row: int) -> str:
    return f"[{row * 10}.00..{row * 10 + 10}.00)"


def _equal(row: int) -> str:
    return f'"key-{row}"'


def _number(row: int) -> Mapping[str, Value | None]:
    return {"x": Decimal(row * 10 + 5).scaleb(2).scaleb(-2), "t": "none"}


def _text(row: int) -> Mapping[str, Value | None]:
    return {"x": Decimal(-1), "t": f"key-{row}"}


TABLES: Final[Mapping[str, Table]] = {
    "value table, ranges": Table(_range, _number, _row_of_value),
    "value table, equality": Table(_equal, _text, _row_of_value),
    "rule table, ranges": Table(_range, _number, _row_of_rule),
    "rule table, equality": Table(_equal, _text, _row_of_rule),
}


def table_policy(kind: str, size: int) -> Json:
    """Return a policy of one table with `size` rows (and what a value table needs to be whole)."""
    column = "x" if "ranges" in kind else "t"
    cells = [TABLES[kind].cell(row) for row in range(size)]
    schema = {"x": {"type": "number", "x-scale": 2}, "t": {"type": "string"}}
    if kind.startswith("rule"):
        rows = [(f"r{i}", {0: cell}) for i, cell in enumerate(cells)]
        return document(rules((column,), rows), schema=schema)
    listed = [(cell, str(i)) for i, cell in enumerate(cells)]
    return document(table("price", column, ("row",), [*listed, ("", "-1")]), schema=schema)
