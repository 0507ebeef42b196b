"""
A small policy for the simulation: everything that a decision is made of, and nothing dear.

The limit is the person's income, so a workload sets how many loans fit by the income it reports.
"""

import json
from dataclasses import replace
from functools import cache
from itertools import pairwise
from typing import Any, Final

from adapters.bootstrap.shipped import funding_table, iof_table, personal_loan
from decision_engine.case import CreditCase
from decision_engine.exposure import NO_EXPOSURE
from decision_engine.rulebook import Artifacts, Rulebook, build_rulebook
from decision_engine.snapshot import Gathered, take_snapshot
from domain.application import CreditApplication
from domain.customer import CreditData, Slot
from domain.instants import epoch_micros
from domain.money import Money
from tests.simulation.platform.ports import START

PRODUCT: Final = "personal_loan"
AMOUNT: Final = 1_000_00
TERM_MONTHS: Final = 6
#: The smallest offer: what is left of the limit after the last loan stays below it.
LEAST: Final = 500_00
PD: Final = "0.06"
LEAST_RATE: Final = "0.0150"
MOST_RATE: Final = "0.0600"

SCHEMA: Final = {
    "type": "object",
    "properties": {
        "application": {
            "type": "object",
            "properties": {
                "amount": {"type": "number", "x-scale": 2, "minimum": 0},
                "term_months": {"type": "integer", "minimum": 1},
            },
        },
        "exposure": {
            "type": "object",
            "properties": {"outstanding": {"type": "number", "x-scale": 2, "minimum": 0}},
        },
        "income": {
            "type": "object",
            "properties": {"monthly": {"type": "number", "x-scale": 2, "x-maxAgeDays": 400}},
        },
    },
}
MADE: Final = {
    "band.name": '"A"',
    "offer.minimum_amount": str(LEAST // 100),
    "offer.maximum_amount": "50000",
    "offer.maximum_term": str(TERM_MONTHS),
    "offer.term_step": "6",
    "limit.amount": "income.monthly",
}
RULES: Final = (
    ("no-income", "income.monthly <= 0", "R10", "refer"),
    ("limit", "price.principal + exposure.outstanding > limit.amount", "R12", "reduce"),
)


@cache
def rulebook() -> Rulebook:
    """Return the policy, compiled once a process."""
    shipped = personal_loan()
    artifacts = Artifacts(
        policy=json.dumps(document()).encode(),
        models=[],
        reasons=shipped.reasons,
        iof=iof_table(),
        funding=funding_table(),
    )
    return build_rulebook(artifacts, "2026.1")


@cache
def principal() -> int:
    """Return what one loan reserves, in centavos: the amount and the tax financed with it."""
    income = Slot(1, 1, epoch_micros(START), {"monthly": 10 * AMOUNT, "basis": "verified"})
    profile = replace(CreditData.empty("c"), slots={"income/crm": income})
    book = rulebook()
    case = CreditCase(
        application=application("c"),
        rulebook=book,
        snapshot=take_snapshot(Gathered(profile, "aurora"), book.fields, START),
    )
    return case.assess(NO_EXPOSURE).reserved_principal


def application(customer_id: str, reference: str | None = None) -> CreditApplication:
    """Return the only loan that is ever asked for here."""
    return CreditApplication(
        customer_id=customer_id,
        product=PRODUCT,
        amount=Money(AMOUNT),
        term_months=TERM_MONTHS,
        external_reference=reference,
    )


def document() -> dict[str, Any]:
    """Return the policy as a JDM document."""
    nodes = [
        _node("input", "inputNode", {"schema": json.dumps(SCHEMA)}),
        _node("made", "expressionNode", _made()),
        _node("price", "customNode", {"kind": "function", "config": _price()}),
        _node("rules", "decisionTableNode", _rules()),
        _node("output", "outputNode", {}),
    ]
    return {
        "contentType": "application/vnd.gorules.decision",
        "x-policy": {
            "id": "simulated",
            "version": 1,
            "product": PRODUCT,
            "title": "Simulated loan",
            "owner": "simulation",
        },
        "nodes": nodes,
        "edges": [
            {"id": f"e{n}", "type": "edge", "sourceId": one["id"], "targetId": other["id"]}
            for n, (one, other) in enumerate(pairwise(nodes))
        ],
    }


def _node(name: str, kind: str, content: dict[str, Any]) -> dict[str, Any]:
    return {"id": name, "name": name, "type": kind, "content": content}


def _made() -> dict[str, Any]:
    expressions = [{"id": key, "key": key, "value": value} for key, value in MADE.items()]
    return {"passThrough": True, "executionMode": "single", "expressions": expressions}


def _price() -> dict[str, Any]:
    return {
        "name": "price",
        "outputPath": "price",
        "arguments": {
            "amount": "application.amount",
            "term_months": "application.term_months",
            "pd": PD,
            "minimum_rate": LEAST_RATE,
            "maximum_rate": MOST_RATE,
        },
        "outputs": {
            "monthly_rate": {"type": "number", "x-scale": 4},
            "principal": {"type": "number", "x-scale": 2},
            "instalment": {"type": "number", "x-scale": 2},
        },
    }


def _rules() -> dict[str, Any]:
    return {
        "hitPolicy": "collect",
        "passThrough": True,
        "outputPath": "rules",
        "executionMode": "single",
        "inputs": [{"id": "i0", "name": "condition"}],
        "outputs": [
            {"id": "o0", "name": "code", "field": "code"},
            {"id": "o1", "name": "effect", "field": "effect"},
        ],
        "rules": [
            {"_id": name, "i0": condition, "o0": f'"{code}"', "o1": f'"{effect}"'}
            for name, condition, code, effect in RULES
        ],
    }
