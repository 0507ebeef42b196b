"""What a credit manager reads after the demo, and the document behind it."""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from statistics import median
from typing import Any, Final

from domain.canonical import encode

Reply = Mapping[str, Any]

APPROVED: Final = "APPROVED"
OUTCOMES: Final = ("APPROVED", "COUNTER_OFFER", "DECLINED", "REFERRED")
TOP_REASONS: Final = 5
PERCENTILES: Final = {"p50": 0.50, "p95": 0.95, "p99": 0.99}


@dataclass(frozen=True, slots=True)
class Portfolio:
    """Every decision of the folder, and what became of the customers."""

    replies: Sequence[Reply]
    labels: Mapping[str, bool]

    @property
    def outcomes(self) -> dict[str, int]:
        """How many decisions had each outcome."""
        counted = Counter(reply["outcome"] for reply in self.replies)
        return {outcome: counted[outcome] for outcome in OUTCOMES}

    @property
    def approval_rate(self) -> str:
        """APPROVED over distinct applications."""
        return share(self.outcomes[APPROVED], len(self.replies))

    @property
    def bad_rate_approved(self) -> str:
        """Share of later defaults among those approved as asked."""
        return self._bad_rate([r for r in self.replies if r["outcome"] == APPROVED])

    @property
    def bad_rate_all(self) -> str:
        """Share of later defaults among all applicants."""
        return self._bad_rate(self.replies)

    def top_reasons(self) -> list[dict[str, Any]]:
        """Return the most frequent principal reasons with their texts."""
        texts = {r["code"]: r["text"] for reply in self.replies for r in reply["reasons"]}
        first = Counter(reply["reasons"][0]["code"] for reply in self.replies if reply["reasons"])
        return [
            {"code": code, "text": texts[code], "count": count}
            for code, count in first.most_common(TOP_REASONS)
        ]

    def offers(self) -> dict[str, str | None]:
        """Return medians over the first offer of each decision that has one."""
        first = [reply["offers"][0] for reply in self.replies if reply["offers"]]
        names = ("amount", "monthly_rate", "instalment", "cet_annual")
        return {
            f"median_{name}": str(median(Decimal(offer[name]) for offer in first))
            if first
            else None
            for name in names
        }

    def fingerprint(self) -> str:
        """Return a hash of what was decided, without ids and instants: equal on every machine."""
        lines = sorted(
            encode(
                [
                    reply["customer_id"],
                    reply["outcome"],
                    [reason["code"] for reason in reply["reasons"]],
                    reply.get("score"),
                    [_terms(offer) for offer in reply["offers"]],
                ]
            )
            for reply in self.replies
        )
        return "sha256:" + hashlib.sha256(b"\n".join(lines)).hexdigest()

    def _bad_rate(self, replies: Sequence[Reply]) -> str:
        bad = sum(self.labels[reply["customer_id"]] for reply in replies)
        return share(bad, len(replies))


def share(part: int, whole: int) -> str:
    """Return a share with four decimals."""
    return f"{part / whole:.4f}" if whole else "0.0000"


def percentiles(latencies_ms: Sequence[float]) -> dict[str, float]:
    """Return p50, p95 and p99 in milliseconds (nearest rank)."""
    ordered = sorted(latencies_ms)
    if not ordered:
        return dict.fromkeys(PERCENTILES, 0.0)
    last = len(ordered) - 1
    return {
        name: round(ordered[min(last, int(fraction * len(ordered)))], 2)
        for name, fraction in PERCENTILES.items()
    }


def _terms(offer: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in offer.items() if name not in {"offer_id", "expires_at"}}
