"""Key vaults on KMS and DynamoDB, as several processes open them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from adapters.aws.credentials import Credentials, FixedCredentials
from adapters.aws.endpoint import Endpoint
from adapters.aws.json_client import JsonClient
from adapters.aws.pool import Limits
from adapters.aws.retrying import Retrying, RetryPolicy
from adapters.security.dynamodb_key_table import PERSON, DynamoDbKeyTable
from adapters.security.key_ring import KeyRing
from adapters.security.kms_key_vault import FRESH_S, KmsKeyVault, KmsVaultLimits
from adapters.security.kms_keys import KmsKeys
from domain.ports.time import Clock
from tests.contracts.opened import NEVER, FixedChance, HandClock, Opened
from tests.integration.shared.caches import PATIENCE_S, Loop

KEYS = FixedCredentials(Credentials("AKIATEST", "secret"))
PATIENT = Limits(connect_s=PATIENCE_S, attempt_s=PATIENCE_S)
POLICY = RetryPolicy(base_s=0.001, cap_s=0.002)
LIMITS = KmsVaultLimits(cached_keys_max=100, fresh_s=FRESH_S)
NO_CACHE = KmsVaultLimits(cached_keys_max=0)


def client_of(service: str, url: str, clock: Clock, limits: Limits = PATIENT) -> Retrying:
    client = JsonClient(
        Endpoint.of(service, "us-east-1", url), KEYS, clock=clock, limits=limits,
        version="1.0" if service == "dynamodb" else "1.1",
    )  # fmt: skip
    return Retrying(client, clock=clock, chance=FixedChance(), policy=POLICY)


@dataclass(frozen=True, slots=True)
class Aws:
    """Where KMS and DynamoDB are, a table and a key of one test, and a folder for the index key."""

    kms: str
    dynamodb: str
    table: str
    key: str
    folder: Path
    loop: Loop

    def ask(self, service: str, target: str, **fields: Any) -> Any:
        client = client_of(service, getattr(self, service), HandClock())
        try:
            body = self.loop(client.call(target, msgspec.json.encode(fields), NEVER))
        finally:
            self.loop(client.close())
        return msgspec.json.decode(body) if body else None

    def rows(self) -> list[dict[str, Any]]:
        found = self.ask("dynamodb", "DynamoDB_20120810.Scan", TableName=self.table)
        return [row for row in found["Items"] if not row[PERSON]["S"].startswith("!")]

    def new_key(self, **fields: Any) -> str:
        usual = {"KeyUsage": "ENCRYPT_DECRYPT", "KeySpec": "SYMMETRIC_DEFAULT"}
        made = self.ask("kms", "TrentService.CreateKey", **{**usual, **fields})
        return str(made["KeyMetadata"]["KeyId"])

    @contextmanager
    def vault(
        self, limits: KmsVaultLimits = LIMITS, *, clock: Clock | None = None,
        urls: tuple[str, str] = ("", ""), index: KeyRing | None = None,
    ) -> Iterator[Opened[KmsKeyVault]]:  # fmt: skip
        """A vault of one process; nothing is prepared."""
        hand = HandClock()
        clock = clock or hand
        kms = client_of("kms", urls[0] or self.kms, clock)
        dynamodb = client_of("dynamodb", urls[1] or self.dynamodb, clock)
        vault = KmsKeyVault(
            KmsKeys(kms, self.key),
            DynamoDbKeyTable(dynamodb, self.table),
            index=index or KeyRing.load_or_create(self.folder / "index.key"),
            clock=clock,
            limits=limits,
        )
        try:
            yield Opened(vault, hand, self.loop)
        finally:
            for each in (vault, kms, dynamodb):
                self.loop(each.close())
