"""The tree is that of RFC 6962: every leaf has a path to the root, and no other leaf has it."""

import hashlib

import pytest

from decision_engine.record.merkle import audit_path, leaf_hash, root_from_path, root_of

LEAVES = [leaf_hash(b"%d" % number) for number in range(130)]


@pytest.mark.parametrize("size", [*range(1, 18), 31, 32, 33, 127, 128, 129])
def test_every_leaf_has_a_path_to_the_root(size: int) -> None:
    leaves = LEAVES[:size]
    root = root_of(leaves)

    for index, leaf in enumerate(leaves):
        path = audit_path(index, leaves)
        assert root_from_path(leaf, index, size, path) == root
        assert root_from_path(LEAVES[129], index, size, path) != root
        assert len(path) <= (size - 1).bit_length()


def test_the_tree_of_the_standard() -> None:
    # RFC 6962, 2.1.3: seven leaves; the path of d3 is [c, g, l].
    inputs = [b"d%d" % number for number in range(7)]
    a, b, c, d, e, f, j = (hashlib.sha256(b"\x00" + each).digest() for each in inputs)

    def node(left: bytes, right: bytes) -> bytes:
        return hashlib.sha256(b"\x01" + left + right).digest()

    g, h, i = node(a, b), node(c, d), node(e, f)
    k, last = node(g, h), node(i, j)

    assert root_of([a, b, c, d, e, f, j]) == node(k, last)
    assert audit_path(3, [a, b, c, d, e, f, j]) == [c, g, last]
    assert audit_path(6, [a, b, c, d, e, f, j]) == [i, k]


@pytest.mark.parametrize(("index", "size", "length"), [(0, 1, 1), (0, 2, 0), (2, 2, 1), (-1, 2, 1)])
def test_a_path_that_fits_no_tree_is_refused(index: int, size: int, length: int) -> None:
    with pytest.raises(ValueError, match="does not fit"):
        root_from_path(LEAVES[0], index, size, LEAVES[1 : 1 + length])
