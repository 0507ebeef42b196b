"""The verifier that a third party runs: by itself, by the standards, and never too trusting."""

import ast
import json
import random
import subprocess
import sys
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from adapters.inbound.cli import verify_pack
from adapters.inbound.cli.decision_proofs import VERIFIER
from decision_engine.record import anchors, merkle, pack
from decision_engine.record.anchors import Anchor
from tests.unit.record.test_pack import HELD, ROW, packed

STANDARD = {"__future__", "argparse", "hashlib", "json", "sys", "typing", "collections.abc"}
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = KEY.public_key().public_bytes_raw().hex()

#: RFC 8032, 7.1: secret key, public key, message, signature of tests 1, 2, 3 and SHA(abc).
VECTORS = [
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        (
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
            "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
        ),
    ),
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        (
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
            "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
        ),
    ),
    (
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        (
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
            "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"
        ),
    ),
    (
        "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
        "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
        (
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
            "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"
        ),
        (
            "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b589"
            "09351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704"
        ),
    ),
]


@pytest.mark.parametrize("vector", VECTORS)
def test_the_vectors_of_the_standard(vector: tuple[str, str, str, str]) -> None:
    _, public, message, signature = (bytes.fromhex(each) for each in vector)

    assert verify_pack.ed25519_holds(public, message, signature)
    assert not verify_pack.ed25519_holds(public, message + b"x", signature)
    assert not verify_pack.ed25519_holds(public, message, signature[:-1])


def test_it_agrees_with_the_library_on_good_and_damaged_signatures() -> None:
    chance = random.Random(8032)
    for _ in range(20):
        key = Ed25519PrivateKey.from_private_bytes(chance.randbytes(32))
        public, message = key.public_key().public_bytes_raw(), chance.randbytes(50)
        parts = [public, message, key.sign(message)]
        assert verify_pack.ed25519_holds(*parts)
        which = chance.randrange(3)
        damaged = bytearray(parts[which])
        damaged[chance.randrange(len(damaged))] ^= 1 << chance.randrange(8)
        parts[which] = bytes(damaged)
        assert not verify_pack.ed25519_holds(*parts)


def test_a_second_form_of_a_signature_is_refused() -> None:
    signature = KEY.sign(b"once")
    scalar = int.from_bytes(signature[32:], "little") + verify_pack.ORDER
    again = signature[:32] + scalar.to_bytes(32, "little")

    assert not verify_pack.ed25519_holds(bytes.fromhex(PUBLIC), b"once", again)


@pytest.mark.parametrize(
    "public", [b"", b"\xff" * 32, (2).to_bytes(32, "little"), b"\x01" + bytes(30) + b"\x80"]
)
def test_what_is_no_point_of_the_curve_is_no_key(public: bytes) -> None:
    assert not verify_pack.ed25519_holds(public, b"m", KEY.sign(b"m"))


@pytest.mark.parametrize(
    "number", [verify_pack.P + 1, 1 | 1 << 255], ids=["y beyond the field", "minus zero"]
)
def test_a_point_has_one_form(number: int) -> None:
    # RFC 8032, 5.1.3: both would read as the neutral point, whose only form is 1.
    assert verify_pack._point((1).to_bytes(32, "little")) is not None
    assert verify_pack._point(number.to_bytes(32, "little")) is None


def test_it_needs_python_3_8_and_its_standard_library_only() -> None:
    tree = ast.parse(VERIFIER.read_text(encoding="utf-8"), feature_version=(3, 8))
    plain = {a.name for node in ast.walk(tree) if isinstance(node, ast.Import) for a in node.names}
    parts = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}

    assert plain | parts <= STANDARD


def test_it_says_the_same_as_the_platform() -> None:
    leaves = [merkle.leaf_hash(b"%d" % number) for number in range(11)]
    path = merkle.audit_path(6, leaves)

    assert verify_pack.PURPOSE == pack.PURPOSE
    assert verify_pack.FORMAT == pack.FORMAT
    assert verify_pack.ANCHOR == anchors.ANCHOR
    assert verify_pack.root_from_path(leaves[6], 6, 11, path) == merkle.root_of(leaves)
    chain = ("lane", 3, bytes(32), leaves[0], 11)
    assert verify_pack.chain_hash(*chain) == merkle.chain_hash(*chain)


# --- packs ---------------------------------------------------------------------------------------


def signed(held: dict[str, Any]) -> dict[str, Any]:
    signature = KEY.sign(pack.message_of(held)).hex()
    return {"pack": held, "signature": {"public_key": PUBLIC, "signature": signature}}


def run(
    tmp_path: Path, document: object, *words: str, kept: list[Anchor] | None = None
) -> tuple[int, str]:
    """Run the verifier as somebody else would: alone, isolated, elsewhere."""
    file = tmp_path / "pack.json"
    file.write_text(document if isinstance(document, str) else json.dumps(document))
    if kept is not None:
        lines = tmp_path / "anchors"
        lines.write_bytes(b"".join(anchor.to_bytes() + b"\n" for anchor in kept) + b'{"half')
        words = (*words, "--anchors", str(lines))
    alone = tmp_path / "verifier.py"
    alone.write_bytes(VERIFIER.read_bytes())
    command = [sys.executable, "-I", "-S", str(alone), str(file), *words]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def test_a_pack_is_proven_step_by_step_and_nothing_of_the_person_is_shown(tmp_path: Path) -> None:
    code, said = run(tmp_path, signed(packed()), "--key", PUBLIC, kept=HELD.anchors(1))

    assert code == 0, said
    assert [line.strip() for line in said.splitlines()] == [
        "the signature is by the key that you gave",
        "evidence and reply are what the content hash says",
        "2 of 3 documents that decided are here, as their hashes say",
        "the decision is leaf 0 of batch lane/1",
        "the chain leads from there to lane/1",
        "anchor 0 (0 us since 1970) holds the chain's end, and is among those that you gave",
        "NOT PROVEN: person_id, decision_date, the note and time of the batch",
        "Everything that was checked holds.",
    ]
    assert ROW.customer_id not in said


