"""`creditctl db back-fill-index`: the blind index of CPFs after a new version of its key."""

import asyncio
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from typing import Final

from adapters.bootstrap.services_stores import STARTING_SECONDS, check_schema
from adapters.mysql_address import MysqlAddress
from adapters.security.key_ring import KeyRing
from adapters.security.mysql_key_vault import MysqlKeyVault
from adapters.settings import RefusedError, ServicesSettings
from adapters.stores.embedded.directory import INDEX_KEY, WRAPPING_KEY
from adapters.stores.sql.mysql_truth import MysqlTruth
from adapters.system import SystemClock
from domain.errors import NotFoundError, PermanentError, TransientError
from domain.ports.time import Clock, Deadline
from ingestion.index_back_fill import IndexBackFill

COUNTED: Final = ("customers", "missing", "erased", "unknown", "unread")


async def back_fill_index(
    settings: ServicesSettings, after: str, told: Callable[[str, int], None]
) -> dict[str, int]:
    """
    Let everybody behind customer `after` be found under every version of the index key.

    `told` hears of each step: behind whom a later run may go on, and how many were handled by then.

    Raises:
        NotFoundError: the key files or the vault are not there; they are not made.
        RefusedError: the schema or the key files do not fit.
        TransientError: a database is away; the sentence says how to go on.
    """
    clock = SystemClock()
    address = MysqlAddress.parse(settings.mysql_url, "MYSQL_URL")
    deadline = Deadline.after(clock, STARTING_SECONDS)
    with closing(_vault(settings, clock)) as vault:
        truth = MysqlTruth(address, clock, 1)
        try:
            await _checked(truth, vault, deadline)
            return await _stepped(IndexBackFill(truth, vault, clock), after, told)
        finally:
            await truth.close()


async def _checked(truth: MysqlTruth, vault: MysqlKeyVault, deadline: Deadline) -> None:
    try:
        # A vault that is not there is made by a process that starts, never from here.
        if not await asyncio.to_thread(vault.compare):
            raise NotFoundError("KEYS_MYSQL_URL names no vault that is in use")
        # Leaves a mark of the new version, so that nobody goes on with another one.
        await vault.prepare(deadline)
        await check_schema(truth, deadline)
    except PermanentError as error:
        raise RefusedError(str(error)) from None


async def _stepped(
    job: IndexBackFill, after: str, told: Callable[[str, int], None]
) -> dict[str, int]:
    counts = Counter(dict.fromkeys(COUNTED, 0))
    at: str | None = after
    while at is not None:
        try:
            done = await job.step(at)
        except TransientError as error:
            more = f": go on with --after {at}" if at else ""
            raise TransientError(f"{error}{more}") from None
        counts.update({name: getattr(done, name) for name in COUNTED})
        at = done.after
        if at is not None:
            told(at, counts["customers"])
    return dict(counts)


def _vault(settings: ServicesSettings, clock: Clock) -> MysqlKeyVault:
    folder = settings.keys.expanduser()
    for name in (WRAPPING_KEY, INDEX_KEY):
        if not (folder / name).exists():
            raise NotFoundError(f"KEYS_DIR lacks {name}: name the folder that the processes use")
    return MysqlKeyVault(
        settings.keys_mysql_url,
        kek=KeyRing.load_or_create(folder / WRAPPING_KEY),
        index=KeyRing.load_or_create(folder / INDEX_KEY),
        clock=clock,
    )
