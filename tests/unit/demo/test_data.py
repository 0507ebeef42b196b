"""The data sets are the ones that data/README.md describes."""

import gzip
import hashlib
from pathlib import Path

import pytest

from adapters.bootstrap.shipped import DATA, DemoData


@pytest.mark.parametrize("path", [DemoData().taiwan, DemoData().asks], ids=lambda path: path.name)
def test_the_file_is_the_one_described(path: Path) -> None:
    digest = hashlib.sha256(gzip.decompress(path.read_bytes())).hexdigest()
    readme = (DATA / "README.md").read_text(encoding="utf-8")

    rows = [line for line in readme.splitlines() if line.startswith(f"| `{path.name}` ")]
    assert len(rows) == 1
    assert f"`{digest}`" in rows[0]
