"""Proofs from a ledger, which stays as it is: the whole of it, one decision, its pack."""

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict
from itertools import chain, islice
from pathlib import Path
from typing import Final

from adapters.security.signing_key import SigningKey
from adapters.stores.embedded import folder_clock
from adapters.stores.embedded.anchor_file import read_anchors
from adapters.stores.embedded.directory import ANCHORS, SIGNING_KEY
from adapters.stores.embedded.ledger_copy import LedgerCopy
from adapters.stores.sql.mysql_ledger import MysqlLedger
from adapters.system import SystemClock
from decision_engine.record.anchors import Anchor, AnchoredHeads
from decision_engine.record.pack import build_pack, message_of
from decision_engine.record.proof import Proof, prove, walk_to_head
from decision_engine.record.verify import Fault, Tally
from decision_engine.record.verify import verify_ledger as find_faults
from domain.errors import NotFoundError, PermanentError
from domain.instants import epoch_micros, from_epoch_micros, instant_millis

#: Shown of a ledger with more faults; all are counted.
PROBLEMS_MAX: Final = 1_000

Document = dict[str, object]


def verify_ledger(data: Path, anchors: Path | None, url: str | None = None) -> Document:
    """
    Verify every lane of a ledger, against the anchors if there are any.

    The ledger is that of the folder, or of the database that `url` names; the anchors, if no file
    is named, and the keys are the folder's.
    """
    clock, tally = SystemClock(), Tally()
    began = clock.monotonic()
    kept = _kept(data, anchors)
    with closing(_reader(data, url)) as copy:
        faults = chain(kept.faults, find_faults(copy, tally, kept.heads()))
        problems = [_said(fault) for fault in islice(faults, PROBLEMS_MAX)]
        more = sum(1 for _ in faults)
    return {
        "valid": not problems,
        **asdict(tally),
        "anchors": kept.anchors,
        "seconds": round(clock.monotonic() - began, 3),
        "problems": problems,
        **({"problems_not_shown": more} if more else {}),
    }


def verify_decision(
    data: Path, decision_id: str, anchors: Path | None, url: str | None = None
) -> Document:
    """Prove one decision of a ledger, as far as its lane goes."""
    clock = SystemClock()
    began = clock.monotonic()
    kept = _kept(data, anchors)
    with closing(_reader(data, url)) as copy:
        proof = prove(copy, decision_id, _until(data, anchors, kept))
        head, later = walk_to_head(copy, proof.end) if proof.end else (None, [])
    faults = [*kept.faults, *proof.faults, *later]
    return {
        "valid": not faults,
        "decision_id": decision_id,
        **_shown(proof),
        "head": {"sequence": head.sequence, "hash": head.chain.hex()} if head else None,
        "seconds": round(clock.monotonic() - began, 3),
        "problems": [_said(fault) for fault in faults],
    }


def pack_decision(
    data: Path,
    decision_id: str,
    anchors: Path | None,
    url: str | None = None,
    keys: Path | None = None,
) -> bytes:
    """Return the signed evidence pack of a decision; `keys` is where the signing key is."""
    key = SigningKey.load((keys or data) / SIGNING_KEY)
    offset = folder_clock.read_offset(data)
    kept = _kept(data, anchors)
    with closing(_reader(data, url)) as copy:
        proof = prove(copy, decision_id, _until(data, anchors, kept))
        made = SystemClock(offset.total_seconds()).now()
        pack = build_pack(proof, copy, epoch_micros(made))
    document = {"pack": pack, "signature": key.sign(message_of(pack))}
    return json.dumps(document, ensure_ascii=False, indent=1).encode() + b"\n"


def signing_keys(data: Path) -> Document:
    """Return the public keys of a folder."""
    key = SigningKey.load(data / SIGNING_KEY)
    return {"current": key.current, "public_keys": dict(key.public_keys())}


def _reader(data: Path, url: str | None) -> LedgerCopy | MysqlLedger:
    return LedgerCopy(data) if url is None else MysqlLedger(url)


def _kept(data: Path, anchors: Path | None) -> AnchoredHeads:
    """
    Go through the anchors, before the ledger is read: a running platform writes the ledger first.

    Raises:
        NotFoundError: the file that was named is not there.
    """
    kept = AnchoredHeads()
    try:
        for anchor in _anchors(data, anchors):
            kept.add(anchor)
    except PermanentError as error:
        kept.faults.append(Fault("anchors-damaged", str(error)))
    return kept


def _until(data: Path, anchors: Path | None, kept: AnchoredHeads) -> Iterator[Anchor]:
    """Yield the anchors that `kept` has gone through, again."""
    return islice(_anchors(data, anchors), kept.anchors)


def _anchors(data: Path, anchors: Path | None) -> Iterator[Anchor]:
    path = data / ANCHORS if anchors is None else anchors.expanduser()
    if path.exists():
        return read_anchors(path)
    if anchors is not None:
        raise NotFoundError("there is no such file of anchors")
    return iter(())


def _shown(proof: Proof) -> Document:
    batch, anchor = proof.batch, proof.anchor
    return {
        "lane": proof.decision.lane,
        "sequence": proof.decision.lane_seq,
        "leaf": proof.leaf.hex(),
        "leaf_index": proof.index,
        "path": [beside.hex() for beside in proof.path],
        "root": batch.root.hex() if batch else None,
        "batch_size": batch.n if batch else None,
        "erased": proof.decision.evidence is None,
        "anchor": {
            "number": anchor.number,
            "at": instant_millis(from_epoch_micros(anchor.at_us)),
            "hash": anchor.hash.hex(),
        }
        if anchor
        else None,
    }


def _said(fault: Fault) -> str:
    return f"{fault.code} at {fault.place}"
