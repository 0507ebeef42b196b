"""A pack holds what proves a decision, and is refused for one that is not proven."""

import json
from dataclasses import replace

import pytest

from decision_engine.archive import StoredArtifact, StoredPolicy
from decision_engine.record.compose import leaf_of
from decision_engine.record.merkle import content_hash, root_of
from decision_engine.record.pack import PURPOSE, build_pack, message_of
from decision_engine.record.proof import prove
from domain.canonical import encode, sha256_text
from domain.errors import PermanentError
from tests.unit.record.memory_ledger import MemoryLedger, ledger

POLICY, MODEL = b'{"p":1}', b'{"m":1}'
MANIFEST = {"policy": sha256_text(POLICY), "iof": "sha256:gone", "models": [sha256_text(MODEL)]}


def with_manifest() -> MemoryLedger:
    """Return a ledger of one decision whose manifest names documents."""
    held = ledger(batches=1, size=1)
    row = held.decision_of(1)
    facts = {**json.loads(row.evidence), "manifest": MANIFEST}
    evidence = encode(facts)
    fresh = replace(
        row, evidence=evidence, content_hash=content_hash(row.salt, evidence, row.reply)
    )
    leaf = leaf_of(fresh)
    held = replace(held, all_decisions=[fresh]).change_batch(1, leaves=leaf, root=root_of([leaf]))
    held.artifacts[sha256_text(POLICY)] = StoredPolicy(
        "toy", 1, sha256_text(POLICY), "personal_loan", "Toy", "active", POLICY, b"{}", 5
    )
    held.artifacts[sha256_text(MODEL)] = StoredArtifact(
        sha256_text(MODEL), "model", "model:toy", MODEL, 6
    )
    return held


HELD = with_manifest()
ROW = HELD.decision_of(1)


def packed(held: MemoryLedger = HELD) -> dict[str, object]:
    return build_pack(prove(held, ROW.decision_id, iter(held.anchors(1))), held, 9)


def test_a_pack_holds_row_content_rules_and_proof() -> None:
    pack = packed()

    assert pack["evidence"] == ROW.evidence.decode()
    assert pack["reply"] == ROW.reply.decode()
    assert pack["rules"] == [
        {
            "name": "policy",
            "hash": sha256_text(POLICY),
            "document": POLICY.decode(),
            "published_us": 5,
            "policy_id": "toy",
            "version": 1,
            "status": "active",
        },
        {"name": "iof", "hash": "sha256:gone", "document": None},
        {
            "name": "model",
            "hash": sha256_text(MODEL),
            "document": MODEL.decode(),
            "published_us": 6,
        },
    ]
    assert pack["anchor"] == json.loads(HELD.anchors(1)[0].to_bytes())
    assert message_of(pack) == PURPOSE + encode(pack)


def test_an_erased_decision_has_a_pack_without_content() -> None:
    pack = packed(HELD.change(ROW, evidence=None, reply=None))

    assert (pack["evidence"], pack["reply"], pack["rules"]) == (None, None, [])
    assert pack["content_hash"] == ROW.content_hash.hex()


def test_without_an_anchor_or_an_end_the_pack_says_none() -> None:
    proof = prove(HELD, ROW.decision_id, iter(()))

    pack = build_pack(replace(proof, end=None), HELD, 9)

    assert (pack["end"], pack["anchor"]) == (None, None)


@pytest.mark.parametrize("column", ["amount", "lane_seq"])
def test_a_decision_that_is_not_proven_gets_no_pack(column: str) -> None:
    with pytest.raises(PermanentError, match="does not prove"):
        packed(HELD.change(ROW, **{column: 7}))


def test_a_document_that_is_not_what_its_hash_says_is_refused() -> None:
    held = replace(HELD, artifacts=dict(HELD.artifacts))
    held.artifacts[sha256_text(MODEL)] = replace(held.artifacts[sha256_text(MODEL)], document=b"{}")

    with pytest.raises(PermanentError, match="was changed"):
        packed(held)
