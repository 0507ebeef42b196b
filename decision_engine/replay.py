"""
Deciding again from evidence alone, and saying exactly what differs.

A replay recomputes the whole evidence and the whole reply: it never compares what was stored with
itself. Where something differs, the marks of the trace name the input, rule, rate row or offer.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from decision_engine.archive import ReadDecision, StoredDecision
from decision_engine.evidence import Evidence
from decision_engine.record.compose import decision_facts, reply_bytes
from decision_engine.record.merkle import content_hash
from decision_engine.rulebook import Rulebook, Rulebooks
from decision_engine.trace_marks import Trail
from domain.canonical import encode, sha256_text
from domain.errors import NotFoundError
from domain.money import Money
from domain.ports.time import Deadline
from domain.ports.truth import Truth

#: Parts of the manifest that may change without changing a result.
ENGINE_PARTS: Final = frozenset({"engine", "encoder", "tzdata"})


class ReplayVerdict(StrEnum):
    """What a replay found."""

    EQUAL = "EQUAL"
    EQUAL_OTHER_ENGINE = "EQUAL_OTHER_ENGINE"
    DIFFERENT = "DIFFERENT"
    ERASED = "ERASED"


@dataclass(frozen=True, slots=True)
class Replayed:
    """The verdict, the hashes of stored and recomputed evidence, and the names of what differs."""

    verdict: ReplayVerdict
    stored_hash: str
    replayed_hash: str
    differences: tuple[str, ...]

    def canonical(self) -> dict[str, object]:
        """Return the plain form of the public contract."""
        return {
            "verdict": self.verdict.value,
            "stored_hash": self.stored_hash,
            "replayed_hash": self.replayed_hash,
            "differences": list(self.differences),
        }


@dataclass(frozen=True, slots=True)
class Replay:
    """Replay a recorded decision by its id."""

    truth: Truth
    rulebooks: Rulebooks

    async def __call__(self, decision_id: str, deadline: Deadline) -> Replayed:
        """
        Decide again.

        Raises:
            NotFoundError: no such decision.
            PermanentError: a policy, model or table that it was made with is not held.
        """
        stored = await read_decision(self.truth, decision_id, deadline)
        if stored.evidence is None or stored.reply is None:
            return Replayed(ReplayVerdict.ERASED, "", "", ())
        manifest = Evidence.parse(stored.evidence).manifest
        return replay_stored(stored, self.rulebooks.of_manifest(manifest))


async def read_decision(truth: Truth, decision_id: str, deadline: Deadline) -> StoredDecision:
    """
    Return a recorded decision.

    Raises:
        NotFoundError: no such decision.
    """
    (rows,) = await truth.read([ReadDecision(decision_id)], deadline)
    if not rows:
        raise NotFoundError("no decision has this id")
    found: StoredDecision = rows[0]
    return found


def replay_stored(stored: StoredDecision, rulebook: Rulebook) -> Replayed:
    """Replay one stored decision by a rulebook: evidence, reply, columns and content hash."""
    evidence, reply = stored.evidence or b"", stored.reply or b""
    replayed, recomputed_reply = replay_evidence(evidence, rulebook)
    extra = [*_columns(stored, Evidence.parse(evidence).facts)]
    if content_hash(stored.salt, evidence, reply) != stored.content_hash:
        extra.append("content_hash")
    if recomputed_reply != reply:
        extra.append("reply")
    if not extra:
        return replayed
    differences = (*replayed.differences, *extra)
    return Replayed(
        ReplayVerdict.DIFFERENT, replayed.stored_hash, replayed.replayed_hash, differences
    )


def replay_evidence(raw: bytes, rulebook: Rulebook) -> tuple[Replayed, bytes]:
    """Return what a replay of evidence found, and the reply it leads to."""
    evidence = Evidence.parse(raw)
    case = evidence.case(rulebook)
    proposal, trail = case.examine(evidence.exposure)
    verdict = evidence.verdict(case, proposal)
    reply_meta = evidence.facts["reply"]
    facts = decision_facts(
        verdict,
        evidence.minted(len(proposal.offers)),
        reply_meta["decided_us"],
        reply_meta["expires_us"],
    )
    differences = tuple(dict.fromkeys(_differences(evidence, trail, facts)))
    same_bytes = encode(facts) == raw
    if not same_bytes and not differences:
        differences = ("evidence",)
    reply = reply_bytes(facts, case.reply_text(proposal, reply_meta["language"]))
    replayed = Replayed(
        _verdict(differences), sha256_text(raw), sha256_text(encode(facts)), differences
    )
    return replayed, reply


def _differences(evidence: Evidence, trail: Trail, facts: Mapping[str, Any]) -> Iterator[str]:
    stored = evidence.facts
    yield from _nested("manifest", stored["manifest"], facts["manifest"])
    yield from trail.differing(stored["result"]["marks"])
    for name in ("outcome", "reasons", "offers", "score", "band", "bits", "trace"):
        if stored["result"].get(name) != facts["result"][name]:
            yield f"result.{name}"
    for name in facts.keys() | stored.keys():
        if name not in {"manifest", "result"} and encode(stored.get(name)) != encode(
            facts.get(name)
        ):
            yield str(name)


def _nested(name: str, stored: Mapping[str, Any], recomputed: Mapping[str, Any]) -> Iterator[str]:
    for key in sorted(stored.keys() | recomputed.keys()):
        if stored.get(key) != recomputed.get(key):
            yield f"{name}.{key}"


def _verdict(differences: tuple[str, ...]) -> ReplayVerdict:
    if not differences:
        return ReplayVerdict.EQUAL
    if all(name in {f"manifest.{part}" for part in ENGINE_PARTS} for name in differences):
        return ReplayVerdict.EQUAL_OTHER_ENGINE
    return ReplayVerdict.DIFFERENT


def _columns(stored: StoredDecision, facts: Mapping[str, Any]) -> Iterator[str]:
    application, result = facts["application"], facts["result"]
    expected = {
        "customer_id": application["customer_id"],
        "product": application["product"],
        "amount": Money.parse(application["amount"]).centavos,
        "term_months": application["term_months"],
        "outcome": result["outcome"],
        "score": result["score"],
        "band": result["band"],
        "decided_us": facts["reply"]["decided_us"],
        "decision_id": facts["reply"]["decision_id"],
        "policy_id": facts["policy"]["id"],
        "policy_version": facts["policy"]["version"],
        "person_id": facts["person"],
    }
    for name, value in expected.items():
        if getattr(stored, name) != value:
            yield f"columns.{name}"
