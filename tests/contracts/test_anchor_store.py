"""What `AnchorStore` promises, on every store; then what the file adds."""

import asyncio
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from adapters.stores.embedded.anchor_file import AnchorFile, read_anchors
from decision_engine.record.anchors import Anchor, AnchorStore, Head
from decision_engine.record.merkle import GENESIS
from domain.errors import ConflictError, PermanentError, TransientError
from tests.contracts.opened import NEVER


def anchors_in(folder: Path) -> AnchorFile:
    return AnchorFile(folder / "kept" / "anchors.ndjson")


#: A store over a folder; opened again, it holds what was kept there.
STORES: Final[dict[str, Callable[[Path], AnchorStore]]] = {"file": anchors_in}


@pytest.fixture(params=sorted(STORES))
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], AnchorStore]:
    return lambda: STORES[request.param](tmp_path)


def chain(length: int) -> list[Anchor]:
    made: list[Anchor] = []
    for number in range(length):
        heads = (Head("lane", number, bytes([number]) * 32),)
        made.append(Anchor(number, number, heads, made[-1].hash if made else GENESIS))
    return made


CHAIN: Final = chain(5)


def keep(store: AnchorStore, *anchors: Anchor) -> None:
    for anchor in anchors:
        asyncio.run(store.append(anchor, NEVER))


def read(store: AnchorStore, after: int = -1, limit: int = 100) -> list[Anchor]:
    return asyncio.run(store.read(after, limit, NEVER))


# --- every store ---------------------------------------------------------------------------------


def test_a_new_store_holds_nothing(opened: Callable[[], AnchorStore]) -> None:
    assert read(opened()) == []


def test_what_was_appended_is_there_in_order_for_everybody(
    opened: Callable[[], AnchorStore],
) -> None:
    store = opened()
    keep(store, *CHAIN)

    assert read(store) == CHAIN
    assert read(opened()) == CHAIN


def test_it_is_read_page_by_page(opened: Callable[[], AnchorStore]) -> None:
    store = opened()
    keep(store, *CHAIN)

    assert read(store, limit=2) == CHAIN[:2]
    assert read(store, after=1, limit=2) == CHAIN[2:4]
    assert read(store, after=3, limit=2) == CHAIN[4:]
    assert read(store, after=4, limit=2) == []
    assert read(store, after=0, limit=1) == CHAIN[1:2]


def test_a_second_writer_is_refused_until_it_has_read(opened: Callable[[], AnchorStore]) -> None:
    first, second = opened(), opened()
    keep(first, CHAIN[0])

    with pytest.raises(ConflictError):
        keep(second, CHAIN[0])
    read(second)
    keep(second, CHAIN[1])
    assert read(first) == CHAIN[:2]


# --- the file ------------------------------------------------------------------------------------


@pytest.fixture
def path(tmp_path: Path) -> Path:
    keep(anchors_in(tmp_path), *CHAIN[:3])
    return tmp_path / "kept" / "anchors.ndjson"


def test_a_file_is_private_and_one_line_an_anchor(path: Path) -> None:
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_bytes().splitlines() == [anchor.to_bytes() for anchor in CHAIN[:3]]


def test_an_anchor_is_flushed_and_a_new_file_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushed: list[str] = []
    real = os.fsync

    def fsync(handle: int) -> None:
        flushed.append("folder" if stat.S_ISDIR(os.fstat(handle).st_mode) else "file")
        real(handle)

    monkeypatch.setattr(os, "fsync", fsync)
    keep(anchors_in(tmp_path), *CHAIN[:2])

    assert flushed == ["file", "folder", "file"]


def test_half_a_line_that_a_crash_left_is_passed_over_and_closed(path: Path) -> None:
    whole = path.read_bytes()
    path.write_bytes(whole + CHAIN[3].to_bytes()[:40])
    store = AnchorFile(path)

    assert read(store) == CHAIN[:3]
    keep(store, CHAIN[3])
    assert path.read_bytes().startswith(whole)
    assert list(read_anchors(path)) == CHAIN[:4]
    assert read(AnchorFile(path), after=2) == CHAIN[3:4]


@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_line_that_was_changed_is_named(path: Path, number: int) -> None:
    lines = path.read_bytes().splitlines(keepends=True)
    lines[number] = lines[number].replace(b"at_us", b"at_us_")
    path.write_bytes(b"".join(lines))

    with pytest.raises(PermanentError, match="not as it was written"):
        list(read_anchors(path))
    with pytest.raises(PermanentError):
        read(AnchorFile(path))


def test_a_full_disk_is_an_error_that_passes(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = AnchorFile(path)
    read(store)

    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(TransientError):
            keep(store, CHAIN[3])
    # It may have been kept or not, so the file is asked before the next one.
    with pytest.raises(ConflictError):
        keep(store, CHAIN[3])
    assert read(store) == CHAIN[:4]
    keep(store, CHAIN[4])


def test_a_place_that_cannot_be_written_or_read_is_an_error_that_passes(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    store = AnchorFile(folder)

    with pytest.raises(TransientError):
        keep(store, CHAIN[0])
    with pytest.raises(TransientError):
        read(store)
    with pytest.raises(PermanentError, match="cannot be read"):
        list(read_anchors(folder))
