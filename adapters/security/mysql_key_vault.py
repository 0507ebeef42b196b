"""The key vault that processes share, and how they know that they use the same key files."""

from typing import Final

from adapters.mysql_address import MysqlAddress
from adapters.security.key_ring import KeyRing
from adapters.security.key_vault import EnvelopeKeyVault, VaultLimits
from adapters.security.mysql_key_store import MysqlKeyStore
from adapters.security.witness import WITNESS, marks, same
from domain.ports.time import Clock, Deadline

SETTING: Final = "KEYS_MYSQL_URL"
#: A key that another process destroyed is used here for at most so many seconds.
FRESH_S: Final = 5.0
LIMITS: Final = VaultLimits(threads=4, fresh_s=FRESH_S)


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

    def compare(self) -> bool:
        """
        Compare the key files with the vault, which stays as it is; blocks.

        Returns False when the vault has nothing yet to compare them with.

        Raises:
            PermanentError: the login may not, or the key files are not those of this vault.
            TransientError: the database or its table is not there, or is away.
        """
        stored = self._table.get(WITNESS)
        if stored is None:
            return False
        self._unwrapped(WITNESS, stored, self._cache.look())
        for name, mark in marks(self._index):
            known = self._table.get(name)
            if known is not None:
                same(known, mark)
        return True

    def _prepared(self) -> None:
        self._table.prepare()
        self._made(WITNESS)
        for name, mark in marks(self._index):
            same(self._table.put_if_absent(name, mark), mark)
