"""Replies of the platform, as its contract gives them."""

from typing import Any

REASON = {"code": "R12", "family": "affordability", "text": "Acima do limite dispon\u00edvel"}
DECISION: dict[str, Any] = {
    "decision_id": "0199-d",
    "outcome": "COUNTER_OFFER",
    "customer_id": "c-000123",
    "decided_at": "2026-12-10T14:03:11.512Z",
    "policy": {"id": "personal-loan", "version": 3, "hash": "sha256:00", "role": "champion"},
    "score": {"value": 563, "band": "C"},
    "reasons": [REASON],
    "offers": [
        {
            "offer_id": "0199-o",
            "amount": "8000.00",
            "term_months": 36,
            "amortization": "price",
            "monthly_rate": "0.0231",
            "principal": "8251.70",
            "iof": "251.70",
            "instalment": "340.07",
            "last_instalment": "340.24",
            "total": "12242.69",
            "cet_annual": "0.3460",
            "cet_monthly": "0.0251",
            "first_due_on": "2027-01-10",
            "expires_at": "2026-12-12T14:03:11.512Z",
        }
    ],
    "evidence": {"profile_version": 41, "sources": [], "degraded": []},
    "links": {},
}
DECISIONS = {
    "items": [
        {
            "decision_id": "0199-d",
            "customer_id": "c-000123",
            "product": "personal_loan",
            "amount": "20000.00",
            "term_months": 36,
            "outcome": "DECLINED",
            "decided_at": "2026-12-10T14:03:11.512Z",
            "policy": {"id": "personal-loan", "version": 3},
            "links": {},
        }
    ],
    "next_cursor": "abc",
}
EXPLANATION = {
    "decision_id": "0199-d",
    "outcome": "DECLINED",
    "as_of": "2026-12-10T14:03:11.512Z",
    "reasons": [{**REASON, "attribute": None, "what_would_help": "Ask for less"}],
    "rules": [
        {
            "rule": "limit",
            "node": "Rules",
            "code": "R12",
            "effect": "reduce",
            "result": "hit",
            "missing": [],
            "conditions": [
                {
                    "formula": "price.principal",
                    "value": "20629.61",
                    "operator": ">",
                    "threshold": "12000.00",
                    "distance": "8629.61",
                    "result": "true",
                    "attributes": [],
                    "sources": ["policy"],
                },
            ],
        },
        {"rule": "late-now", "code": "R05", "effect": "decline", "result": "no_hit"},
        {"rule": "income", "code": "R06", "effect": "refer", "result": "not_evaluable"},
        {"rule": "prime", "code": "R07", "effect": "refer", "result": "not_reached"},
    ],
    "attributes": {},
}
REPLAY = {"verdict": "EQUAL", "stored_hash": "a", "replayed_hash": "a", "differences": []}
CUSTOMER = {
    "customer_id": "c-000123",
    "profile_version": 41,
    "status": "ACTIVE",
    "identity": {"cpf": "***", "name": "***"},
    "attributes": {
        "income.monthly": {"value": "***", "as_of": "2026-05-10T00:00:00.000Z", "tier": "redis"},
        "behaviour.late_now": {"value": "0", "as_of": None, "tier": "redis", "version": 41},
        "bureau.score": {"value": None, "tier": "redis", "version": 41},
    },
    "degraded": ["keyspaces"],
}
POLICY = {
    "policy_id": "personal-loan",
    "version": 3,
    "hash": "sha256:00",
    "product": "personal_loan",
    "title": "Empr\u00e9stimo pessoal",
    "status": "active",
    "published_at": "2026-12-10T14:03:11.512Z",
    "links": {},
}
POLICIES = {"items": [POLICY], "next_cursor": None}
SHOWN_POLICY = {**POLICY, "document": {"nodes": [{"name": "Hard rules", "type": "inputNode"}]}}
REVIEW = {
    "review_id": "0199-r",
    "decision_id": "0199-d",
    "customer_id": "c-000123",
    "state": "OPEN",
    "cause": "REFERRED",
    "opened_at": "2026-12-10T14:03:11.512Z",
    "links": {},
}
REVIEWS = {"items": [REVIEW], "next_cursor": None}
