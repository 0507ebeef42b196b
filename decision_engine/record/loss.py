"""
The loss window as one batch sees it: who is not to be approved until the ledger is whole again.

What DynamoDB and Keyspaces know of a person's decisions is looked up before the batch (`LossLook`).
Inside its transaction the batch reads which windows are open and which of these decisions are in
the ledger (`ReadLoss`), so that what was learnt earlier can never approve on its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ReadLoss:
    """-> list[LossRow]: one when a window is open, none otherwise."""

    decision_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LossRow:
    """The open windows in order of their ids, and which of the decisions asked for are here."""

    windows: tuple[str, ...]
    present: frozenset[str]


@dataclass(frozen=True, slots=True)
class LossLook:
    """
    What the stores beside the ledger know, read while these windows were open.

    `unread` names the store that could not be read, empty when all could.
    """

    windows: tuple[str, ...]
    decision_ids: tuple[str, ...]
    unread: str = ""


@dataclass(frozen=True, slots=True)
class LossFinding:
    """What an open window means for one decision; part of its evidence."""

    windows: tuple[str, ...]
    missing: tuple[str, ...]
    unread: str

    @property
    def blocks(self) -> bool:
        """Whether nothing may be approved or offered."""
        return bool(self.missing or self.unread)

    def canonical(self) -> dict[str, object]:
        """Return the plain form kept as evidence."""
        return {
            "windows": list(self.windows),
            "missing": list(self.missing),
            "unread": self.unread,
        }


def loss_row(windows: Sequence[str], present: Sequence[str]) -> list[LossRow]:
    """Return the result of `ReadLoss`."""
    return [LossRow(tuple(sorted(windows)), frozenset(present))] if windows else []


def find_loss(look: LossLook | None, row: LossRow) -> LossFinding | None:
    """Return what the open windows mean; None when nobody has looked since they were opened."""
    if look is None or look.windows != row.windows:
        return None
    missing = tuple(name for name in look.decision_ids if name not in row.present)
    return LossFinding(row.windows, missing, look.unread)
