"""The key vault that processes share, and how they know that they use the same key files."""

import hashlib
import hmac
from typing import Final

from adapters.mysql_address import MysqlAddress
from adapters.security.key_ring import KeyRing
from adapters.security.key_vault import EnvelopeKeyVault, VaultLimits
from adapters.security.mysql_key_store import MysqlKeyStore
from adapters.security.wrapped_keys import WrappedKey
from domain.errors import PermanentError
from domain.ports.time import Clock, Deadline

SETTING: Final = "KEYS_MYSQL_URL"
#: A key that another process destroyed is used here for at most so many seconds.
FRESH_S: Final = 5.0
LIMITS: Final = VaultLimits(threads=4, fresh_s=FRESH_S)
#: No person has such an id.
WITNESS: Final = "!witness"


class MysqlKeyVault(EnvelopeKeyVault):
    """
    The vault on a MySQL or MariaDB database of its own; nothing connects before the first use.

    All processes need the same two key files: `prepare` finds out.
    """

    def __init__(
        self, url: str, *, kek: KeyRing, index: KeyRing, clock: Clock, limits: VaultLimits = LIMITS
    ) -> None:
        """
        Take the settings.

        Raises:
            PermanentError: the address is none.
        """
        self._table = MysqlKeyStore(MysqlAddress.parse(url, SETTING))
        super().__init__(lambda: self._table, kek=kek, index=index, clock=clock, limits=limits)

    async def prepare(self, deadline: Deadline) -> None:
        """
        Make database and table where they are missing, and compare the key files.

        Raises:
            PermanentError: the login may not, or the key files are not those of this vault.
            TransientError: the database is away.
        """
        await self._run(self._prepared, deadline)

    def _prepared(self) -> None:
        self._table.prepare()
        self._made(WITNESS)
        for version, secret in self._index.versions.items():
            mark = hmac.digest(secret, b"witness of the index key", hashlib.sha256)
            stored = self._table.put_if_absent(
                f"{WITNESS}.index.{version}", WrappedKey(version, mark)
            )
            if stored.wrapped is None or not hmac.compare_digest(stored.wrapped, mark):
                raise PermanentError(
                    "the index key is not the one of this vault: all processes need the same files"
                )
