import hmac
import json
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from adapters.security.key_ring import KeyRing
from adapters.security.request_keys import RequestKeys
from domain.errors import PermanentError


def test_a_ring_is_made_once(tmp_path: Path) -> None:
    path = tmp_path / "new" / "token.key"

    first, second = KeyRing.load_or_create(path), KeyRing.load_or_create(path)

    assert first == second
    assert len(first.secret) == 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in path.parent.iterdir()] == ["token.key"]


def test_rings_of_two_folders_differ(tmp_path: Path) -> None:
    one, two = (KeyRing.load_or_create(tmp_path / name) for name in ("a", "b"))

    assert one.secret != two.secret


def test_many_that_make_a_file_at_once_read_the_same(tmp_path: Path) -> None:
    path = tmp_path / "race.key"
    with ThreadPoolExecutor(16) as pool:
        rings = list(pool.map(lambda _: KeyRing.load_or_create(path).secret, range(64)))

    assert len(set(rings)) == 1


def test_a_new_file_is_synced_before_and_after_it_gets_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    real_sync, real_link = os.fsync, os.link

    def sync(handle: int) -> None:
        kind = "folder" if stat.S_ISDIR(os.fstat(handle).st_mode) else "file"
        done.append(f"sync {kind}")
        real_sync(handle)

    def link(source: Path, target: Path) -> None:
        done.append("link")
        real_link(source, target)

    monkeypatch.setattr(os, "fsync", sync)
    monkeypatch.setattr(os, "link", link)

    KeyRing.load_or_create(tmp_path / "a.key")

    assert done == ["sync file", "link", "sync folder"]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
def test_a_file_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "open.key"
    KeyRing.load_or_create(path)
    path.chmod(mode)

    with pytest.raises(PermanentError, match="chmod 600"):
        KeyRing.load_or_create(path)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "honeytoken",
        "[]",
        "{}",
        '{"current": "1", "keys": []}',
        '{"current": "1", "keys": {}}',
        '{"current": "2", "keys": {"1": "%s"}}' % ("A" * 43 + "="),
        '{"current": "1", "keys": {"1": "honeytoken!"}}',
        '{"current": "1", "keys": {"1": "AAAA"}}',
        '{"current": "x", "keys": {"x": "%s"}}' % ("A" * 43 + "="),
    ],
)
def test_what_is_no_ring_is_refused_without_being_quoted(tmp_path: Path, text: str) -> None:
    path = tmp_path / "bad.key"
    path.write_text(text)
    path.chmod(0o600)

    with pytest.raises(PermanentError) as caught:
        KeyRing.load_or_create(path)

    assert "honeytoken" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_huge_file_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "huge.key"
    path.write_bytes(b" " * 65_537)
    path.chmod(0o600)

    with pytest.raises(PermanentError, match="too large"):
        KeyRing.load_or_create(path)


def test_a_rotation_keeps_the_old_versions(tmp_path: Path) -> None:
    path = tmp_path / "a.key"
    old = KeyRing.load_or_create(path)

    new = old.rotated(path)

    assert KeyRing.load_or_create(path) == new
    assert (new.current, sorted(new.versions)) == ("2", ["1", "2"])
    assert new.versions["1"] == old.secret
    assert new.secret != old.secret
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_ring_does_not_show_its_secrets(tmp_path: Path) -> None:
    ring = KeyRing.load_or_create(tmp_path / "a.key")
    text = json.loads((tmp_path / "a.key").read_text())["keys"]["1"]

    assert repr(ring) == "KeyRing(current='1', versions=1)"
    assert text not in f"{ring} {ring!r}"


def test_request_keys_stay_the_same_through_restarts_and_rotations(tmp_path: Path) -> None:
    path = tmp_path / "request.key"
    before = RequestKeys.load_or_create(path).command_hash("decide", {"amount": "1.00"})
    KeyRing.load_or_create(path).rotated(path)

    after = RequestKeys.load_or_create(path).command_hash("decide", {"amount": "1.00"})

    assert after == before
    assert len(after) == 64


def test_purposes_and_routes_do_not_mix() -> None:
    keys, others = RequestKeys(b"k" * 32), RequestKeys(b"x" * 32)
    command = {"amount": "1.00"}

    hashes = {
        keys.command_hash("decide", command),
        keys.command_hash("review", command),
        keys.command_hash("decide", {"amount": "1.01"}),
        others.command_hash("decide", command),
        keys.cursor_tag(b'decide\n{"amount":"1.00"}').hex(),
    }

    assert len(hashes) == 5
    assert keys.command_hash("a", {"b": "1", "c": 2}) == keys.command_hash("a", {"c": 2, "b": "1"})


def test_the_hash_of_a_command_is_the_hmac_of_its_canonical_text() -> None:
    key = hmac.digest(bytes(32), b"command", "sha256")
    keys = RequestKeys(bytes(32))

    for amount in ("1.00", "2.00"):
        text = b'decide\n{"amount":"%s"}' % amount.encode()
        assert (
            keys.command_hash("decide", {"amount": amount})
            == hmac.digest(key, text, "sha256").hex()
        )
