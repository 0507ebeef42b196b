"""
Check an evidence pack of a credit decision with Python 3.8 or newer and nothing else.

    python3 verify_pack.py PACK [--key PUBLIC_KEY] [--anchors FILE]

PUBLIC_KEY is the lender's Ed25519 key, 64 hexadecimal digits, from a source you trust; without it
the signature is checked by the key inside the pack, which proves no origin. FILE holds the
anchors as you got them from where the lender keeps them; without it the anchor inside the pack is
taken as it is.

Exit code: 0 everything that was checked holds; 1 something does not; 2 the pack cannot be read.
Nothing that was decided is printed: only hashes, ids and what they prove.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    # Python 3.8 knows neither `dict[…]` nor `X | None`, except in annotations that nobody runs.
    from collections.abc import Iterator

    Document = dict[str, Any]
    Point = tuple[int, int, int, int]

PURPOSE = b"credit-platform evidence pack 1\n"
FORMAT = 1
LEAF, NODE, CHAIN, ANCHOR = b"\x00", b"\x01", b"\x02", b"\x03"
#: The order is the leaf's: `decision_engine/record/compose.py`.
LEAF_COLUMNS = (
    "decision_id",
    "client_id",
    "idem_key",
    "command_hash",
    "customer_id",
    "product",
    "amount",
    "term_months",
    "outcome",
    "policy_id",
    "policy_version",
    "decided_us",
    "duplicate_of",
    "reviewed_decision",
)
#: Shown beside the proof, but no hash covers them.
UNPROVEN = "person_id, decision_date, the note and time of the batch"


class Wrong(Exception):  # noqa: N818 - the sentence is the point
    """Something does not hold."""


# --- Ed25519, RFC 8032 section 5.1 ---------------------------------------------------------------

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT_OF_MINUS_ONE = pow(2, (P - 1) // 4, P)
SIZE = 32


def _add(one: Point, two: Point) -> Point:
    a = (one[1] - one[0]) * (two[1] - two[0]) % P
    b = (one[1] + one[0]) * (two[1] + two[0]) % P
    c = 2 * one[3] * two[3] * D % P
    d = 2 * one[2] * two[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def _times(factor: int, point: Point) -> Point:
    total: Point = (0, 1, 1, 0)
    while factor > 0:
        if factor & 1:
            total = _add(total, point)
        point = _add(point, point)
        factor >>= 1
    return total


def _equal(one: Point, two: Point) -> bool:
    across = (one[0] * two[2] - two[0] * one[2]) % P
    along = (one[1] * two[2] - two[1] * one[2]) % P
    return across == 0 and along == 0


def _point(text: bytes) -> Point | None:
    """Return the point that 32 bytes stand for, or None (RFC 8032, 5.1.3)."""
    number = int.from_bytes(text, "little")
    sign, y = number >> 255, number & ((1 << 255) - 1)
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P != 0:
        x = x * ROOT_OF_MINUS_ONE % P
    if (x * x - square) % P != 0 or (x == 0 and sign):
        return None
    if x & 1 != sign:
        x = P - x
    return x, y, 1, x * y % P


BASE_TEXT = (4 * pow(5, P - 2, P) % P).to_bytes(SIZE, "little")


def ed25519_holds(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether a signature of 64 bytes is that of the key (32 bytes) on the message."""
    if len(public) != SIZE or len(signature) != 2 * SIZE:
        return False
    key, commitment, base = _point(public), _point(signature[:SIZE]), _point(BASE_TEXT)
    scalar = int.from_bytes(signature[SIZE:], "little")
    if key is None or commitment is None or base is None or scalar >= ORDER:
        return False
    digest = hashlib.sha512(signature[:SIZE] + public + message).digest()
    challenge = int.from_bytes(digest, "little") % ORDER
    return _equal(_times(scalar, base), _add(commitment, _times(challenge, key)))


# --- the pack ------------------------------------------------------------------------------------


