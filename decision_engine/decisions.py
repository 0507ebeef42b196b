"""Reading decisions: one by its id, or pages of them."""

import json
from dataclasses import dataclass

from decision_engine.archive import ListDecisions, StoredDecision
from decision_engine.evidence import Evidence
from decision_engine.pages import Page, page_of
from decision_engine.replay import read_decision
from decision_engine.rulebook import Rulebooks
from domain.errors import GoneError
from domain.instants import from_epoch_micros, instant_millis
from domain.money import format_centavos
from domain.ports.time import Deadline
from domain.ports.truth import Truth


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionQuery:
    """A page of decisions, newest first; empty texts and None mean "any"."""

    limit: int
    before: tuple[int, str] | None
    deadline: Deadline
    customer_id: str = ""
    outcome: str = ""
    policy: str = ""
    from_us: int | None = None
    to_us: int | None = None


@dataclass(frozen=True, slots=True)
class Decisions:
    """Answers reads from the store of truth."""

    truth: Truth
    rulebooks: Rulebooks

    async def read(
        self, decision_id: str, language: str | None, deadline: Deadline
    ) -> dict[str, object]:
        """
        Return the reply as recorded, its reason texts in the language asked for.

        Raises:
            NotFoundError: no such decision.
            GoneError: its content has been erased.
        """
        stored = await read_decision(self.truth, decision_id, deadline)
        if stored.reply is None or stored.evidence is None:
            raise GoneError("the content of this decision is no longer retained")
        reply: dict[str, object] = json.loads(stored.reply)
        if language is not None:
            reply["reasons"] = self._reasons(stored.evidence, language)
        return reply

    async def page(self, query: DecisionQuery) -> Page:
        """Return a page of decisions in short form."""
        (rows,) = await self.truth.read([_statement(query)], query.deadline)
        return page_of(rows, query.limit, lambda row: (row.decided_us, row.decision_id), short_form)

    def _reasons(self, evidence: bytes, language: str) -> list[dict[str, object]]:
        recorded = Evidence.parse(evidence)
        case = recorded.case(self.rulebooks.of_manifest(recorded.manifest))
        return case.reasons_shown(recorded.reasons, language)


def short_form(row: StoredDecision) -> dict[str, object]:
    """Return what a list shows of a decision."""
    form: dict[str, object] = {
        "decision_id": row.decision_id,
        "customer_id": row.customer_id,
        "product": row.product,
        "amount": format_centavos(row.amount),
        "term_months": row.term_months,
        "outcome": row.outcome,
        "decided_at": instant_millis(from_epoch_micros(row.decided_us)),
        "policy": {"id": row.policy_id, "version": row.policy_version},
        "links": {"self": f"/v1/credit-decisions/{row.decision_id}"},
    }
    for name in ("duplicate_of", "reviewed_decision"):
        if getattr(row, name):
            form[name] = getattr(row, name)
    return form


def _statement(query: DecisionQuery) -> ListDecisions:
    return ListDecisions(
        limit=query.limit + 1,
        before=query.before,
        customer_id=query.customer_id,
        outcome=query.outcome,
        policy_id=query.policy,
        from_us=query.from_us,
        to_us=query.to_us,
    )
