"""Every promise of the port `KeyVault`, on KMS and DynamoDB: the shared suite."""

from collections.abc import Iterator

import pytest

from domain.ports.keys import KeyVault
from tests.contracts import test_key_vault
from tests.contracts.opened import NEVER, Opened
from tests.integration.kms.vaults import LIMITS, NO_CACHE, Aws

globals().update(
    {name: test for name, test in vars(test_key_vault).items() if name.startswith("test_")}
)


@pytest.fixture(params=[LIMITS, NO_CACHE], ids=["", "no cache"])
def vault(request: pytest.FixtureRequest, aws: Aws) -> Iterator[Opened[KeyVault]]:
    with aws.vault(request.param) as held:
        held.run(held.port.prepare(NEVER))
        yield held
