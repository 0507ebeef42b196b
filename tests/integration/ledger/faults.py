"""What somebody with the file in hand may do to a ledger, and how `verify` must name it."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from decision_engine.record.compose import leaf_of
from decision_engine.record.merkle import chain_hash, root_of, split_leaves
from decision_engine.record.statements import DecisionRow
from tests.integration.ledger.site import ADDED, Expected, Fault, Site, flipped


def _in_decision(column: str, code: str) -> Fault:
    def fault(site: Site) -> list[Expected]:
        row = site.decision()
        fresh = flipped(getattr(row, column), site.random)
        site.put(row, **{column: fresh})
        return [(code, fresh if column == "decision_id" else row.decision_id)]

    return fault


def _in_batch(column: str, code: str, shift: int = 0) -> Fault:
    def fault(site: Site) -> list[Expected]:
        row = site.batch()
        fresh = flipped(getattr(row, column), site.random)
        site.put(row, **{column: fresh})
        return [(code, f"{row.lane}/{row.sequence + shift}")]

    return fault


def batch_renumbered(site: Site) -> list[Expected]:
    row = site.batch()
    text = "UPDATE ledger_batches SET sequence = 1000000 WHERE lane = ? AND sequence = ?"
    site.run(text, row.lane, row.sequence)
    return [("sequence-gap", f"{row.lane}/{row.sequence + 1}")]


def batch_in_another_lane(site: Site) -> list[Expected]:
    row = site.batch()
    text = "UPDATE ledger_batches SET lane = 'elsewhere' WHERE lane = ? AND sequence = ?"
    site.run(text, row.lane, row.sequence)
    gap, broken = f"{row.lane}/{row.sequence + 1}", f"elsewhere/{row.sequence}"
    return [("sequence-gap", gap), ("chain-broken", broken)]


def decision_deleted(site: Site) -> list[Expected]:
    row = site.decision()
    site.run("DELETE FROM credit_decisions WHERE decision_id = ?", row.decision_id)
    return [("decision-missing", f"{row.lane}/{row.lane_seq} leaf {_index(site, row)}")]


def decision_added(site: Site) -> list[Expected]:
    row = site.decision()
    site.insert(replace(row, decision_id=ADDED, idem_key="added"))
    return [("decision-unknown", f"{ADDED} in {row.lane}/{row.lane_seq}")]


def decision_added_behind_the_head(site: Site) -> list[Expected]:
    row = site.decision()
    site.insert(replace(row, decision_id=ADDED, idem_key="added", lane_seq=1_000_000))
    return [("decision-without-batch", ADDED)]


def decision_added_to_a_void_batch(site: Site) -> list[Expected]:
    row, void = site.decision(), site.batch("n = 0")
    fresh = replace(
        row, decision_id=ADDED, idem_key="added", lane=void.lane, lane_seq=void.sequence
    )
    site.insert(fresh)
    return [("decision-unknown", f"{ADDED} in {void.lane}/{void.sequence}")]


def decision_in_a_lane_of_bytes(site: Site) -> list[Expected]:
    row = site.decision()
    fresh = replace(row, decision_id=ADDED, idem_key="added")
    site.insert(fresh)
    text = "UPDATE credit_decisions SET lane = CAST(lane AS BLOB) WHERE decision_id = ?"
    site.run(text, ADDED)
    return [("rows-unseen", "credit_decisions, ledger_batches")]


def decision_in_another_batch(site: Site) -> list[Expected]:
    row = site.decision()
    other = site.batch(f"n > 0 AND (lane, sequence) <> ('{row.lane}', {row.lane_seq})")
    text = "UPDATE credit_decisions SET lane = ?, lane_seq = ? WHERE decision_id = ?"
    site.run(text, other.lane, other.sequence, row.decision_id)
    return [
        ("decision-unknown", f"{row.decision_id} in {other.lane}/{other.sequence}"),
        ("decision-missing", f"{row.lane}/{row.lane_seq} leaf {_index(site, row)}"),
    ]


def two_batches_swap_decisions(site: Site) -> list[Expected]:
    row = site.decision()
    other = site.decision(f"(lane, lane_seq) <> ('{row.lane}', {row.lane_seq})")
    text = "UPDATE credit_decisions SET lane = ?, lane_seq = ? WHERE decision_id = ?"
    site.run(text, other.lane, other.lane_seq, row.decision_id)
    site.run(text, row.lane, row.lane_seq, other.decision_id)
    return [("decision-changed", row.decision_id), ("decision-changed", other.decision_id)]


def two_decisions_swap_contents(site: Site) -> list[Expected]:
    row = site.decision()
    other = site.decision(f"evidence IS NOT NULL AND decision_id <> '{row.decision_id}'")
    text = "UPDATE credit_decisions SET evidence = ?, reply = ? WHERE decision_id = ?"
    site.run(text, other.evidence, other.reply, row.decision_id)
    site.run(text, row.evidence, row.reply, other.decision_id)
    return [("content-mismatch", row.decision_id), ("content-mismatch", other.decision_id)]


def two_decisions_swap_ids(site: Site) -> list[Expected]:
    row = site.decision()
    other = site.decision(f"decision_id <> '{row.decision_id}'")
    text = "UPDATE credit_decisions SET decision_id = ? WHERE decision_id = ?"
    site.run(text, ADDED, row.decision_id)
    site.run(text, row.decision_id, other.decision_id)
    site.run(text, other.decision_id, ADDED)
    return [("decision-changed", row.decision_id), ("decision-changed", other.decision_id)]


def two_batches_swap_places(site: Site) -> list[Expected]:
    row = site.batch()
    text = "UPDATE ledger_batches SET sequence = ? WHERE lane = ? AND sequence = ?"
    site.run(text, -1, row.lane, row.sequence)
    site.run(text, row.sequence, row.lane, row.sequence + 1)
    site.run(text, row.sequence + 1, row.lane, -1)
    return [("chain-broken", f"{row.lane}/{row.sequence}")]


def two_leaves_swap_places(site: Site) -> list[Expected]:
    row = site.batch()
    leaves = split_leaves(row.leaves)
    leaves[0], leaves[1] = leaves[1], leaves[0]
    text = "UPDATE ledger_batches SET leaves = ? WHERE lane = ? AND sequence = ?"
    site.run(text, b"".join(leaves), row.lane, row.sequence)
    place = f"{row.lane}/{row.sequence}"
    return [("root-mismatch", place), ("leaves-unordered", place)]


def batch_deleted(site: Site) -> list[Expected]:
    row = site.batch()
    name = site.decisions_of(row)[0].decision_id
    site.drop("ledger_batches", row, "sequence =")
    gap = f"{row.lane}/{row.sequence + 1}"
    return [("sequence-gap", gap), ("chain-broken", gap), ("decision-without-batch", name)]


def batch_deleted_with_its_decisions(site: Site) -> list[Expected]:
    row = site.batch()
    site.drop("ledger_batches", row, "sequence =")
    site.drop("credit_decisions", row, "lane_seq =")
    gap = f"{row.lane}/{row.sequence + 1}"
    return [("sequence-gap", gap), ("chain-broken", gap)]


def first_batches_deleted(site: Site) -> list[Expected]:
    row = site.batch("sequence > 2")
    site.drop("ledger_batches", row, "sequence <")
    site.drop("credit_decisions", row, "lane_seq <")
    place = f"{row.lane}/{row.sequence}"
    return [("sequence-gap", place), ("chain-broken", place)]


def tail_of_batches_cut(site: Site) -> list[Expected]:
    row = site.batch()
    name = site.decisions_of(row)[0].decision_id
    site.drop("ledger_batches", row, "sequence >=")
    return [("decision-without-batch", name)]


def tail_cut(site: Site) -> list[Expected]:
    """Only the anchors tell this one."""
    row = site.batch()
    ((last,),) = site.rows("SELECT max(sequence) FROM ledger_batches WHERE lane = ?", row.lane)
    site.drop("ledger_batches", row, "sequence >=")
    site.drop("credit_decisions", row, "lane_seq >=")
    return [("lane-behind-anchor", f"{row.lane}/{row.sequence - 1} of {last}")]


def lane_deleted(site: Site) -> list[Expected]:
    """Only the anchors tell this one."""
    row = site.batch()
    site.run("DELETE FROM ledger_batches WHERE lane = ?", row.lane)
    site.run("DELETE FROM credit_decisions WHERE lane = ?", row.lane)
    return [("lane-missing", row.lane)]


def history_rewritten(site: Site) -> list[Expected]:
    """A decision is changed and every hash after it made again; only the anchors tell."""
    row = site.decision("evidence IS NOT NULL AND lane_seq < 20")
    site.run("UPDATE credit_decisions SET amount = 1 WHERE decision_id = ?", row.decision_id)
    rewrite(site, row.lane, row.lane_seq)
    return [("anchor-mismatch", f"{row.lane}/")]


def rewrite(site: Site, lane: str, since: int) -> None:
    """Make leaves, roots and chain of a lane fit its decisions again, from a batch on."""
    previous: bytes | None = None
    for batch in site.batches(lane, since):
        previous = previous or batch.previous_hash
        leaves = [leaf_of(row) for row in site.decisions_of(batch)]
        root = root_of(leaves)
        fresh = {"root": root, "leaves": b"".join(leaves), "n": len(leaves)}
        site.put(batch, previous_hash=previous, **fresh)
        previous = chain_hash(lane, batch.sequence, previous, root, len(leaves))


def _half_erased(column: str) -> Fault:
    def fault(site: Site) -> list[Expected]:
        row = site.decision()
        site.put(row, **{column: None})
        return [("half-erased", row.decision_id)]

    return fault


def _set(column: str, value: str, code: str) -> Fault:
    def fault(site: Site) -> list[Expected]:
        row = site.decision()
        site.put_sql(row, column, value)
        return [(code, row.decision_id)]

    return fault


def _index(site: Site, row: DecisionRow) -> int:
    text = "SELECT leaves FROM ledger_batches WHERE lane = ? AND sequence = ?"
    ((leaves,),) = site.rows(text, row.lane, row.lane_seq)
    return split_leaves(leaves).index(leaf_of(row))


LEAF_COLUMNS: Final = (
    "decision_id", "client_id", "idem_key", "command_hash", "customer_id", "product", "amount",
    "term_months", "outcome", "policy_id", "policy_version", "duplicate_of", "reviewed_decision",
)  # fmt: skip

FAULTS: Final[Mapping[str, Fault]] = {
    **{f"byte in {name}": _in_decision(name, "decision-changed") for name in LEAF_COLUMNS},
    "byte in decided_us": _in_decision("decided_us", "decision-changed"),
    "byte in salt": _in_decision("salt", "content-mismatch"),
    "byte in content_hash": _in_decision("content_hash", "content-mismatch"),
    "byte in evidence": _in_decision("evidence", "content-mismatch"),
    "byte in reply": _in_decision("reply", "content-mismatch"),
    "byte in score": _in_decision("score", "score-mismatch"),
    "byte in band": _in_decision("band", "score-mismatch"),
    "byte in decision_date": _in_decision("decision_date", "date-mismatch"),
    "byte in lane of a decision": _in_decision("lane", "decision-without-batch"),
    "byte in lane of a batch": batch_in_another_lane,
    "byte in sequence": batch_renumbered,
    "byte in previous_hash": _in_batch("previous_hash", "chain-broken"),
    "byte in root": _in_batch("root", "root-mismatch"),
    "byte in root breaks the chain": _in_batch("root", "chain-broken", 1),
    "byte in leaves": _in_batch("leaves", "root-mismatch"),
    "byte in n": _in_batch("n", "root-mismatch"),
    "a score is gone": _set("score", "NULL", "score-mismatch"),
    "a text that is none": _set("product", "CAST(x'61ff' AS TEXT)", "decision-changed"),
    "a number that is text": _set("amount", "'many'", "decision-malformed"),
    "a number that is a fraction": _set("term_months", "1.5", "decision-malformed"),
    "a place that is a fraction": _set("lane_seq", "1.5", "decision-without-batch"),
    "a place that is text": _set("lane_seq", "'last'", "decision-without-batch"),
    "a day beyond the calendar": _set("decided_us", "1 << 62", "date-mismatch"),
    "evidence that is a number": _set("evidence", "7", "content-mismatch"),
    "a reply erased alone": _half_erased("reply"),
    "evidence erased alone": _half_erased("evidence"),
    **{
        made.__name__.replace("_", " "): made
        for made in (
            decision_deleted, decision_added, decision_added_behind_the_head,
            decision_added_to_a_void_batch, decision_in_a_lane_of_bytes, decision_in_another_batch,
            two_batches_swap_decisions, two_decisions_swap_contents, two_decisions_swap_ids,
            two_batches_swap_places, two_leaves_swap_places, batch_deleted,
            batch_deleted_with_its_decisions, first_batches_deleted, tail_of_batches_cut, tail_cut,
            lane_deleted, history_rewritten,
        )
    },
}  # fmt: skip

#: Changes that no proof covers, as `decision_engine/record/verify.py` says.
OUTSIDE: Final[Mapping[str, Fault]] = {
    "person_id": _in_decision("person_id", ""),
    "note": _in_batch("note", ""),
    "written_us": _in_batch("written_us", ""),
}

#: Faults that leave a ledger which is whole in itself.
ONLY_BY_ANCHORS: Final = ("tail cut", "lane deleted", "history rewritten")
