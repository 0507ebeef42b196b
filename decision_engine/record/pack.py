"""
The evidence pack of one decision: everything that a third party needs to check it, in one value.

The pack is canonical JSON (`domain.canonical`), so its bytes can be made again and their signature
checked. `adapters/inbound/cli/verify_pack.py` is that check, with the standard library alone.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from decision_engine.archive import StoredPolicy
from decision_engine.record.ledger import LedgerReader
from decision_engine.record.proof import Proof
from decision_engine.record.statements import BatchRow, DecisionRow
from decision_engine.record.verify import printable
from domain.canonical import encode, sha256_text
from domain.errors import PermanentError

FORMAT: Final = 1
#: Signed before the pack's bytes: a signature of this key means a pack and nothing else.
PURPOSE: Final = b"credit-platform evidence pack 1\n"
#: The columns of a decision's row that a pack shows; the others stand in parts of their own.
COLUMNS: Final = (
    "decision_id",
    "client_id",
    "idem_key",
    "command_hash",
    "customer_id",
    "person_id",
    "product",
    "amount",
    "term_months",
    "outcome",
    "policy_id",
    "policy_version",
    "score",
    "band",
    "decided_us",
    "decision_date",
    "duplicate_of",
    "reviewed_decision",
    "lane",
    "lane_seq",
)
#: The names in a manifest whose bytes are kept by hash, besides the models.
PARTS: Final = ("policy", "reasons", "iof", "funding")


def build_pack(proof: Proof, reader: LedgerReader, made_us: int) -> dict[str, object]:
    """
    Return the pack of a proven decision.

    Raises:
        PermanentError: the proof has faults (`decision verify` names them), or a document that
            decided is not what its hash says.
    """
    if proof.faults or proof.batch is None:
        raise PermanentError("the ledger does not prove this decision: verify it first")
    row = proof.decision
    return {
        "pack": FORMAT,
        "made_us": made_us,
        "decision": {name: getattr(row, name) for name in COLUMNS},
        "salt": row.salt.hex(),
        "content_hash": row.content_hash.hex(),
        **_content(row),
        "rules": list(_rules(row, reader)),
        "leaf": {
            "hash": proof.leaf.hex(),
            "index": proof.index,
            "path": [beside.hex() for beside in proof.path],
        },
        "batch": _batch(proof.batch),
        "links": [[link.sequence, link.root.hex(), link.n] for link in proof.links],
        "end": [proof.end.lane, proof.end.sequence, proof.end.chain.hex()] if proof.end else None,
        "anchor": json.loads(proof.anchor.to_bytes()) if proof.anchor else None,
    }


def message_of(pack: Mapping[str, object]) -> bytes:
    """Return the bytes that are signed."""
    return PURPOSE + encode(pack)


def _content(row: DecisionRow) -> dict[str, object]:
    # The proof has no faults, so both are there or neither; canonical bytes are always UTF-8.
    evidence: bytes | None = row.evidence
    reply: bytes | None = row.reply
    return {
        "evidence": None if evidence is None else evidence.decode(),
        "reply": None if reply is None else reply.decode(),
    }


def _batch(batch: BatchRow) -> dict[str, object]:
    return {
        "lane": batch.lane,
        "sequence": batch.sequence,
        "previous_hash": batch.previous_hash.hex(),
        "root": batch.root.hex(),
        "n": batch.n,
        "note": printable(batch.note),
        "written_us": batch.written_us,
    }


def _rules(row: DecisionRow, reader: LedgerReader) -> Iterator[dict[str, object]]:
    """Yield what the manifest names by hash: policy, models, reasons, tables, with their bytes."""
    for name, content_hash in _named(row):
        held = reader.artifact(content_hash)
        part: dict[str, object] = {"name": name, "hash": content_hash, "document": None}
        if held is not None:
            if sha256_text(held.document) != content_hash:
                raise PermanentError("a published policy, model or table was changed")
            part |= {"document": held.document.decode(), "published_us": held.published_us}
        if isinstance(held, StoredPolicy):
            part |= {"policy_id": held.policy_id, "version": held.version, "status": held.status}
        yield part


def _named(row: DecisionRow) -> Iterator[tuple[str, str]]:
    evidence: bytes | None = row.evidence
    if evidence is None:
        return
    manifest: dict[str, Any] = json.loads(evidence)["manifest"]
    for name in PARTS:
        if name in manifest:
            yield name, str(manifest[name])
    yield from (("model", str(each)) for each in manifest.get("models", ()))
