"""Every promise of the port `KeyVault`, on a real database: the shared suite, its own fixture."""

from collections.abc import Iterator

import pytest

from adapters.security.key_vault import VaultLimits
from domain.ports.keys import KeyVault
from tests.contracts import test_key_vault
from tests.contracts.opened import Opened
from tests.integration.shared.caches import Loop
from tests.integration.shared.vaults import LIMITS, Keys, vault_on

globals().update(
    {name: test for name, test in vars(test_key_vault).items() if name.startswith("test_")}
)


@pytest.fixture(params=[LIMITS, VaultLimits(threads=4, cached_keys_max=0)], ids=["", "no cache"])
def vault(request: pytest.FixtureRequest, keys: Keys, loop: Loop) -> Iterator[Opened[KeyVault]]:
    with vault_on(keys, loop, request.param) as held:
        yield held
