"""One person a CPF over a rotation of the index key, on KMS and DynamoDB: the shared suite."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from adapters.security.key_ring import KeyRing
from adapters.security.kms_key_vault import KmsKeyVault
from tests.contracts import test_person_index
from tests.contracts.test_person_index import Rotation
from tests.integration.kms.vaults import Aws

globals().update(
    {
        name: test
        for name, test in vars(test_person_index).items()
        if name.startswith("test_") and "two_rotations" not in name
    }
)


@pytest.fixture
def rotation(aws: Aws) -> Iterator[Rotation]:
    with ExitStack() as stack:

        def opening(index: KeyRing) -> KmsKeyVault:
            return stack.enter_context(aws.vault(index=index)).port

        yield Rotation(opening, aws.loop)
