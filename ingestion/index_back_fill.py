"""
After a new version of the index key: let everybody who is known be found under it.

What a CPF says of its person lies in the key vault, not in truth: an event names the index under
which its person was met first, and a profile that is folded again must say the same. So nothing
of truth is written. Every step may be repeated, and goes on behind the customer handled last.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from domain.customer import CreditData
from domain.errors import GoneError, PermanentError
from domain.identifiers import person_of_index
from domain.ports.time import Clock, Deadline
from domain.ports.truth import Truth
from domain.profile_bytes import profile_from_bytes
from ingestion.statements import ListIndexed


class IndexedVault(Protocol):
    """The key vault, as far as the index of CPFs is concerned."""

    async def open(self, person_id: str, field: str, sealed: str, deadline: Deadline) -> str:
        """See `domain.ports.keys.KeyVault`."""

    async def point(self, cpf_digits: str, index: str, deadline: Deadline) -> int:
        """
        Let a person be found under every version of the index key; return how many were missing.

        Raises:
            PermanentError: under another version the CPF is somebody else.
        """


@dataclass(frozen=True, slots=True)
class BackFilled:
    """
    What a step has done.

    `after` is the customer handled last, None at the end. `missing` is how many ways to persons
    were made. `erased` persons cannot be found any more under a new version, nor can those whose
    sealed CPF is no longer held (`unknown`) or does not open (`unread`): while there are such, an
    old version must stay.
    """

    after: str | None
    customers: int
    missing: int
    erased: int
    unknown: int
    unread: int


@dataclass(frozen=True, slots=True)
class IndexBackFill:
    """One step after the other, `customers_max` customers each."""

    truth: Truth
    vault: IndexedVault
    clock: Clock
    customers_max: int = 200
    timeout_s: float = 30.0

    async def step(self, after: str = "") -> BackFilled:
        """
        Handle the next customers.

        Raises:
            TransientError: truth or the vault is away; call again with the same `after`.
        """
        deadline = Deadline.after(self.clock, self.timeout_s)
        (rows,) = await self.truth.read((ListIndexed(after, self.customers_max),), deadline)
        counts: Counter[str] = Counter()
        for _, payload in rows:
            counts.update(await self._pointed(profile_from_bytes(payload), deadline))
        full = len(rows) == self.customers_max
        return BackFilled(
            after=rows[-1][0] if full else None,
            customers=len(rows),
            missing=counts["missing"],
            erased=counts["erased"],
            unknown=counts["unknown"],
            unread=counts["unread"],
        )

    async def _pointed(self, profile: CreditData, deadline: Deadline) -> Counter[str]:
        counts: Counter[str] = Counter()
        sealed, named = _sealed_cpfs(profile), _indices(profile)
        counts["unknown"] = len(named - sealed.keys())
        for index, text in sealed.items():
            try:
                cpf = await self.vault.open(person_of_index(index), "cpf", text, deadline)
                counts["missing"] += await self.vault.point(cpf, index, deadline)
            except GoneError:
                counts["erased"] += 1
            except PermanentError:
                counts["unread"] += 1
        return counts


def _sealed_cpfs(profile: CreditData) -> Mapping[str, str]:
    """Return the sealed CPFs that a profile holds, by their index."""
    return {index: str(data["cpf"]) for data, index in _said(profile) if "cpf" in data}


def _indices(profile: CreditData) -> set[str]:
    return {index for _, index in _said(profile)}


def _said(profile: CreditData) -> Iterator[tuple[Mapping[str, Any], str]]:
    for slot in profile.slots.values():
        if "cpf_index" in slot.data:
            yield slot.data, str(slot.data["cpf_index"])
