"""The policies that `bench.policy` measures: a reference of ten nodes' work, and big tables."""

import json
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
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
        table("price", ("aggregate.points",), ("band", "rate", "cap"), [
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


def table(identity: str, columns: tuple[str, ...], outputs: tuple[str, ...], rows: Any) -> Json:
    """Return a value table; a row is a cell for each column, then the outputs."""
    keys = (*(f"i{i}" for i in range(len(columns))), *outputs)
    listed = [
        {"_id": f"{identity}-{i}", **dict(zip(keys, row, strict=True))}
        for i, row in enumerate(rows)
    ]
    return _table(identity, columns, outputs, listed, "first", identity)


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


Cells = tuple[str, ...]
Inputs = Mapping[str, Value | None]
#: Ends of ranges, one range for each of three columns, in hundredths.
Brick = tuple[tuple[int, int], ...]


@dataclass(frozen=True, kw_only=True)
class Table:
    """
    One kind of table: its columns, and for a size its rows and the input that finds one of them.

    `found` is the row that an evaluation found; `output` writes a row's number as an output cell.
    """

    columns: tuple[str, ...]
    rows: Callable[[int], Sequence[Cells]]
    inputs: Callable[[int, int], Inputs]
    found: Callable[[Evaluation], int]
    output: Callable[[int], str] = str


def _row_of_value(evaluation: Evaluation) -> int:
    return int(Decimal(str(evaluation.values["price.row"])))


def _row_of_rule(evaluation: Evaluation) -> int:
    return next(i for i, result in enumerate(evaluation.results) if result.result == "hit")


def _ranges(size: int) -> list[Cells]:
    return [(f"[{row * 10}.00..{row * 10 + 10}.00)",) for row in range(size)]


def _equal(size: int) -> list[Cells]:
    return [(f'"key-{row}"',) for row in range(size)]


def _bricked(size: int) -> list[Cells]:
    return [tuple(f"[{_exact(low)}..{_exact(end)})" for low, end in brick) for brick in _wall(size)]


@cache
def _wall(size: int) -> list[Brick]:
    """Return bricks in no order that fill a space without overlap, each cut where chance wants."""
    rng = random.Random(size)
    side = round(size ** (1 / 3))
    across = -(-size // side**2)
    bricks: list[Brick] = [
        (x, y, z) for x in _cuts(rng, side) for y in _cuts(rng, side) for z in _cuts(rng, across)
    ]
    rng.shuffle(bricks)
    return bricks[:size]


def _cuts(rng: random.Random, count: int) -> list[tuple[int, int]]:
    return list(pairwise(sorted(rng.sample(range(100_000), count + 1))))


def _exact(hundredths: int) -> Decimal:
    return Decimal(hundredths).scaleb(-2)


def _number(_: int, row: int) -> Inputs:
    return {"x": _exact(row * 1000 + 500), "y": _exact(0)}


def _text(_: int, row: int) -> Inputs:
    return {"t": f"key-{row}"}


def _corner(size: int, row: int) -> Inputs:
    ends = zip("xyz", _wall(size)[row], strict=True)
    return {name: _exact(low) for name, (low, _) in ends}


TABLES: Final[Mapping[str, Table]] = {
    "value table, ranges": Table(columns=("x",), rows=_ranges, inputs=_number, found=_row_of_value),
    "value table, equality": Table(columns=("t",), rows=_equal, inputs=_text, found=_row_of_value),
    "value table, expressions": Table(
        columns=("x",), rows=_ranges, inputs=_number, found=_row_of_value, output="y + {}".format
    ),
    "value table, three names": Table(
        columns=("x", "y", "z"), rows=_bricked, inputs=_corner, found=_row_of_value
    ),
    "rule table, ranges": Table(columns=("x",), rows=_ranges, inputs=_number, found=_row_of_rule),
    "rule table, equality": Table(columns=("t",), rows=_equal, inputs=_text, found=_row_of_rule),
    "rule table, three names": Table(
        columns=("x", "y", "z"), rows=_bricked, inputs=_corner, found=_row_of_rule
    ),
}


def table_policy(kind: str, size: int) -> Json:
    """Return a policy of one table with `size` rows (and what a value table needs to be whole)."""
    shape = TABLES[kind]
    number = {"type": "number", "x-scale": 2}
    schema = {"x": number, "y": number, "z": number, "t": {"type": "string"}}
    if kind.startswith("rule"):
        rows = [(f"r{i}", dict(enumerate(cells))) for i, cells in enumerate(shape.rows(size))]
        return document(rules(shape.columns, rows), schema=schema)
    listed = [(*cells, shape.output(i)) for i, cells in enumerate(shape.rows(size))]
    last = ("",) * len(shape.columns)
    listed.append((*last, "-1"))
    return document(table("price", shape.columns, ("row",), listed), schema=schema)
