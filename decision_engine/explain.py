"""
Why a decision is what it is: every rule with value, source, threshold and distance.

The trace is recomputed from evidence; before it is shown, its hash is compared with the recorded
one, so that nobody is told a story that did not decide.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from decision_engine.assess import Assessor
from decision_engine.case import CreditCase
from decision_engine.evidence import Evidence
from decision_engine.policy.reason_table import Language, language_of
from decision_engine.policy.trace import TraceEntry, trace
from decision_engine.replay import read_decision
from decision_engine.rulebook import Rulebooks
from domain.errors import GoneError, PermanentError
from domain.instants import from_epoch_micros, instant_millis
from domain.money import format_centavos
from domain.ports.time import Deadline
from domain.ports.truth import Truth


@dataclass(frozen=True, slots=True)
class Explain:
    """Explains a recorded decision."""

    truth: Truth
    rulebooks: Rulebooks

    async def __call__(
        self, decision_id: str, language: str, deadline: Deadline
    ) -> dict[str, object]:
        """
        Return rules, reasons and what would help, in the language asked for.

        Raises:
            NotFoundError: no such decision.
            GoneError: its content has been erased.
            PermanentError: the recomputed trace is not the one that decided.
        """
        stored = await read_decision(self.truth, decision_id, deadline)
        if stored.evidence is None:
            raise GoneError("the content of this decision is no longer retained")
        evidence = Evidence.parse(stored.evidence)
        case = evidence.case(self.rulebooks.of_manifest(evidence.manifest))
        proposal, trail = case.examine(evidence.exposure)
        if trail.digest != evidence.facts["result"]["trace"]:
            raise PermanentError("the recomputed trace is not the one that decided: replay it")
        tongue = language_of(language)
        return {
            "decision_id": decision_id,
            "outcome": proposal.outcome.value,
            "as_of": instant_millis(case.snapshot.as_of),
            "reasons": list(_reasons(evidence, case, tongue)),
            "rules": list(_rules(case, case.assessor(evidence.exposure))),
            "attributes": dict(_attributes(case, tongue)),
            "exposure": {
                "outstanding": format_centavos(evidence.exposure.outstanding),
                "service": format_centavos(evidence.exposure.service),
                "commitments": len(evidence.exposure.commitments),
            },
            "manifest": dict(evidence.manifest),
            "trace_hash": trail.digest,
        }


def _reasons(
    evidence: Evidence, case: CreditCase, language: Language
) -> Iterator[dict[str, object]]:
    labels = {field.name: field.label_in(language) for field in case.rulebook.compiled.reads}
    for reason in evidence.reasons:
        entry = case.rulebook.reasons[reason.code]
        label = labels.get(reason.attribute, "")
        yield {
            "code": reason.code,
            "family": reason.family,
            "attribute": reason.attribute or None,
            "text": entry.text(language, label),
            "what_would_help": entry.help(language, label),
        }


def _rules(case: CreditCase, assessor: Assessor) -> Iterator[dict[str, object]]:
    if case.snapshot.status != "present":
        return
    application = case.application
    inputs = assessor.inputs(application.amount.centavos, application.term_months)
    for entry in trace(case.rulebook.compiled, inputs, {"price": assessor.price}):
        if entry.kind == "rule":
            yield _rule(entry, case)


def _rule(entry: TraceEntry, case: CreditCase) -> dict[str, object]:
    return {
        "rule": entry.id,
        "node": entry.node,
        "code": entry.code,
        "effect": entry.effect,
        "result": entry.result,
        "missing": list(entry.missing),
        "conditions": [
            {
                "formula": condition.formula,
                "value": condition.value,
                "operator": condition.operator,
                "threshold": condition.threshold,
                "distance": condition.distance,
                "result": condition.result,
                "attributes": list(condition.attributes),
                "sources": sorted(_sources(condition.attributes, case)),
            }
            for condition in entry.conditions
        ],
    }


def _sources(attributes: tuple[str, ...], case: CreditCase) -> set[str]:
    tiers = {source.tier for source in case.snapshot.sources}
    found: set[str] = set()
    for name in attributes:
        if name in case.snapshot.attributes:
            found |= tiers
        elif name.startswith("application."):
            found.add("application")
        elif name.startswith("exposure."):
            found.add("ledger")
        else:
            found.add("policy")
    return found


def _attributes(case: CreditCase, language: Language) -> Iterator[tuple[str, dict[str, Any]]]:
    labels = {field.name: field.label_in(language) for field in case.rulebook.compiled.reads}
    sources = case.snapshot.sources
    for name, held in sorted(case.snapshot.attributes.items()):
        observed = held.observed_us
        yield (
            name,
            {
                "label": labels.get(name, name),
                "state": held.state,
                "as_of": instant_millis(from_epoch_micros(observed)) if observed else None,
                "tier": sources[0].tier if sources else None,
                "version": sources[0].version if sources else None,
            },
        )
