"""One person a CPF over a rotation of the index key, on a real database: the shared suite."""

from collections.abc import Iterator
from contextlib import ExitStack, closing

import pytest

from adapters.security.key_ring import KeyRing
from adapters.security.mysql_key_vault import MysqlKeyVault
from tests.contracts import test_person_index
from tests.contracts.opened import NEVER, HandClock
from tests.contracts.test_person_index import Rotation
from tests.integration.shared.caches import Loop
from tests.integration.shared.vaults import LIMITS, Keys

globals().update(
    {
        name: test
        for name, test in vars(test_person_index).items()
        if name.startswith("test_") and "two_rotations" not in name
    }
)


@pytest.fixture
def rotation(keys: Keys, loop: Loop) -> Iterator[Rotation]:
    kek = KeyRing.load_or_create(keys.folder / "wrapping.key")
    with ExitStack() as stack:

        def opening(index: KeyRing) -> MysqlKeyVault:
            vault = MysqlKeyVault(keys.url, kek=kek, index=index, clock=HandClock(), limits=LIMITS)
            stack.enter_context(closing(vault))
            loop(vault.prepare(NEVER))
            return vault

        yield Rotation(opening, loop)
