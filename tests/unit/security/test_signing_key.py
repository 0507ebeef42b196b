import stat
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from adapters.security.key_ring import KeyRing
from adapters.security.signing_key import SigningKey
from domain.errors import NotFoundError, PermanentError


def holds(signed: dict[str, str], message: bytes) -> bool:
    public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(signed["public_key"]))
    try:
        public.verify(bytes.fromhex(signed["signature"]), message)
    except InvalidSignature:
        return False
    return True


def test_what_a_folder_signs_verifies_by_its_public_key(tmp_path: Path) -> None:
    path = tmp_path / "signing.key"
    signed = SigningKey.load_or_create(path).sign(b"a pack")
    again = SigningKey.load(path)

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert holds(signed, b"a pack")
    assert not holds(signed, b"a pick")
    assert (signed["algorithm"], signed["key"]) == ("Ed25519", again.current)
    assert signed["public_key"] == again.public_keys()[again.current]


def test_after_a_rotation_the_old_public_key_is_still_known(tmp_path: Path) -> None:
    path = tmp_path / "signing.key"
    old = SigningKey.load_or_create(path)
    KeyRing.load_or_create(path).rotated(path)
    fresh = SigningKey.load(path)

    assert fresh.current != old.current
    assert fresh.sign(b"")["public_key"] != old.sign(b"")["public_key"]
    assert fresh.public_keys()[old.current] == old.public_keys()[old.current]


def test_no_key_is_made_where_one_is_only_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "signing.key"

    with pytest.raises(NotFoundError, match="no signing key"):
        SigningKey.load(path)
    assert not path.exists()


def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "signing.key"
    SigningKey.load_or_create(path)
    path.chmod(0o640)

    with pytest.raises(PermanentError):
        SigningKey.load(path)
