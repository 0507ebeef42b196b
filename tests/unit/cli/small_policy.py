"""A policy of two rules and one scorecard, as its files stand beside each other."""

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

SCHEMA = {
    "type": "object",
    "properties": {
        "profile": {
            "type": "object",
            "properties": {
                "income": {"type": "number", "x-scale": 2, "minimum": 0},
                "segment": {"type": "string", "enum": ["retail", "prime"]},
                "active": {"type": "boolean"},
            },
        }
    },
}
RULES = [
    {"_id": "poor", "i0": "< 1000", "i1": "", "o0": '"R05"', "o1": '"decline"'},
    {"_id": "low-score", "i0": "", "i1": "score.value < 450", "o0": '"R20"', "o1": '"refer"'},
    {"_id": "modest", "i0": "< 3000", "i1": "", "o0": '"R12"', "o1": '"reduce"'},
    {"_id": "idle", "i0": "", "i1": "profile.active == false", "o0": '"R07"', "o1": '"refer"'},
]
MODEL: dict[str, Any] = {
    "id": "small-card",
    "version": 1,
    "base_points": 400,
    "attributes": [
        {
            "name": "profile.segment",
            "code": "R22",
            "family": "segment",
            "reference": "max",
            "missing_points": None,
            "bins": [{"values": ["prime"], "points": 100}, {"values": ["retail"], "points": 60}],
        }
    ],
    "scale": {"pdo": 50, "base_score": 600, "base_odds": 20},
    "clamp": [0, 1000],
}


def node(identity: str, kind: str, content: dict[str, Any]) -> dict[str, Any]:
    return {"id": identity, "name": identity, "type": kind, "content": content}


def document(rules: list[dict[str, str]] | None = None, *more: dict[str, Any]) -> dict[str, Any]:
    """Return the policy; `more` nodes stand before the output."""
    table = {
        "hitPolicy": "collect",
        "passThrough": True,
        "inputField": None,
        "outputPath": "rules",
        "inputs": [
            {"id": "i0", "name": "income", "field": "profile.income"},
            {"id": "i1", "name": "condition"},
        ],
        "outputs": [
            {"id": "o0", "name": "code", "field": "code"},
            {"id": "o1", "name": "effect", "field": "effect"},
        ],
        "rules": RULES if rules is None else rules,
    }
    card = {"kind": "scorecard", "config": {"model": "small-card", "outputPath": "score"}}
    nodes = [
        node("in", "inputNode", {"schema": json.dumps(SCHEMA)}),
        node("card", "customNode", card),
        node("table", "decisionTableNode", table),
        *more,
        node("out", "outputNode", {}),
    ]
    pairs = pairwise(nodes)
    return {
        "contentType": "application/vnd.gorules.decision",
        "x-policy": {
            "id": "small",
            "version": 2,
            "product": "loan",
            "title": "Small",
            "owner": "risk",
        },
        "nodes": nodes,
        "edges": [
            {"id": f"e{n}", "type": "edge", "sourceId": one["id"], "targetId": other["id"]}
            for n, (one, other) in enumerate(pairs)
        ],
    }


def reasons(*codes: str) -> dict[str, Any]:
    """Return a reason table; the scorecard's family is the one of its attribute."""
    families = {"R22": "segment"}
    return {
        "id": "small-reasons",
        "version": 1,
        "codes": {
            code: {
                "family": families.get(code, code),
                "priority": number,
                "internal": code,
                "text": {"pt-BR": f"Texto {code}", "en": f"Text {code}"},
                "help": {"pt-BR": f"Ajuda {code}", "en": f"Help {code}"},
            }
            for number, code in enumerate(codes)
        },
    }


def write_policy(folder: Path, policy: object = None, model: object = None) -> Path:
    """Write policy and model beside each other; return where the policy is."""
    path = folder / "small.json"
    path.write_text(json.dumps(document() if policy is None else policy), encoding="utf-8")
    (folder / "small-card.json").write_text(json.dumps(model or MODEL), encoding="utf-8")
    return path
