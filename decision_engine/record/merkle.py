"""Tamper evidence: Merkle trees with the prefixes of RFC 6962, and a hash chain of batches."""

import hashlib
from collections.abc import Sequence
from typing import Final

LEAF: Final = b"\x00"
NODE: Final = b"\x01"
CHAIN: Final = b"\x02"
GENESIS: Final = bytes(32)
DIGEST_SIZE: Final = 32


def leaf_hash(data: bytes) -> bytes:
    """Return the hash of a leaf."""
    return hashlib.sha256(LEAF + data).digest()


def root_of(leaves: Sequence[bytes]) -> bytes:
    """Return the Merkle root of leaf hashes (RFC 6962, 2.1); of none, SHA-256 of nothing."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return hashlib.sha256(NODE + root_of(leaves[:split]) + root_of(leaves[split:])).digest()


def chain_hash(lane: str, sequence: int, previous: bytes, root: bytes, size: int) -> bytes:
    """Return the hash that the next batch of the lane carries as its `previous_hash`."""
    head = f"{lane}:{sequence}:{size}:".encode()
    return hashlib.sha256(CHAIN + head + previous + root).digest()


def content_hash(salt: bytes, evidence: bytes, reply: bytes) -> bytes:
    """Return the salted hash of both blobs, which outlives their erasure without telling them."""
    inner = hashlib.sha256(evidence).digest() + hashlib.sha256(reply).digest()
    return hashlib.sha256(salt + inner).digest()
