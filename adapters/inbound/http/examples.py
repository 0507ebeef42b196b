"""Examples for the OpenAPI document; a test checks each against its schema."""

from typing import Any, Final

DECISION_ID: Final = "0199e7a0-5c3a-7d10-8000-0f3b5c7d9e1a"
OFFER_ID: Final = "0199e7a0-5c3a-7d11-8000-1a2b3c4d5e6f"
REVIEW_ID: Final = "0199e7a0-5c3a-7d12-8000-2b3c4d5e6f70"
EVENT_ID: Final = "0199e7a0-5c3a-7d13-8000-3c4d5e6f7081"
HASH: Final = "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
DECIDED_AT: Final = "2026-12-10T14:03:11.512Z"

APPLICATION: Final[dict[str, Any]] = {
    "customer_id": "c-000123",
    "product": "personal_loan",
    "amount": "20000.00",
    "term_months": 36,
    "amortization": "price",
    "first_due_on": "2027-01-10",
    "iof": "financed",
    "channel": "app",
    "external_reference": "app-77",
}
WHAT_IF_BODY: Final = APPLICATION | {"overrides": {"behaviour.months_late": 0}}
QUOTE_BODY: Final[dict[str, Any]] = {
    "amount": "10000.00",
    "term_months": 24,
    "monthly_rate": "0.025",
    "amortization": "price",
    "signed_on": "2026-12-10",
    "first_due_on": "2027-01-10",
    "iof": "financed",
}
REVIEW_BODY: Final = {"note": "Asks why the limit is lower than last year."}
REVIEW_DECISION_BODY: Final = {
    "outcome": "DECLINED",
    "reasons": ["R12"],
    "note": "Income could not be confirmed.",
}
EVENTS_BODY: Final[dict[str, Any]] = {
    "events": [
        {
            "event_id": EVENT_ID,
            "source": "cards",
            "stream_id": "cards/c-000123/1",
            "source_version": 1,
            "customer_id": "c-000123",
            "type": "transaction.recorded",
            "schema_version": 1,
            "occurred_at": "2026-06-10T12:00:00.000Z",
            "trace": "",
            "data": {"kind": "payment", "amount": "120.00"},
        }
    ]
}

