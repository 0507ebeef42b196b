"""What opening, listing and releasing loss windows says to the store of truth."""

from dataclasses import dataclass
from typing import Final

#: Why a case is open: an approval or an offer that a loss window turned into REFERRED.
CAUSE: Final = "LOSS_WINDOW"


@dataclass(frozen=True, slots=True)
class StoredWindow:
    """One loss window; it is open while `released_us` is 0."""

    window_id: str
    opened_us: int
    opened_by: str
    reason: str
    cause: str
    released_us: int = 0
    released_by: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class ReadOpenWindows:
    """-> list[StoredWindow] that are not released, in order of their ids."""


@dataclass(frozen=True, slots=True)
class ReadWindow:
    """-> list[StoredWindow], zero or one."""

    window_id: str


@dataclass(frozen=True, slots=True)
class ListWindows:
    """-> list[StoredWindow], the newest first, after the place (opened_us, id) of a page."""

    limit: int
    before: tuple[int, str] | None


@dataclass(frozen=True, slots=True)
class CountWindows:
    """-> list[int] of one: how many there ever were."""


@dataclass(frozen=True, slots=True)
class InsertWindow:
    """Open a window."""

    row: StoredWindow


@dataclass(frozen=True, slots=True)
class ReleaseWindow:
    """Release an open window -> list[str], its id if it was open."""

    window_id: str
    released_us: int
    released_by: str
    note: str


@dataclass(frozen=True, slots=True)
class CountWaiting:
    """-> list[int] of one: persons with an open case of this cause opened since an instant."""

    since_us: int


@dataclass(frozen=True, slots=True)
class ReadCustomersOf:
    """-> list[str]: up to `limit` customers that are this person."""

    person_id: str
    limit: int


@dataclass(frozen=True, slots=True)
class AuditRow:
    """Who did what, when; no personal data."""

    entry_id: str
    at_us: int
    actor: str
    action: str
    subject: str
    detail: str


@dataclass(frozen=True, slots=True)
class InsertAudit:
    """Write one line of the audit log."""

    row: AuditRow