def canonical(value: object) -> bytes:
    """Return the one text of a value, in bytes."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode()


def sha256(data: bytes) -> bytes:
    """Return the SHA-256."""
    return hashlib.sha256(data).digest()


def chain_hash(lane: str, sequence: int, previous: bytes, root: bytes, size: int) -> bytes:
    """Return what the batch after this one carries."""
    head = f"{lane}:{sequence}:{size}:"
    return sha256(CHAIN + head.encode() + previous + root)


def root_from_path(leaf: bytes, index: int, size: int, path: list[bytes]) -> bytes:
    """Return the Merkle root that a leaf and its path lead to (RFC 6962, 2.1.1)."""
    if size == 1 and index == 0 and not path:
        return leaf
    if size <= 1 or not 0 <= index < size or not path:
        raise Wrong("the path does not fit the batch")
    split, beside = 1 << (size - 1).bit_length() - 1, path[-1]
    if index < split:
        return sha256(NODE + root_from_path(leaf, index, split, path[:-1]) + beside)
    return sha256(NODE + beside + root_from_path(leaf, index - split, size - split, path[:-1]))


def check_signature(pack: Document, signature: Document, trusted: str | None) -> str:
    """Check who signed; return what that proves."""
    public = trusted or str(signature["public_key"])
    message = PURPOSE + canonical(pack)
    held = bytes.fromhex(str(signature["signature"]))
    if not ed25519_holds(bytes.fromhex(public), message, held):
        raise Wrong("the signature is not that of this key on this pack")
    if trusted:
        return "the signature is by the key that you gave"
    return "the signature is by the key inside the pack, " + public


def check_content(pack: Document) -> tuple[str, bool]:
    """Check evidence and reply against the salted hash; tell whether they are there."""
    evidence, reply = pack["evidence"], pack["reply"]
    if evidence is None and reply is None:
        return "evidence and reply have been erased: only their hash is proven", False
    inner = sha256(evidence.encode()) + sha256(reply.encode())
    if sha256(bytes.fromhex(pack["salt"]) + inner).hex() != pack["content_hash"]:
        raise Wrong("evidence or reply is not what the content hash says")
    result = parsed(evidence)["result"]
    columns = pack["decision"]
    if (columns["score"], columns["band"]) != (result["score"], result["band"]):
        raise Wrong("score or band is not that of the evidence")
    return "evidence and reply are what the content hash says", True


def check_rules(pack: Document) -> str:
    """Check policy, models and tables against the hashes that the evidence names."""
    manifest = parsed(pack["evidence"])["manifest"]
    named = [manifest[name] for name in ("policy", "reasons", "iof", "funding") if name in manifest]
    named += manifest.get("models", [])
    absent = 0
    if sorted(part["hash"] for part in pack["rules"]) != sorted(named):
        raise Wrong("the documents are not those that the evidence names")
    for part in pack["rules"]:
        if part["document"] is None:
            absent += 1
        elif "sha256:" + sha256(part["document"].encode()).hex() != part["hash"]:
            raise Wrong("the document of {} is not what its hash says".format(part["name"]))
    held = len(named) - absent
    return f"{held} of {len(named)} documents that decided are here, as their hashes say"


def check_leaf(pack: Document) -> str:
    """Check the columns against the leaf, and the leaf against the batch's root."""
    columns = [pack["decision"][name] for name in LEAF_COLUMNS]
    leaf = sha256(LEAF + canonical([*columns, pack["salt"], pack["content_hash"]]))
    held, batch = pack["leaf"], pack["batch"]
    if leaf.hex() != held["hash"]:
        raise Wrong("the decision's columns are not those of the leaf")
    place = pack["decision"]["lane"], pack["decision"]["lane_seq"]
    if place != (batch["lane"], batch["sequence"]):
        raise Wrong("the batch is not that of the decision")
    path = [bytes.fromhex(each) for each in held["path"]]
    if root_from_path(leaf, held["index"], batch["n"], path).hex() != batch["root"]:
        raise Wrong("the leaf is not under the root of its batch")
    return "the decision is leaf {} of batch {}/{}".format(
        held["index"], batch["lane"], batch["sequence"]
    )


def check_chain(pack: Document) -> str:
    """Check the chain from the batch to where the pack says it ends."""
    batch = pack["batch"]
    lane, sequence = batch["lane"], batch["sequence"]
    previous = bytes.fromhex(batch["previous_hash"])
    reached = chain_hash(lane, sequence, previous, bytes.fromhex(batch["root"]), batch["n"])
    for number, root, size in pack["links"]:
        if number != sequence + 1:
            raise Wrong(f"the chain has a gap after {sequence}")
        sequence = number
        reached = chain_hash(lane, sequence, reached, bytes.fromhex(root), size)
    if pack["end"] is None:
        return f"the chain is followed to {sequence}, not to its end"
    if pack["end"] != [lane, sequence, reached.hex()]:
        raise Wrong("the chain does not lead to the end that the pack names")
    return f"the chain leads from there to {lane}/{sequence}"


