"""How writers take unique index entries: primary keys and unique keys, as InnoDB does."""

from adapters.stores.model.errors import DuplicateKeyError, ModelStoreError
from adapters.stores.model.locks import Mode
from adapters.stores.model.session import Session
from adapters.stores.model.table import PRIMARY, Key, Row, Rows


async def claim(session: Session, rows: Rows, key_name: str, values: Key, *, owner: Key) -> None:
    """
    Take a unique entry for the row whose primary key is `owner`.

    Waits for whoever has the entry in an open transaction. A shared lock on an entry that turns
    out to be taken is kept until the transaction ends.

    Raises:
        DuplicateKeyError: a row has it.
    """
    holder = await _take(session, rows, key_name, values, Mode.SHARED)
    if holder is not None and (key_name == PRIMARY or holder != owner):
        await _lock_entry(session, rows, key_name, values, Mode.SHARED)
        raise DuplicateKeyError(key_name)


async def claim_unique(
    session: Session, rows: Rows, key: Key, row: Row | None, old: Row | None
) -> None:
    """Keep others from the unique entries that a row gives up, and take those that it gains."""
    gained = dict(rows.unique_values(row)) if row is not None else {}
    given_up = dict(rows.unique_values(old)) if old is not None else {}
    for name in rows.table.unique:
        before, after = given_up.get(name), gained.get(name)
        if before == after:
            continue
        if before is not None:
            await session.lock(rows, name, before, Mode.EXCLUSIVE)
        if after is not None:
            await claim(session, rows, name, after, owner=key)


async def claim_or_find(session: Session, rows: Rows, row: Row) -> Key | None:
    """Take every entry of a new row, or return the key of the row that has one, locked."""
    claims = session.claims
    for name, values in ((PRIMARY, rows.key_of(row)), *rows.unique_values(row)):
        holder = await _take(session, rows, name, values, Mode.EXCLUSIVE)
        if holder is not None:
            session.give_back(claims)
            await _lock_entry(session, rows, name, values, Mode.EXCLUSIVE)
            await session.lock(rows, PRIMARY, holder, Mode.EXCLUSIVE)
            return holder
    return None


async def _take(session: Session, rows: Rows, key_name: str, values: Key, mode: Mode) -> Key | None:
    """Take a free entry exclusively, or return the key of the row that has it."""
    held = session.holds(rows, key_name, values)
    while True:
        if not session.could_lock(rows, key_name, values):
            await _lock_entry(session, rows, key_name, values, mode)
        holder = rows.holder(key_name, values)
        if holder is not None:
            return holder
        if session.gap_is_free(rows, key_name, values):
            break
        await session.await_gap(rows, key_name, values)
    await session.lock(rows, key_name, values, Mode.EXCLUSIVE)
    if not held:
        session.claimed(rows, key_name, values)
    return None


async def _lock_entry(session: Session, rows: Rows, key_name: str, values: Key, mode: Mode) -> None:
    """Lock an entry that is or may be taken; of a secondary key also the gap before it."""
    if key_name == PRIMARY:
        await session.lock(rows, key_name, values, mode, is_claim=True)
        return
    low, _ = rows.neighbours(key_name, values)
    resource = (rows.table.name, key_name, values)
    gap = session.engine.locks.hold_gap(session, resource, low, values)
    try:
        await session.lock(rows, key_name, values, mode, is_claim=True)
    except ModelStoreError:
        session.engine.locks.drop_gap(gap)
        raise
