"""From a final verdict to the rows that record it: reply, evidence, reservation, events."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import lru_cache
from typing import Any, Final

from decision_engine.loss_statements import CAUSE as LOSS_CAUSE
from decision_engine.proposal import Proposal
from decision_engine.record.entry import Case, Entry
from decision_engine.record.merkle import content_hash, leaf_hash
from decision_engine.record.statements import (
    DecisionRow,
    OfferRow,
    OutboxRow,
    ReservationRow,
    ReviewRow,
)
from domain.canonical import encode, encode_trusted
from domain.decision import Outcome
from domain.instants import (
    business_day,
    from_epoch_micros,
    instant_micros,
    instant_millis,
)
from domain.money import format_centavos

EVIDENCE_VERSION: Final = 1
#: A case that waits for the end of a loss window says so.
LOSS_CODE: Final = "R92"
#: A quote binds for at least two days (CDC art. 54-B); it can be accepted until then.
OFFER_VALIDITY: Final = timedelta(days=2)
#: Reservations outlive their offers by this much, so that clocks may differ.
RESERVATION_GRACE: Final = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Minted:
    """Ids and salt drawn for one decision after its batch was sorted."""

    decision_id: str
    offer_ids: tuple[str, ...]
    event_id: str
    review_id: str
    salt: bytes


@dataclass(frozen=True, slots=True)
class Verdict:
    """The final answer to an entry: the case as it was under the lock, and its proposal."""

    entry: Entry
    case: Case
    proposal: Proposal
    duplicate_of: str

    def renamed(self, names: Mapping[str, str]) -> "Verdict":
        """Return the verdict with provisional names of decisions replaced by their ids."""
        proposal = self.proposal
        sources = (held.source_id for held in proposal.exposure.commitments)
        if self.duplicate_of not in names and names.keys().isdisjoint(sources):
            return self
        renamed = replace(proposal, exposure=proposal.exposure.renamed(names))
        duplicate_of = names.get(self.duplicate_of, self.duplicate_of)
        return replace(self, proposal=renamed, duplicate_of=duplicate_of)


@dataclass(frozen=True, slots=True)
class Composed:
    """Every row that one decision writes."""

    decision: DecisionRow
    reservation: ReservationRow | None
    offers: tuple[OfferRow, ...]
    outbox: OutboxRow
    review: ReviewRow | None
    leaf: bytes


def compose(verdict: Verdict, minted: Minted, decided_us: int, lane: tuple[str, int]) -> Composed:
    """Return the rows of one decision; equal inputs give equal bytes."""
    expires_us = decided_us + OFFER_VALIDITY // timedelta(microseconds=1)
    facts = decision_facts(verdict, minted, decided_us, expires_us)
    evidence = encode(facts)
    reply = reply_bytes(facts, verdict.case.reply_text(verdict.proposal, verdict.entry.language))
    row = _decision_row(verdict, minted, (decided_us, *lane), facts, (evidence, reply))
    return Composed(
        decision=row,
        reservation=_reservation(verdict, minted, expires_us),
        offers=_offer_rows(verdict, minted, facts, expires_us),
        outbox=_outbox_row(row, verdict, minted),
        review=_review_row(row, verdict, minted),
        leaf=leaf_of(row),
    )


def decision_facts(
    verdict: Verdict, minted: Minted, decided_us: int, expires_us: int
) -> dict[str, object]:
    """Return the evidence: what was read, what came out, and what the reply was made of."""
    entry = verdict.entry
    review = entry.review
    return {
        "evidence": EVIDENCE_VERSION,
        **verdict.case.evidence(),
        "exposure": verdict.proposal.exposure.canonical(),
        "result": verdict.proposal.canonical(),
        "reply": {
            "decision_id": minted.decision_id,
            "decided_us": decided_us,
            "expires_us": expires_us,
            "offer_ids": list(minted.offer_ids),
            "review_id": minted.review_id,
            "language": entry.language,
            "duplicate_of": verdict.duplicate_of,
            "reviewed_decision": review.reviewed_decision if review else "",
        },
    }


def reply_bytes(facts: Mapping[str, Any], text: Mapping[str, object]) -> bytes:
    """
    Return the reply of the public contract from evidence and the policy's texts.

    The evidence was encoded, and so looked through, before; the texts are those of the rulebook.
    """
    return encode_trusted({**_reply_core(facts), **text})


def _reply_core(facts: Mapping[str, Any]) -> dict[str, object]:
    meta, result, application = facts["reply"], facts["result"], facts["application"]
    decision_id = str(meta["decision_id"])
    base = f"/v1/credit-decisions/{decision_id}"
    core: dict[str, object] = {
        "decision_id": decision_id,
        "outcome": result["outcome"],
        "customer_id": application["customer_id"],
        "decided_at": _millis(meta["decided_us"]),
        "offers": _reply_offers(result, meta),
        "evidence": _reply_evidence(facts),
        "links": {"self": base, "explanation": f"{base}/explanation", "review": f"{base}/review"},
    }
    for name in ("duplicate_of", "reviewed_decision", "review_id"):
        if meta[name]:
            core[name] = meta[name]
    return core


def _reply_offers(result: Mapping[str, Any], meta: Mapping[str, Any]) -> list[dict[str, object]]:
    offers, offer_ids = result["offers"], meta["offer_ids"]
    expires = _millis(meta["expires_us"])
    return [
        {"offer_id": offer_id, **terms, "expires_at": expires}
        for offer_id, terms in zip(offer_ids, offers, strict=True)
    ]


def _reply_evidence(facts: Mapping[str, Any]) -> dict[str, object]:
    as_of = facts["as_of"]
    return {
        "profile_version": facts["profile_version"],
        "sources": [_source(held, as_of) for held in facts["sources"]],
        "degraded": facts["degraded"],
    }


def _source(held: list[Any], as_of: int) -> dict[str, object]:
    group, tier, version, source_as_of = held
    return {
        "attribute_group": group,
        "tier": tier,
        "version": version,
        "as_of": _millis(source_as_of),
        "age_ms": max(0, as_of - source_as_of) // 1000,
    }


@lru_cache(maxsize=4096)
def _millis(micros: int) -> str:
    return instant_millis(from_epoch_micros(micros))


def leaf_of(row: DecisionRow) -> bytes:
    """Return the leaf of a decision: immutable columns, salt and content hash."""
    columns = [
        row.decision_id,
        row.client_id,
        row.idem_key,
        row.command_hash,
        row.customer_id,
        row.product,
        row.amount,
        row.term_months,
        row.outcome,
        row.policy_id,
        row.policy_version,
        row.decided_us,
        row.duplicate_of,
        row.reviewed_decision,
        row.salt.hex(),
        row.content_hash.hex(),
    ]
    return leaf_hash(encode_trusted(columns))


def _decision_row(
    verdict: Verdict,
    minted: Minted,
    place: tuple[int, str, int],
    facts: Mapping[str, object],
    blobs: tuple[bytes, bytes],
) -> DecisionRow:
    decided_us, lane_id, lane_seq = place
    evidence, reply = blobs
    entry, case, proposal = verdict.entry, verdict.case, verdict.proposal
    application = case.application
    policy: dict[str, object] = facts["policy"]  # type: ignore[assignment]
    return DecisionRow(
        decision_id=minted.decision_id,
        client_id=entry.client_id,
        idem_key=entry.idem_key,
        command_hash=entry.command_hash,
        customer_id=application.customer_id,
        person_id=case.person_id,
        product=application.product,
        amount=application.amount.centavos,
        term_months=application.term_months,
        outcome=proposal.outcome.value,
        policy_id=str(policy["id"]),
        policy_version=int(str(policy["version"])),
        score=proposal.score,
        band=proposal.band,
        decided_us=decided_us,
        decision_date=business_day(from_epoch_micros(decided_us)).isoformat(),
        duplicate_of=verdict.duplicate_of,
        reviewed_decision=entry.review.reviewed_decision if entry.review else "",
        lane=lane_id,
        lane_seq=lane_seq,
        salt=minted.salt,
        content_hash=content_hash(minted.salt, evidence, reply),
        evidence=evidence,
        reply=reply,
    )


def _reservation(verdict: Verdict, minted: Minted, expires_us: int) -> ReservationRow | None:
    if not verdict.proposal.offering:
        return None
    return ReservationRow(
        decision_id=minted.decision_id,
        person_id=verdict.case.person_id,
        state="OPEN",
        principal=verdict.proposal.reserved_principal,
        instalment=verdict.proposal.reserved_instalment,
        expires_us=expires_us + RESERVATION_GRACE // timedelta(microseconds=1),
    )


def _offer_rows(
    verdict: Verdict, minted: Minted, facts: Mapping[str, Any], expires_us: int
) -> tuple[OfferRow, ...]:
    if not minted.offer_ids:
        return ()
    # Their public form, as in the reply: see `domain.offer.Offer.canonical`.
    public = _reply_offers(facts["result"], facts["reply"])
    return tuple(
        OfferRow(
            offer_id=offer_id,
            decision_id=minted.decision_id,
            person_id=verdict.case.person_id,
            principal=terms.principal,
            expires_us=expires_us,
            terms=encode_trusted(form),
        )
        for offer_id, terms, form in zip(
            minted.offer_ids, verdict.proposal.offers, public, strict=True
        )
    )


def _outbox_row(row: DecisionRow, verdict: Verdict, minted: Minted) -> OutboxRow:
    decided_at = instant_micros(from_epoch_micros(row.decided_us))
    envelope = {
        "event_id": minted.event_id,
        "source": "decisions",
        "stream_id": f"decisions/{row.decision_id}/1",
        "source_version": 1,
        "customer_id": row.customer_id,
        "type": "credit.decided",
        "schema_version": 1,
        "occurred_at": decided_at,
        "data": {
            "decision_id": row.decision_id,
            "customer_id": row.customer_id,
            "outcome": row.outcome,
            "decided_at": decided_at,
            "product": row.product,
            "amount": format_centavos(row.amount),
            "term_months": row.term_months,
            "policy_id": row.policy_id,
            "policy_version": row.policy_version,
            "score": row.score,
            "band": row.band,
            "reasons": [reason.code for reason in verdict.proposal.reasons],
            "principal": format_centavos(verdict.proposal.reserved_principal),
        },
    }
    return OutboxRow(
        event_id=minted.event_id,
        aggregate_type="decision",
        aggregate_id=row.decision_id,
        aggregate_seq=1,
        type="credit.decided",
        partition_key=row.customer_id,
        payload=encode_trusted(envelope),
        created_us=row.decided_us,
    )


def _review_row(row: DecisionRow, verdict: Verdict, minted: Minted) -> ReviewRow | None:
    if row.outcome != Outcome.REFERRED.value:
        return None
    codes = {reason.code for reason in verdict.proposal.reasons}
    cause = LOSS_CAUSE if LOSS_CODE in codes else "REFERRED"
    return ReviewRow(
        review_id=minted.review_id,
        decision_id=row.decision_id,
        customer_id=row.customer_id,
        state="OPEN",
        cause=cause,
        opened_us=row.decided_us,
    )
