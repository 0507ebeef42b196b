"""A data folder has one owner, and a start that fails lets go of it."""

import asyncio
from pathlib import Path

import pytest

from adapters.bootstrap.stores import open_stores
from adapters.settings import EmbeddedSettings
from domain.errors import PermanentError


def test_a_second_owner_is_refused_and_may_follow(tmp_path: Path) -> None:
    settings = EmbeddedSettings(data=tmp_path / "data")

    async def take_turns() -> None:
        first = await open_stores(settings)
        with pytest.raises(PermanentError, match="one process owns a data folder"):
            await open_stores(settings)
        await first.close()
        second = await open_stores(settings)
        await second.close()

    asyncio.run(take_turns())


def test_a_start_that_fails_lets_go_of_the_folder(tmp_path: Path) -> None:
    settings = EmbeddedSettings(data=tmp_path / "data")

    async def fail_then_start() -> None:
        await (await open_stores(settings)).close()
        key = tmp_path / "data" / "wrapping.key"
        kept = key.read_bytes()
        key.write_bytes(b"not a key")
        with pytest.raises(PermanentError):
            await open_stores(settings)
        key.write_bytes(kept)
        await (await open_stores(settings)).close()

    asyncio.run(fail_then_start())