POLICY: Final = {"id": "personal-loan", "version": 3, "hash": HASH, "role": "champion"}
REASON: Final = {
    "code": "R12",
    "family": "affordability",
    "text": "A parcela pedida é maior do que cabe na sua renda.",
}
TERMS: Final[dict[str, Any]] = {
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
}
DECISION: Final[dict[str, Any]] = {
    "decision_id": DECISION_ID,
    "outcome": "COUNTER_OFFER",
    "customer_id": "c-000123",
    "decided_at": DECIDED_AT,
    "policy": POLICY,
    "model": {"id": "behaviour-scorecard", "version": 1, "hash": HASH},
    "score": {"value": 563, "band": "C"},
    "reasons": [REASON],
    "offers": [{"offer_id": OFFER_ID, **TERMS, "expires_at": "2026-12-12T14:03:11.512Z"}],
    "evidence": {
        "profile_version": 41,
        "sources": [
            {
                "attribute_group": "profile",
                "tier": "redis",
                "version": 41,
                "as_of": "2026-12-10T14:03:07.301Z",
                "age_ms": 4211,
            }
        ],
        "degraded": [],
    },
    "links": {
        "self": f"/v1/credit-decisions/{DECISION_ID}",
        "explanation": f"/v1/credit-decisions/{DECISION_ID}/explanation",
        "review": f"/v1/credit-decisions/{DECISION_ID}/review",
    },
}
DECISION_PAGE: Final[dict[str, Any]] = {
    "items": [
        {
            "decision_id": DECISION_ID,
            "customer_id": "c-000123",
            "product": "personal_loan",
            "amount": "20000.00",
            "term_months": 36,
            "outcome": "COUNTER_OFFER",
            "decided_at": DECIDED_AT,
            "policy": {"id": "personal-loan", "version": 3},
            "links": {"self": f"/v1/credit-decisions/{DECISION_ID}"},
        }
    ],
    "next_cursor": None,
}
EXPLANATION: Final[dict[str, Any]] = {
    "decision_id": DECISION_ID,
    "outcome": "COUNTER_OFFER",
    "reasons": [REASON | {"what_would_help": "Uma parcela menor ou um prazo maior."}],
    "rules": [
        {
            "rule": "dti-cap",
            "result": "hit",
            "conditions": [
                {
                    "value": "0.38",
                    "operator": ">",
                    "threshold": "0.35",
                    "distance": "0.03",
                    "sources": ["redis"],
                }
            ],
        }
    ],
}
REPLAY: Final = {
    "verdict": "EQUAL",
    "stored_hash": HASH,
    "replayed_hash": HASH,
    "differences": [],
}
WHAT_IF: Final[dict[str, Any]] = {
    "recorded": False,
    "outcome": "APPROVED",
    "customer_id": "c-000123",
    "policy": POLICY,
    "reasons": [],
    "offers": [TERMS],
}
QUOTE: Final[dict[str, Any]] = {
    "principal": "10290.03",
    "iof": "290.03",
    "instalments": [
        {
            "number": 1,
            "due_on": "2027-01-10",
            "instalment": "575.34",
            "interest": "257.25",
            "amortization": "318.09",
            "balance": "9971.94",
        }
    ],
    "total": "13808.31",
    "total_interest": "3518.28",
    "cet_annual": "0.3863",
    "cet_monthly": "0.0276",
}
REVIEW: Final = {
    "review_id": REVIEW_ID,
    "decision_id": DECISION_ID,
    "customer_id": "c-000123",
    "state": "OPEN",
    "cause": "REQUESTED",
    "opened_at": DECIDED_AT,
}
REVIEW_PAGE: Final = {"items": [REVIEW], "next_cursor": None}
CUSTOMER: Final[dict[str, Any]] = {
    "customer_id": "c-000123",
    "profile_version": 41,
    "status": "ACTIVE",
    "identity": {"cpf": "***", "name": "***"},
    "attributes": {
        "behaviour.months_late": {
            "value": "0",
            "as_of": "2026-05-31T03:00:00.000Z",
            "age_days": 10,
            "tier": "redis",
            "version": 41,
            "max_age_days": 60,
        }
    },
    "degraded": [],
}
TRANSACTION_PAGE: Final[dict[str, Any]] = {
    "items": [
        {
            "event_id": EVENT_ID,
            "kind": "payment",
            "occurred_at": "2026-06-10T12:00:00.000Z",
            "reversed": False,
            "data": {"amount": "120.00"},
        }
    ],
    "next_cursor": None,
}
EVENTS: Final = {"results": [{"event_id": EVENT_ID, "status": "accepted"}]}
POLICY_SUMMARY: Final = {
    "policy_id": "personal-loan",
    "version": 3,
    "hash": HASH,
    "product": "personal_loan",
    "title": "Personal loan",
    "status": "active",
    "published_at": DECIDED_AT,
    "links": {"self": "/v1/policies/personal-loan"},
}
POLICY_LIST: Final = {"items": [POLICY_SUMMARY], "next_cursor": None}
POLICY_SHOWN: Final = POLICY_SUMMARY | {"document": {"nodes": [], "edges": []}}
POLICY_DOCUMENT: Final[dict[str, Any]] = {
    "contentType": "application/vnd.gorules.decision",
    "x-policy": {
        "id": "personal-loan",
        "version": 4,
        "product": "personal_loan",
        "title": "Personal loan",
        "owner": "credit-risk",
    },
    "nodes": [],
    "edges": [],
}
POLICY_CHECK: Final[dict[str, Any]] = {
    "policy": {"id": "personal-loan", "version": 4, "hash": HASH},
    "valid": False,
    "findings": [
        {
            "severity": "error",
            "node": "",
            "row": "",
            "cell": "",
            "sentence": "a policy has exactly one inputNode, found 0",
        }
    ],
}
SIMULATE_BODY: Final[dict[str, Any]] = {
    "policy": 2,
    "cases": [
        {
            "name": "score-688",
            "inputs": {"application.amount": "20000.00", "application.term_months": 36},
            "stale": ["income.monthly"],
        }
    ],
}
_ANSWER: Final[dict[str, Any]] = {
    "outcome": "DECLINED",
    "reasons": [{"code": "R20", "family": "score"}],
    "offers": [],
    "hit": ["score-cut-off"],
    "not_evaluable": [],
}
SIMULATION: Final[dict[str, Any]] = {
    "recorded": False,
    "active": {"id": "personal-loan", "version": 3, "hash": HASH},
    "submitted": {"id": "personal-loan", "version": 2, "hash": HASH},
    "summary": {
        "cases": 1,
        "changed": 1,
        "outcomes": [{"from": "DECLINED", "to": "REFERRED", "cases": 1}],
    },
    "cases": [
        {
            "name": "score-688",
            "active": _ANSWER,
            "submitted": _ANSWER | {"outcome": "REFERRED"},
            "changes": [{"field": "outcome", "from": "DECLINED", "to": "REFERRED"}],
        }
    ],
}
POLICY_DIFF: Final[dict[str, Any]] = {
    "policy_id": "personal-loan",
    "from": {"version": 2, "hash": HASH},
    "to": {"version": 3, "hash": HASH},
    "changes": [
        {
            "kind": "condition",
            "action": "changed",
            "node": "Hard rules",
            "row": "score-cut-off",
            "position": 4,
            "name": "score",
            "before": "score.value >= 720",
            "after": "score.value >= 700",
            "subject": "score.value",
            "sentence": 'row 4 of "Hard rules": score.value >= 720 became >= 700',
        }
    ],
}
LOSS_WINDOW_BODY: Final = {
    "cause": "RESTORE",
    "reason": "Ledger restored to 13:40 UTC after a disk failed.",
}
LOSS_RELEASE_BODY: Final = {"note": "The missing decisions were settled by hand, see the ticket."}
LOSS_WINDOW: Final[dict[str, Any]] = {
    "window_id": "0199e7a0-5c3a-7d15-8000-5e6f70819203",
    "state": "OPEN",
    **LOSS_WINDOW_BODY,
    "opened_at": DECIDED_AT,
    "opened_by": "operator",
}
LOSS_RELEASE: Final[dict[str, Any]] = {
    **LOSS_WINDOW,
    "state": "RELEASED",
    "released_at": "2026-12-10T16:20:00.000Z",
    "released_by": "operator",
    **LOSS_RELEASE_BODY,
    "persons_waiting": 3,
}
LOSS_WINDOW_PAGE: Final = {"items": [LOSS_WINDOW], "next_cursor": None}
HOT_ROW_PAGE: Final[dict[str, Any]] = {
    "items": [
        {
            "customer_id": "c-000123",
            "data_type": "CUSTOMER_PROFILE",
            "version": 41,
            "status": "ACTIVE",
            "created_at": DECIDED_AT,
            "updated_at": DECIDED_AT,
        }
    ],
    "next_cursor": None,
}
LIVE: Final = {"status": "live"}
READY: Final = {
    "status": "ready",
    "tiers": {"aurora": {"status": "up", "breaker": "closed"}},
    "products": ["personal_loan"],
}
PROBLEM: Final[dict[str, Any]] = {
    "type": "/problems/invalid-input",
    "title": "Invalid input",
    "status": 422,
    "detail": "The request was read and cannot be accepted; see errors.",
    "code": "invalid-input",
    "correlation_id": "0199e7a0-5c3a-7d14-8000-4d5e6f708192",
    "errors": [
        {
            "pointer": "/amount",
            "code": "money-format",
            "detail": 'money is text with exactly two decimals, like "10000.00"',
        }
    ],
}
