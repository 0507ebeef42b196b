"""What a person already owes or may still take up, as read under the person's lock."""

from collections.abc import Mapping
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Commitment:
    """One live reservation or open contract: principal and monthly instalment in centavos."""

    source_id: str
    principal: int
    instalment: int


@dataclass(frozen=True, slots=True)
class Exposure:
    """All commitments of a person; the sum over its customers."""

    commitments: tuple[Commitment, ...] = ()

    @property
    def outstanding(self) -> int:
        """Principal outstanding or reserved, in centavos."""
        return sum(held.principal for held in self.commitments)

    @property
    def service(self) -> int:
        """Monthly instalments of what is held, in centavos."""
        return sum(held.instalment for held in self.commitments)

    def renamed(self, names: Mapping[str, str]) -> "Exposure":
        """Return the exposure with provisional source ids replaced by final ones."""
        return Exposure(
            tuple(
                replace(held, source_id=names.get(held.source_id, held.source_id))
                for held in self.commitments
            )
        )

    def canonical(self) -> list[list[object]]:
        """Return the plain form kept as evidence."""
        return [[held.source_id, held.principal, held.instalment] for held in self.commitments]


NO_EXPOSURE = Exposure()
