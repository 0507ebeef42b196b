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
    split = _split(len(leaves))
    return hashlib.sha256(NODE + root_of(leaves[:split]) + root_of(leaves[split:])).digest()


def chain_hash(lane: str, sequence: int, previous: bytes, root: bytes, size: int) -> bytes:
    """Return the hash that the next batch of the lane carries as its `previous_hash`."""
    head = f"{lane}:{sequence}:{size}:".encode()
    return hashlib.sha256(CHAIN + head + previous + root).digest()


def content_hash(salt: bytes, evidence: bytes, reply: bytes) -> bytes:
    """Return the salted hash of both blobs, which outlives their erasure without telling them."""
    inner = hashlib.sha256(evidence).digest() + hashlib.sha256(reply).digest()
    return hashlib.sha256(salt + inner).digest()


def split_leaves(leaves: bytes) -> list[bytes]:
    """Return the leaf hashes that a batch row holds in one text."""
    return [leaves[start : start + DIGEST_SIZE] for start in range(0, len(leaves), DIGEST_SIZE)]


def audit_path(index: int, leaves: Sequence[bytes]) -> list[bytes]:
    """Return what leads from a leaf to the root (RFC 6962, 2.1.1), the leaf's neighbour first."""
    if len(leaves) == 1:
        return []
    split = _split(len(leaves))
    if index < split:
        return [*audit_path(index, leaves[:split]), root_of(leaves[split:])]
    return [*audit_path(index - split, leaves[split:]), root_of(leaves[:split])]


def root_from_path(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes:
    """
    Return the root that a leaf and its path lead to, in a tree of `size` leaves.

    Raises:
        ValueError: a path of this length leads from no such leaf.
    """
    if size == 1 and index == 0 and not path:
        return leaf
    if size <= 1 or not 0 <= index < size or not path:
        raise ValueError("the path does not fit the tree")
    split, beside = _split(size), path[-1]
    if index < split:
        inner = root_from_path(leaf, index, split, path[:-1])
        return hashlib.sha256(NODE + inner + beside).digest()
    inner = root_from_path(leaf, index - split, size - split, path[:-1])
    return hashlib.sha256(NODE + beside + inner).digest()


def _split(size: int) -> int:
    return 1 << (size - 1).bit_length() - 1