def test_what_only_the_pack_itself_says_is_told_apart(tmp_path: Path) -> None:
    held = {**packed(), "anchor": None, "end": None}
    code, said = run(tmp_path, signed(held))

    assert code == 0, said
    assert f"the key inside the pack, {PUBLIC}" in said
    assert "followed to 1, not to its end" in said
    assert "NOT PROVEN: no anchor holds this chain" in said
    assert "compare it with the anchors kept elsewhere" in run(tmp_path, signed(packed()))[1]


def test_an_erased_decision_is_proven_by_its_hash(tmp_path: Path) -> None:
    erased = packed(HELD.change(ROW, evidence=None, reply=None))
    code, said = run(tmp_path, signed(erased), "--key", PUBLIC)

    assert code == 0, said
    assert "have been erased: only their hash is proven" in said
    assert "score and band, whose evidence is gone" in said


def _put(*path: Any, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(held: dict[str, Any]) -> None:
        inner: Any = held
        for step in path[:-1]:
            inner = inner[step]
        inner[path[-1]] = value

    return change


CHANGES: list[tuple[Callable[[dict[str, Any]], None], str]] = [
    (_put("decision", "amount", value=1), "columns are not those of the leaf"),
    (_put("decision", "score", value=1), "score or band is not that"),
    (_put("decision", "lane_seq", value=2), "batch is not that of the decision"),
    (_put("salt", value="00"), "not what the content hash says"),
    (_put("content_hash", value="00" * 32), "not what the content hash says"),
    (_put("evidence", value="{}"), "not what the content hash says"),
    (_put("reply", value="{}"), "not what the content hash says"),
    (_put("reply", value=None), "not a whole pack"),
    (_put("leaf", "hash", value="00" * 32), "columns are not those of the leaf"),
    (_put("leaf", "index", value=1), "does not fit"),
    (_put("leaf", "path", value=["00" * 32]), "does not fit"),
    (_put("batch", "root", value="00" * 32), "not under the root"),
    (_put("batch", "previous_hash", value="00" * 32), "does not lead to the end"),
    (_put("links", value=[[3, "00" * 32, 0]]), "a gap after 1"),
    (_put("links", value=[[2, "00" * 32, 0]]), "does not lead to the end"),
    (_put("end", 2, value="00" * 32), "does not lead to the end"),
    (_put("anchor", "heads", value=[]), "does not hold the end"),
    (_put("anchor", "at_us", value=7), "anchor is not what its hash says"),
    (_put("rules", 0, "document", value="{}"), "document of policy is not"),
    (_put("rules", value=[]), "not those that the evidence names"),
    (_put("pack", value=2), "another format"),
]


@pytest.mark.parametrize(("change", "sentence"), CHANGES)
def test_a_change_is_named_even_when_the_lender_signed_it(
    tmp_path: Path, change: Callable[[dict[str, Any]], None], sentence: str
) -> None:
    held = deepcopy(packed())
    change(held)

    code, said = run(tmp_path, signed(held))

    assert code == 1
    assert f"WRONG: {sentence}" in said or sentence in said
    assert said.endswith("This pack proves nothing.\n")


def test_a_change_after_the_signature_is_refused(tmp_path: Path) -> None:
    document = signed(packed())
    document["pack"]["made_us"] += 1

    assert "the signature is not that of this key" in run(tmp_path, document)[1]
    other = Ed25519PrivateKey.generate().public_key().public_bytes_raw().hex()
    assert run(tmp_path, signed(packed()), "--key", other)[0] == 1


def test_anchors_from_elsewhere_that_differ_are_named(tmp_path: Path) -> None:
    document, chain = signed(packed()), HELD.anchors(0, 1)

    assert "not among those that you gave" in run(tmp_path, document, kept=chain)[1]
    assert "are no chain at 0" in run(tmp_path, document, kept=chain[1:])[1]


@pytest.mark.parametrize(
    "text", ["", "[]", '{"pack": 1.5}', '{"pack": {}, "pack": {}}', '{"pack": NaN}', "\udcff"]
)
def test_what_has_two_meanings_or_none_is_not_read(tmp_path: Path, text: str) -> None:
    if text == "\udcff":
        (tmp_path / "pack.json").write_bytes(b"\xff")
        assert verify_pack.main([str(tmp_path / "pack.json")]) == 2
    else:
        assert run(tmp_path, text)[0] == 2


def test_a_file_that_is_no_pack_or_not_there_is_no_crash(tmp_path: Path) -> None:
    assert run(tmp_path, "{}")[0] == 1
    assert verify_pack.main([str(tmp_path / "absent")]) == 2