def check_anchor(pack: Document, kept: list[Document] | None) -> str:
    """Check the end of the chain against the anchor, and the anchor against those you have."""
    anchor = pack["anchor"]
    if anchor is None:
        return "NOT PROVEN: no anchor holds this chain, so its tail may have been cut"
    if pack["end"] not in anchor["heads"]:
        raise Wrong("the anchor does not hold the end of the chain")
    if anchor_hash(anchor) != anchor["hash"]:
        raise Wrong("the anchor is not what its hash says")
    number = "anchor {} ({} us since 1970)".format(anchor["number"], anchor["at_us"])
    if kept is None:
        return number + " holds the chain's end; compare it with the anchors kept elsewhere"
    if anchor not in kept:
        raise Wrong("the anchor is not among those that you gave")
    return number + " holds the chain's end, and is among those that you gave"


def anchor_hash(anchor: Document) -> str:
    """Return what the anchor after this one names."""
    members = {name: value for name, value in anchor.items() if name != "hash"}
    return sha256(ANCHOR + canonical(members)).hex()


def check_anchors(anchors: list[Document]) -> None:
    """Check that anchors are one chain from the first on."""
    previous = bytes(SIZE).hex()
    for number, anchor in enumerate(anchors):
        if (anchor["number"], anchor["previous"]) != (number, previous):
            raise Wrong(f"the anchors that you gave are no chain at {number}")
        if anchor_hash(anchor) != anchor["hash"]:
            raise Wrong(f"anchor {number} is not what its hash says")
        previous = anchor["hash"]


def findings(document: Document, trusted: str | None, kept: list[Document] | None) -> Iterator[str]:
    """Yield what is proven, sentence by sentence; raise Wrong where it is not."""
    pack = document["pack"]
    if pack["pack"] != FORMAT:
        raise Wrong("a pack of another format: take the verifier that came with it")
    yield check_signature(pack, document["signature"], trusted)
    content, there = check_content(pack)
    yield content
    if there:
        yield check_rules(pack)
    yield check_leaf(pack)
    yield check_chain(pack)
    if kept is not None:
        check_anchors(kept)
    yield check_anchor(pack, kept)
    yield "NOT PROVEN: " + UNPROVEN + ("" if there else "; score and band, whose evidence is gone")


# --- the program ---------------------------------------------------------------------------------


def parsed(text: str) -> Document:
    """Read JSON of one meaning: no name twice, no number that is not whole."""
    document = json.loads(
        text, object_pairs_hook=_once, parse_float=_refuse, parse_constant=_refuse
    )
    if not isinstance(document, dict):
        raise TypeError("not an object")
    return document


def _once(pairs: list[tuple[str, Any]]) -> Document:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a name is given twice")
    return members


def _refuse(_text: str) -> NoReturn:
    raise ValueError("a number that is not whole")


def read_lines(path: str) -> list[Document]:
    """Return the anchors of a file; half a line that a crash left is passed over."""
    found = []
    with open(path, encoding="utf-8", errors="replace") as file:  # noqa: PTH123 - one habit
        for line in file:
            try:
                found.append(parsed(line))
            except (ValueError, TypeError):
                # Whether one is missing shows in the chain of the others.
                continue
    return found


def public_key(text: str) -> str:
    """Return a key's hexadecimal digits."""
    if len(bytes.fromhex(text)) != SIZE:
        raise ValueError("not a key")
    return text.lower()


def main(arguments: list[str]) -> int:
    """Check the pack that the arguments name."""
    parser = argparse.ArgumentParser(description="Check an evidence pack.")
    parser.add_argument("pack")
    parser.add_argument(
        "--key", type=public_key, help="the lender's public key, 64 hexadecimal digits"
    )
    parser.add_argument("--anchors", help="the file of anchors, from where they are kept")
    options = parser.parse_args(arguments)
    try:
        with open(options.pack, encoding="utf-8") as file:  # noqa: PTH123 - one habit
            document = parsed(file.read())
        kept = read_lines(options.anchors) if options.anchors else None
    except (OSError, ValueError, TypeError) as error:
        sys.stderr.write(f"the pack or the anchors cannot be read: {error}\n")
        return 2
    try:
        for sentence in findings(document, options.key, kept):
            sys.stdout.write("  " + sentence + "\n")
    except Wrong as wrong:
        sys.stdout.write(f"  WRONG: {wrong}\nThis pack proves nothing.\n")
        return 1
    except (LookupError, ValueError, TypeError, AttributeError, RecursionError):
        sys.stdout.write("  WRONG: this is not a whole pack\nThis pack proves nothing.\n")
        return 1
    sys.stdout.write("Everything that was checked holds.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
